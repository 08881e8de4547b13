// Our end of a connection: which address it comes from and by what name it greets (qmail-remote(8) of indimail and s/qmail).

/// What one connection shows of us.
public struct LocalSide: Equatable, Sendable {
  /// nil for the system's choice.
  public let address: IPAddress?
  /// The interface of a link-local address.
  public let interface: String?
  public let heloName: Bytes
  /// Who says so: `control/outgoingip:2`, or nil for the defaults.
  public let addressSource: String?
  public let nameSource: String?
}

/// What a destination can't be connected to from here for: the bindroutes entry that is no address, which is how a host is shut out.
struct UnusableRemote: Error {
  let reason: String
}

/// The rules for one delivery, first to last: route, bindroutes, domainips, domainbindings, OUTGOINGIP, outgoingip.HOST, outgoingip. A rule
/// for one family never stands in the way of the other.
struct LocalSideRules {
  /// An address that some rule gives.
  private struct Binding {
    let address: IPAddress
    let interface: String?
    let source: String
  }

  private struct Name {
    let name: Bytes
    let source: String
  }

  private let identity: Identity
  private var fromRoute: Binding?
  private var bindroutes: DomainTable?
  private var helohostbyip: DomainTable?
  /// Those that don't depend on the remote address, in order.
  private var bindings: [[Binding]] = []
  /// The name that goes with domainips or domainbindings.
  private var name: Name?
  private let turn: Int

  /// - Parameter seconds: of the clock; picks a line of files with several.
  /// - Throws: 4.3.0 for what should be an address and isn't.
  init(
    _ control: ControlDirectory, _ environment: Environment, _ identity: Identity, _ question: RouteQuestion, _ route: Route?,
    seconds: Int64
  ) throws(DeliveryFailure) {
    self.identity = identity
    turn = Int(seconds & 0x7fff_ffff)
    fromRoute = route.flatMap { route in
      route.line.localAddress.map { Binding(address: $0, interface: nil, source: route.source) }
    }
    bindroutes = try control.table("bindroutes", keys: .addressPrefixes)
    helohostbyip = try control.table(environment.fileName("HELOHOSTBYIP") ?? "helohostbyip", keys: .dottedSuffixes)
    try readDomainips(control, question.sender)
    try readDomainbindings(control, environment, question.sender)
    try readOutgoingip(control, environment, question.host)
  }

  /// Our side of a connection to an address.
  /// - Throws: `UnusableRemote` when bindroutes shuts it out, or a table can't be read.
  func side(for remote: IPAddress) throws(UnusableRemote) -> LocalSide {
    let binding = try binding(for: remote)
    var name = name ?? Name(name: identity.heloName, source: "")
    if let address = binding?.address, let byAddress = try nameFor(address) { name = byAddress }
    return LocalSide(
      address: binding?.address, interface: binding?.interface, heloName: name.name, addressSource: binding?.source,
      nameSource: name.source.isEmpty ? nil : name.source)
  }

  private func binding(for remote: IPAddress) throws(UnusableRemote) -> Binding? {
    if let fromRoute, fromRoute.address.isV6 == remote.isV6 { return fromRoute }
    if let entry = try entry(in: bindroutes, .name(Bytes(remote.text))), !entry.value.isEmpty {
      guard let address = IPAddress(entry.value) else {
        throw UnusableRemote(reason: "\(entry.place) has no address to connect from")
      }
      // An explicit "none" ends the search; an address of the other family says nothing here.
      if address.isUnspecified { return nil }
      if address.isV6 == remote.isV6 { return Binding(address: address, interface: nil, source: entry.place) }
    }
    for rule in bindings {
      if rule.contains(where: \.address.isUnspecified) { return nil }
      let usable = rule.filter { $0.address.isV6 == remote.isV6 }
      if !usable.isEmpty { return usable[turn % usable.count] }
    }
    return nil
  }

  /// IPv6 addresses stand in brackets, because a key ends at its first colon.
  private func nameFor(_ local: IPAddress) throws(UnusableRemote) -> Name? {
    let key = Bytes(local.isV6 ? "[\(local.text)]" : local.text)
    guard let entry = try entry(in: helohostbyip, .key(key)), Identity.isName(entry.value) else { return nil }
    return Name(name: Bytes(entry.value), source: entry.place)
  }

