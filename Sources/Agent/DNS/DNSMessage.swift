// Reads a DNS response (RFC 1035 section 4) that anybody may have written. Every access is checked: no response can make it trap,
// loop, or believe an answer to another question.

/// A response, reduced to what a question asked for.
struct DNSMessage {
  private let bytes: Bytes
  private var offset = 0

  private struct Malformed: Error {}

  private struct ResourceRecord {
    let owner: Bytes
    let type: UInt16
    let data: Range<Int>
  }

  /// More aliases than this are a loop or a mistake.
  static let aliasLimit = 10

  /// The answer that a response gives.
  /// - Parameter believesAD: whether the AD bit may be taken for validation (D4).
  static func answer(in bytes: Bytes, to question: DNSQuestion, believesAD: Bool) -> DNSAnswer {
    var message = DNSMessage(bytes: bytes)
    do {
      return try message.read(question, believesAD)
    } catch {
      return .failure("a malformed DNS response")
    }
  }

  /// Whether a response is one of those that tell, or may tell, that EDNS is unknown there (RFC 6891 section 7).
  static func knowsNoEDNS(_ response: Bytes) -> Bool { response.count > 3 && [1, 4].contains(response[3] & 0xf) }

  private static let referral = DNSAnswer.failure("the server neither knows nor asks others")

  private init(bytes: Bytes) { self.bytes = bytes }

  private mutating func read(_ question: DNSQuestion, _ believesAD: Bool) throws(Malformed) -> DNSAnswer {
    offset = 2
    let flags = try word()
    let questions = try word()
    let answers = try word()
    offset = 12
    guard flags & 0x8000 != 0, questions == 1 else { throw Malformed() }
    let name = try self.name()
    let type = try word()
    let recordClass = try word()
    guard name.equalsIgnoringCase(DNSName.canonical(question.name)), type == question.type.rawValue, recordClass == 1 else {
      return .failure("an answer to another question")
    }
    let isSecure = believesAD && flags & 0x20 != 0
    // Neither recursive nor authoritative: a server that only says whom else to ask. What it lacks may exist.
    let mayDeny = flags & 0x0480 != 0
    switch flags & 0xf {
    case 0: break
    case 3: return mayDeny ? .noName(isSecure: isSecure) : DNSMessage.referral
    case 2: return .failure("the server failed (SERVFAIL)")
    case 5: return .failure("the server refused (REFUSED)")
    case let code: return .failure("DNS error code \(code)")
    }
    // Truncated even over TCP: what is missing might be what matters.
    guard flags & 0x200 == 0 else { return .failure("a truncated DNS response") }
    var records: [ResourceRecord] = []
    for _ in 0..<answers {
      if let record = try record() { records.append(record) }
    }
    let answer = try answer(from: records, to: question, isSecure: isSecure)
    if case .noData = answer, !mayDeny { return DNSMessage.referral }
    return answer
  }

  private mutating func answer(
    from records: [ResourceRecord], to question: DNSQuestion, isSecure: Bool
  ) throws(Malformed) -> DNSAnswer {
    var name = DNSName.canonical(question.name)
    var aliases = 0
    if question.type != .cname {
      while let alias = records.first(where: { $0.type == RecordType.cname.rawValue && $0.owner.equalsIgnoringCase(name) }) {
        aliases += 1
        guard aliases <= DNSMessage.aliasLimit else { return .failure("more than \(DNSMessage.aliasLimit) aliases in a row") }
        offset = alias.data.lowerBound
        name = try self.name()
      }
    }
    var found: [DNSRecord] = []
    for record in records where record.type == question.type.rawValue && record.owner.equalsIgnoringCase(name) {
      found.append(try data(record.data, question.type))
    }
    guard !found.isEmpty else { return .noData(isSecure: isSecure) }
    // Whose records they are, if not the question's: the name counts for TLSA (RFC 7672 section 2.2.2).
    if aliases > 0 { found.insert(.alias(name), at: 0) }
    return .records(found, isSecure: isSecure)
  }

  private mutating func data(_ range: Range<Int>, _ type: RecordType) throws(Malformed) -> DNSRecord {
    offset = range.lowerBound
    switch type {
    case .a, .aaaa:
      guard range.count == (type == .a ? 4 : 16), let address = IPAddress(bytes: bytes[range]) else { throw Malformed() }
      return .address(address)
    case .mx:
      let preference = Int(try word())
      let name = try self.name()
      guard offset == range.upperBound else { throw Malformed() }
      return .exchanger(preference: preference, name: name)
    case .cname:
      let name = try self.name()
      guard offset == range.upperBound else { throw Malformed() }
      return .alias(name)
    case .tlsa:
      guard range.count > 3 else { throw Malformed() }
      let usage = try byte()
      let selector = try byte()
      let matching = try byte()
      return .tlsa(
        TLSARecord(usage: usage, selector: selector, matching: matching, association: Bytes(bytes[offset..<range.upperBound])))
    }
  }

  /// nil for a record of another class than IN.
  private mutating func record() throws(Malformed) -> ResourceRecord? {
    let owner = try name()
    let type = try word()
    let recordClass = try word()
    offset += 4  // time to live
    let count = Int(try word())
    let start = offset
    guard count <= bytes.count - start else { throw Malformed() }
    offset += count
    return recordClass == 1 ? ResourceRecord(owner: owner, type: type, data: start..<offset) : nil
  }

  private mutating func byte() throws(Malformed) -> UInt8 {
    guard offset < bytes.count else { throw Malformed() }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func word() throws(Malformed) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }

  /// A name in presentation form, wherever the compression of RFC 1035 section 4.1.4 put its parts. The root is empty.
  private mutating func name() throws(Malformed) -> Bytes {
    var name = Bytes()
    var end: Int?
    var wireLength = 0
    while true {
      let start = offset
      let length = try byte()
      switch length & 0xc0 {
      case 0 where length == 0:
        offset = end ?? offset
        return name
      case 0:
        // 255 bytes on the wire is the limit of RFC 1035 section 3.1.
        wireLength += Int(length) + 1
        guard wireLength < 255, Int(length) <= bytes.count - offset else { throw Malformed() }
        if !name.isEmpty { name.append(UInt8(ascii: ".")) }
        for byte in bytes[offset..<(offset + Int(length))] { DNSName.append(byte, to: &name) }
        offset += Int(length)
      case 0xc0:
        let target = Int(length & 0x3f) << 8 | Int(try byte())
        end = end ?? offset
        // Only backwards: that is all compression needs, and it can't go round.
        guard target < start else { throw Malformed() }
        offset = target
      default: throw Malformed()
      }
    }
  }
}
