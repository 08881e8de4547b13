// A small DNS of zones, some signed, some not, some broken. It is written to zone files for real servers and answered from here for a
// fake resolver, so that one table of expectations is held against both.
import Agent

public struct ZoneTable: Sendable {
  public enum State: Sendable {
    /// And so are all zones above it.
    case signed
    case unsigned
    /// Signed, and the signatures have run out.
    case expired
    /// Delegated to a server that knows nothing of it.
    case lame
    /// Delegated to a server that should have it and can't read it.
    case failing

    /// There is a zone to ask.
    public var isServed: Bool { self != .lame && self != .failing }
    public var hasSignatures: Bool { self == .signed || self == .expired }
  }

  public struct Zone: Sendable {
    /// The root's is empty.
    public let name: String
    public let state: State
    /// The host that serves it.
    public let server: String

    public init(_ name: String, _ state: State, at server: String) {
      self.name = name
      self.state = state
      self.server = server
    }
  }

  private struct Key: Hashable {
    let name: String
    let type: String
  }

  public let zones: [Zone]
  private var records: [Key: [String]] = [:]
  private var owners: Set<String> = []
  private var names: Set<String> = []
  private var forged: Set<Key> = []

  /// - Parameter records: lines `name TYPE data` of MX, A, AAAA, CNAME, TLSA and TXT, names without the root's dot. `name TYPE forged`
  ///   spoils the signature of that record set, and `name NSEC forged` that of the proof that the name has no other types.
  public init(zones: [Zone], records text: String) throws {
    self.zones = zones
    for zone in zones { add(zone.name) }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count == 3 else { throw SpawnFault(description: "the zone table's line \(line)") }
      let key = Key(name: words[0].lowercased(), type: words[1])
      if words[2] == "forged" {
        forged.insert(key)
        continue
      }
      guard key.type == "TXT" || ZoneTable.record(key.type, words[2]) != nil else {
        throw SpawnFault(description: "the zone table's line \(line)")
      }
      records[key, default: []].append(words[2])
      owners.insert(key.name)
      add(key.name)
    }
  }

  /// A name exists if something stands at it or below it (RFC 8020).
  private mutating func add(_ name: String) {
    var name = name[...]
    while names.insert(String(name)).inserted, let dot = name.firstIndex(of: ".") { name = name[name.index(after: dot)...] }
  }

  private func zone(of name: String) -> Zone? {
    zones.filter { $0.name.isEmpty || name == $0.name || name.hasSuffix(".\($0.name)") }.max { $0.name.count < $1.name.count }
  }
}

// MARK: answers

extension ZoneTable {
  private static let failed = DNSAnswer.failure("the server failed (SERVFAIL)")
  private static let aliasLimit = 10

  /// What a validating resolver says.
  public func answer(to question: DNSQuestion) -> DNSAnswer {
    guard let type = ZoneTable.types.first(where: { $0.value == question.type })?.key else { return ZoneTable.failed }
    var name = String(decoding: question.name, as: UTF8.self).lowercased()
    if name.last == "." { name.removeLast() }
    var isSecure = true
    var alias: [DNSRecord] = []
    for _ in 0...ZoneTable.aliasLimit {
      guard let zone = zone(of: name), zone.state == .signed || zone.state == .unsigned else { return ZoneTable.failed }
      isSecure = isSecure && zone.state == .signed
      guard let owner = owner(for: name) else { return .noName(isSecure: isSecure) }
      if let data = records[Key(name: owner, type: type)] {
        if forged.contains(Key(name: owner, type: type)) { return ZoneTable.failed }
        return .records(alias + data.compactMap { ZoneTable.record(type, $0) }, isSecure: isSecure)
      }
      guard let target = records[Key(name: owner, type: "CNAME")]?.first else {
        return forged.contains(Key(name: owner, type: "NSEC")) ? ZoneTable.failed : .noData(isSecure: isSecure)
      }
      if forged.contains(Key(name: owner, type: "CNAME")) { return ZoneTable.failed }
      name = target.lowercased()
      alias = [.alias(Array(name.utf8))]
    }
    return .failure("more than \(ZoneTable.aliasLimit) aliases in a row")
  }

