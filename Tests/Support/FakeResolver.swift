// A DNS that exists in a dictionary, and a clock that moves when it is told to.
import Agent

/// Answers from a table; what isn't in it doesn't exist.
public final class FakeResolver: Resolver {
  private let table: [DNSQuestion: DNSAnswer]
  private let answer: ((DNSQuestion) -> DNSAnswer)?
  /// The questions of each round, in the order they were asked.
  public private(set) var rounds: [[DNSQuestion]] = []
  /// By when each round had to be answered.
  public private(set) var deadlines: [Deadline] = []

  public let believesValidation: Bool

  public init(_ table: [DNSQuestion: DNSAnswer] = [:], believesValidation: Bool = false) {
    self.table = table
    answer = nil
    self.believesValidation = believesValidation
  }

  /// - Parameter answer: says what a validating resolver says, aliases included.
  public init(believesValidation: Bool = true, answer: @escaping (DNSQuestion) -> DNSAnswer) {
    table = [:]
    self.answer = answer
    self.believesValidation = believesValidation
  }

  /// Lines of a zone: `name MX preference exchanger`, `name A address`, `name AAAA address`, `name CNAME name`, `name TLSA u s m hex`,
  /// and `name TYPE SERVFAIL`, `name TYPE NODATA`. A last word `secure` on any line of a name and type means that it was validated.
  public convenience init(zone: String, believesValidation: Bool = false) {
    var table: [DNSQuestion: DNSAnswer] = [:]
    for line in zone.split(separator: "\n") {
      var words = line.split(separator: " ").map(String.init)
      let isSecure = believesValidation && words.last == "secure"
      if words.last == "secure" { words.removeLast() }
      guard words.count >= 3, let type = FakeResolver.types[words[1]] else { continue }
      let question = DNSQuestion(Array(words[0].utf8), type)
      table[question] = FakeResolver.answer(Array(words.dropFirst(2)), type, isSecure, after: table[question])
    }
    self.init(table, believesValidation: believesValidation)
  }

  public func answers(to questions: [DNSQuestion], by deadline: Deadline) -> [DNSAnswer] {
    rounds.append(questions)
    deadlines.append(deadline)
    return questions.map { answer?($0) ?? follow($0, steps: 0) }
  }

  /// As a real resolver does, follows aliases before it answers.
  private func follow(_ question: DNSQuestion, steps: Int) -> DNSAnswer {
    if let answer = table[question] {
      guard steps > 0, case .records(let records, let isSecure) = answer else { return answer }
      return .records([.alias(question.name)] + records, isSecure: isSecure)
    }
    let known = table.keys.contains { $0.name == question.name }
    if question.type != .cname, case .records(let records, let isSecure)? = table[DNSQuestion(question.name, .cname)],
      case .alias(let target)? = records.first
    {
      guard steps < 10 else { return .failure("a loop") }
      // An answer is as secure as the weakest link of it.
      return follow(DNSQuestion(target, question.type), steps: steps + 1).secure(isSecure)
    }
    return known ? .noData(isSecure: false) : .noName(isSecure: false)
  }

  private static let types: [String: RecordType] = ["MX": .mx, "A": .a, "AAAA": .aaaa, "CNAME": .cname, "TLSA": .tlsa]

  private static func answer(_ data: [String], _ type: RecordType, _ isSecure: Bool, after earlier: DNSAnswer?) -> DNSAnswer {
    if data[0] == "SERVFAIL" { return .failure("SERVFAIL") }
    if data[0] == "NODATA" { return .noData(isSecure: isSecure) }
    var records: [DNSRecord] = []
    var wasSecure = false
    if case .records(let known, let secure) = earlier {
      records = known
      wasSecure = secure
    }
    if let record = record(data, type) { records.append(record) }
    return .records(records, isSecure: isSecure || wasSecure)
  }

  private static func record(_ data: [String], _ type: RecordType) -> DNSRecord? {
    switch type {
    case .mx: return .exchanger(preference: Int(data[0]) ?? 0, name: data.count > 1 ? Array(data[1].utf8) : [])
    case .a, .aaaa: return IPAddress(Array(data[0].utf8)).map(DNSRecord.address)
    case .cname: return .alias(Array(data[0].utf8))
    case .tlsa:
      guard data.count == 4, let usage = UInt8(data[0]), let selector = UInt8(data[1]), let matching = UInt8(data[2]) else {
        return nil
      }
      let pairs = stride(from: 0, to: data[3].count - 1, by: 2).map { data[3].dropFirst($0).prefix(2) }
      return .tlsa(
        TLSARecord(
          usage: usage, selector: selector, matching: matching, association: pairs.compactMap { UInt8($0, radix: 16) }))
    }
  }
}

extension DNSAnswer {
  fileprivate func secure(_ isSecure: Bool) -> DNSAnswer {
    switch self {
    case .records(let records, let own): .records(records, isSecure: own && isSecure)
    case .noData(let own): .noData(isSecure: own && isSecure)
    case .noName(let own): .noName(isSecure: own && isSecure)
    case .failure: self
    }
  }
}

/// A clock that stands still until a test moves it.
public final class TestClock: MonotonicClock {
  private var moment: Instant

  public init() { moment = Instant(nanoseconds: 1_000_000_000) }

  public func now() -> Instant { moment }

  public func advance(by duration: Duration) { moment = moment.advanced(by: duration) }
}

/// The interfaces of a machine that a test makes up.
public struct FakeInterfaces: Interfaces {
  private let list: Set<IPAddress>

  public init(_ addresses: [String] = []) { list = Set(addresses.compactMap { IPAddress(Array($0.utf8)) }) }

  public func addresses() throws(DeliveryFailure) -> Set<IPAddress> { list }
}

/// Remembers what a crash would report, in order.
public final class RecordedLastWords: LastWords {
  public private(set) var words: [[UInt8]] = []

  public func forget() { words = [] }

  public init() {}

  public func prepare(_ wire: [UInt8]) { words.append(wire) }
}
