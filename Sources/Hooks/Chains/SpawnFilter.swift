// spawn-filter(8): settings and a filter for mail on its way to qmail-remote, in whose place qmail-rspawn starts it. Knows what is to be
// done in which order; FilterRun knows the filter.
package import Agent
internal import CSystem

/// One message on its way.
package struct SpawnFilter {
  /// argv, argv[0] included.
  private let arguments: [Bytes]
  private let start: Environment
  /// The descriptor of the message.
  private let input: Int32
  private let convention: ArgumentConvention
  let clock: any MonotonicClock

  package init(_ arguments: [Bytes], _ environment: Environment, input: Int32 = 0, clock: any MonotonicClock = SystemClock()) {
    self.arguments = arguments
    start = environment
    self.input = input
    self.clock = clock
    convention = ArgumentConvention(operands: Array(arguments.dropFirst()))
  }

  /// Where filters are run.
  package var home: Bytes { convention == .indimail ? Dialect.indimail.home : Dialect.stock.home }

  /// Reads the settings, runs the filter, and says what comes next.
  package func step() -> ChainStep {
    let program = arguments.first?.split(separator: UInt8(ascii: "/")).last ?? []
    if program.starts(with: "qmail-l".utf8) {
      return .end(Ending(errors: Bytes("spawn-filter: fatal: local mail is not supported\n"), status: Ending.troubleStatus))
    }
    guard let call = SpawnFilterCall(Array(arguments.dropFirst()), convention) else {
      return SpawnFilter.end(.improperCall)
    }
    do throws(DeliveryFailure) {
      return try step(call)
    } catch {
      return SpawnFilter.end(Reports(message: error.report))
    }
  }

  /// What qmail-rspawn reads; it believes no other exit status.
  package static func end(_ reports: Reports) -> ChainStep { .end(Ending(output: reports.wire, status: 0)) }

  private func step(_ call: SpawnFilterCall) throws(DeliveryFailure) -> ChainStep {
    var environment = start
    environment.remove("QMAILLOCAL")
    let control = ControlDirectory(path: DialectChoice.path(start, convention))
    for (source, address) in [(EnvelopeRules.ofSender, call.sender), (EnvelopeRules.ofRecipient, call.recipient)] {
      for rule in try EnvelopeRules(source, control, environment)?.rules(for: address.raw) ?? [] {
        environment.apply(try EnvironmentEdits.parse(envstr: rule.edits, source: rule.place))
      }
    }
    if try isTooLarge(call, control, environment) { return SpawnFilter.end(.tooLarge) }
    let domain = try matchedDomain(call, control, environment)
    try refuseSpamFilter(domain, control, environment)
    guard let filter = try filter(domain, control, &environment) else {
      for name in ["FILTERARGS", "SPAMFILTER", "QMAILREMOTE"] { environment.remove(name) }
      return .become(replacement(environment, nil))
    }
    for name in ["FILTERARGS", "SPAMFILTER"] { environment.remove(name) }
    let message = try message(environment)
    switch try FilterRun(command: filter, call: call, environment: environment, clock: clock).run(message) {
    case .message(let new): return .become(replacement(environment, new))
    case .reports(let reports): return SpawnFilter.end(reports)
    }
  }

  private func replacement(_ environment: Environment, _ message: MessageFile?) -> Replacement {
    let named = environment.value("QREMOTE") ?? []
    let standard = Bytes(convention == .indimail ? "/usr/sbin/qmail-remote" : "/var/qmail/bin/qmail-remote")
    return Replacement(
      program: named.isEmpty ? standard : named, arguments: arguments, environment: environment, input: message)
  }

  // MARK: settings

  /// DATABYTES, else `databytes`; 0 is no limit. The size is the operand, else that of the file.
  private func isTooLarge(
    _ call: SpawnFilterCall, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) -> Bool {
    var text = environment.value("DATABYTES")
    if text == nil { text = try control.file("databytes").map { Bytes($0.firstLine) } }
    guard let limit = text?.prefix(while: \.isDigit).decimal, limit > 0 else { return false }
    return (call.size ?? MessageFile(descriptor: input)?.count ?? 0) > limit
  }

  /// That of the sender, or of the recipient if MATCH_RECIPIENT_DOMAIN is set.
  private func matchedDomain(
    _ call: SpawnFilterCall, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) -> Bytes {
    if environment.value("MATCH_RECIPIENT_DOMAIN") != nil { return call.host }
    if let domain = call.sender.domain, !domain.isEmpty { return Bytes(domain) }
    if let domain = environment.value("DEFAULT_DOMAIN"), !domain.isEmpty { return domain }
    return Bytes(try control.file("defaultdomain")?.firstLine ?? [])
  }

  /// Mail that the site wants filtered must not go out unfiltered.
  private func refuseSpamFilter(
    _ domain: Bytes, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) {
    if let value = environment.value("SPAMFILTER"), !value.isEmpty {
      throw .unusable("the variable SPAMFILTER", "filters for spam are not supported")
    }
    if let entry = try tokens("spamfilter", control, environment)?.entry(for: domain), !entry.value.isEmpty {
      throw .unusable(entry.place, "filters for spam are not supported")
    }
  }

  /// FILTERARGS, else the line of `filterargs`, whose edits are applied.
  /// - Returns: nil for no filter.
  private func filter(
    _ domain: Bytes, _ control: ControlDirectory, _ environment: inout Environment
  ) throws(DeliveryFailure) -> Bytes? {
    if let command = environment.value("FILTERARGS"), !command.isEmpty { return command }
    guard let entry = try tokens("filterargs", control, environment)?.entry(for: domain) else { return nil }
    environment.apply(try EnvironmentEdits.parse(envstr: entry.edits, source: entry.place))
    return entry.value.isEmpty ? nil : entry.value
  }

  private func tokens(
    _ name: String, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) -> DomainTokens? {
    let pattern = AddressPattern(environment) == .regex ? AddressPattern.regex : .wildmat
    return try control.file(name).map { DomainTokens(file: $0, pattern: pattern) }
  }

  private static let blockSize = 65_536

  /// The message as a file, which filters may read as they like.
  private func message(_ environment: Environment) throws(DeliveryFailure) -> MessageFile {
    if let file = MessageFile(descriptor: input) { return file }
    let file = try MessageFile(environment)
    while true {
      guard let block = FileDescriptor.read(input, limit: SpawnFilter.blockSize) else { throw .messageUnreadable }
      if block.isEmpty { return file }
      try file.append(block)
    }
  }
}

/// The operands: those of qmail-remote, with one recipient.
struct SpawnFilterCall {
  let host: Bytes
  let sender: Address
  let recipient: Address
  let extraHeader: Bytes
  /// As the operands have it.
  let size: Int?

  init(host: Bytes, sender: Address, recipient: Address, extraHeader: Bytes = [], size: Int? = nil) {
    self.host = host
    self.sender = sender
    self.recipient = recipient
    self.extraHeader = extraHeader
    self.size = size
  }

  /// - Returns: nil for more recipients, or none.
  init?(_ operands: [Bytes], _ convention: ArgumentConvention) {
    guard operands.count == (convention == .indimail ? 5 : 3) else { return nil }
    let isIndimail = convention == .indimail
    self.init(
      host: operands[0], sender: Address(operands[1]), recipient: Address(operands[operands.count - 1]),
      extraHeader: isIndimail ? operands[2] : [],
      // Digits, or it would be the other convention; too many for a number are too large for any limit.
      size: isIndimail ? operands[3].decimal ?? .max : nil)
  }
}