  /// Where the records of a name stand: at itself, or at the wildcard that covers it (RFC 4592).
  private func owner(for name: String) -> String? {
    if names.contains(name) { return name }
    var rest = name[...]
    while let dot = rest.firstIndex(of: ".") {
      rest = rest[rest.index(after: dot)...]
      if owners.contains("*.\(rest)") { return "*.\(rest)" }
      if names.contains(String(rest)) { return nil }
    }
    return nil
  }

  private static let types: [String: RecordType] = ["MX": .mx, "A": .a, "AAAA": .aaaa, "CNAME": .cname, "TLSA": .tlsa]

  private static func record(_ type: String, _ text: String) -> DNSRecord? {
    let data = text.split(separator: " ").map(String.init)
    let name = { (text: String) in text == "." ? [] : Array(text.utf8) }
    switch (types[type], data.count) {
    case (.mx, 2): return Int(data[0]).map { .exchanger(preference: $0, name: name(data[1])) }
    case (.a, 1), (.aaaa, 1): return IPAddress(Array(data[0].utf8)).map(DNSRecord.address)
    case (.cname, 1): return .alias(name(data[0]))
    case (.tlsa, 4):
      guard let usage = UInt8(data[0]), let selector = UInt8(data[1]), let matching = UInt8(data[2]) else { return nil }
      let pairs = stride(from: 0, to: data[3].count - 1, by: 2).map { data[3].dropFirst($0).prefix(2) }
      return .tlsa(
        TLSARecord(
          usage: usage, selector: selector, matching: matching, association: pairs.compactMap { UInt8($0, radix: 16) }))
    default: return nil
    }
  }
}

// MARK: zone files

extension ZoneTable {
  /// RFC 1035 section 5, with the zone's delegations and without its signatures.
  public func file(of zone: Zone) -> String {
    let origin = "\(zone.name)."
    var lines = ["SOA \(zone.server). root.test. 1 3600 600 86400 300", "NS \(zone.server)."].map { "\(origin) 3600 IN \($0)" }
    for child in zones where child.name != zone.name && parent(of: child)?.name == zone.name {
      lines.append("\(child.name). 3600 IN NS \(child.server).")
      // Glue: the way into the zone that has the servers' addresses.
      if child.name == String(child.server.drop { $0 != "." }.dropFirst()) {
        lines += records[Key(name: child.server, type: "A"), default: []].map { "\(child.server). 3600 IN A \($0)" }
      }
    }
    for (key, data) in records.sorted(by: { ($0.key.name, $0.key.type) < ($1.key.name, $1.key.type) })
    where self.zone(of: key.name)?.name == zone.name {
      lines += data.map { "\(key.name). 3600 IN \(key.type) \(ZoneTable.presentation(key.type, $0))" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The zone that delegates it; nil for the root.
  public func parent(of zone: Zone) -> Zone? {
    guard !zone.name.isEmpty else { return nil }
    return self.zone(of: String(zone.name.drop { $0 != "." }.dropFirst()))
  }

  private static func presentation(_ type: String, _ data: String) -> String {
    switch type {
    case "MX", "CNAME": data.hasSuffix(".") ? data : "\(data)."
    case "TXT": "\"\(data)\""
    default: data
    }
  }

  /// Spoils what is to be spoilt in a signed zone file.
  public func spoil(_ file: String, of zone: Zone) throws -> String {
    var lines = file.split(separator: "\n").map(String.init)
    for key in forged where self.zone(of: key.name)?.name == zone.name {
      let index = lines.firstIndex { line in
        let words = line.split { $0 == " " || $0 == "\t" }
        return words.count > 5 && words[0].lowercased() == "\(key.name)." && words[3] == "RRSIG" && words[4] == key.type
      }
      guard let index, let space = lines[index].lastIndex(of: " ") else {
        throw SpawnFault(description: "\(key.name) has no signature of its \(key.type) records that could be spoilt")
      }
      let first = lines[index].index(after: space)
      lines[index].replaceSubrange(first...first, with: lines[index][first] == "A" ? "B" : "A")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