  /// A large table is read only now.
  private func entry(
    in table: DomainTable?, _ question: DomainTable.Question
  ) throws(UnusableRemote) -> DomainTable.Entry? {
    do throws(DeliveryFailure) {
      return try table?.entries(for: [question]).first ?? nil
    } catch {
      throw UnusableRemote(reason: error.report.text.dropLast().text)
    }
  }
}

// MARK: reading the files

extension LocalSideRules {
  /// `domain:localip[%interface][|helohost]`, by the sender's domain; the key `*` is the last resort.
  private mutating func readDomainips(_ control: ControlDirectory, _ sender: Address) throws(DeliveryFailure) {
    guard let table = try control.table("domainips", keys: .dottedSuffixes) else { return }
    let entries = try table.entries(for: [.name(sender.domain.map(Bytes.init) ?? []), .key(Bytes("*"))])
    guard let entry = entries.lazy.compactMap(\.self).first else { return }
    let fields = entry.value.split(separator: UInt8(ascii: "|"), maxSplits: 1, omittingEmptySubsequences: false)
    if fields.count > 1, !fields[1].isEmpty {
      guard Identity.isName(fields[1]) else { throw .controlInvalid(entry.place, "the name to greet with is none") }
      name = Name(name: Bytes(fields[1]), source: entry.place)
    }
    guard let local = fields.first, !local.isEmpty else { return }
    let parts = local.split(separator: UInt8(ascii: "%"), maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]) else {
      throw .invalidLocalAddress("Invalid ipaddr in control/domainips", entry.place)
    }
    let interface = parts.count > 1 && !parts[1].isEmpty ? parts[1].text : nil
    bindings.append([Binding(address: address, interface: interface, source: entry.place)])
  }

  /// `sender:localip` or `domain:localip`, not for the null sender. The sender's domain becomes the name to greet with.
  private mutating func readDomainbindings(
    _ control: ControlDirectory, _ environment: Environment, _ sender: Address
  ) throws(DeliveryFailure) {
    let name = environment.fileName("DOMAINBINDINGS") ?? "domainbindings"
    guard !sender.isNull, let table = try control.table(name, keys: .dottedSuffixes) else { return }
    let entries = try table.entries(for: [.key(sender.raw), .name(sender.domain.map(Bytes.init) ?? [])])
    // An empty line for the sender as a whole leaves it to its domain's.
    guard let entry = entries.lazy.compactMap(\.self).first(where: { !$0.value.isEmpty }) else { return }
    guard let address = IPAddress(entry.value) else {
      throw .invalidLocalAddress("invalid ipaddr in control/domainbindings", entry.place)
    }
    bindings.append([Binding(address: address, interface: nil, source: entry.place)])
    guard self.name == nil, let domain = sender.domain, Identity.isName(domain) else { return }
    self.name = Name(name: Bytes(domain), source: entry.place)
  }

  /// The variable; else the file for the host; else the file. Of several lines the time picks one.
  private mutating func readOutgoingip(
    _ control: ControlDirectory, _ environment: Environment, _ host: Domain
  ) throws(DeliveryFailure) {
    if let value = environment.value("OUTGOINGIP"), !value.isEmpty {
      guard let address = IPAddress(value) else { throw .invalidLocalAddress("invalid ipaddr in OUTGOINGIP", "") }
      bindings.append([Binding(address: address, interface: nil, source: "the variable OUTGOINGIP")])
      return
    }
    // A host with a slash would name a file elsewhere.
    if !host.text.contains(UInt8(ascii: "/")), !host.text.isEmpty {
      try readOutgoingip(control.file("outgoingip.\(host.text.text)"))
    }
    try readOutgoingip(control.file("outgoingip"))
  }

  private mutating func readOutgoingip(_ file: ControlFile?) throws(DeliveryFailure) {
    guard let file else { return }
    var rule: [Binding] = []
    for (number, line) in file.lines {
      let place = file.place(line: number)
      guard let address = IPAddress(line) else { throw .invalidLocalAddress("invalid ipaddr in control/outgoingip", place) }
      rule.append(Binding(address: address, interface: nil, source: place))
    }
    if !rule.isEmpty { bindings.append(rule) }
  }
}
