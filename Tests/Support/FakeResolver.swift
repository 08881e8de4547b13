// A DNS that exists in a dictionary, and a clock that moves when it is told to.
import Agent

/// Answers from a table; what isn't in it doesn't exist.
public final class FakeResolver: Resolver {
  private let table: [DNSQuestion: DNSAnswer]
  /// The questions of each round, in the order they were asked.
  public private(set) var rounds: [[DNSQuestion]] = []

  public init(_ table: [DNSQuestion: DNSAnswer] = [:]) { self.table = table }

  /// Lines of a zone: `name MX preference exchanger`, `name A address`, `name AAAA address`, `name CNAME name`, and
  /// `name TYPE SERVFAIL`, `name TYPE NODATA`.
  public convenience init(zone: String) {
    var table: [DNSQuestion: DNSAnswer] = [:]
    for line in zone.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count >= 3, let type = FakeResolver.types[words[1]] else { continue }
      let question = DNSQuestion(Array(words[0].utf8), type)
      table[question] = FakeResolver.answer(words.dropFirst(2).map(\.self), type, after: table[question])
    }
    self.init(table)
  }

  public func answers(to questions: [DNSQuestion], by deadline: Deadline) -> [DNSAnswer] {
    rounds.append(questions)
    return questions.map { question in
      if let answer = table[question] { return answer }
      return table.keys.contains { $0.name == question.name } ? .noData(isSecure: false) : .noName(isSecure: false)
    }
  }

  private static let types: [String: RecordType] = ["MX": .mx, "A": .a, "AAAA": .aaaa, "CNAME": .cname]

  private static func answer(_ data: [String], _ type: RecordType, after earlier: DNSAnswer?) -> DNSAnswer {
    if data[0] == "SERVFAIL" { return .failure("SERVFAIL") }
    if data[0] == "NODATA" { return .noData(isSecure: false) }
    var records: [DNSRecord] = []
    if case .records(let known, _) = earlier { records = known }
    switch type {
    case .mx: records.append(.exchanger(preference: Int(data[0]) ?? 0, name: data.count > 1 ? Array(data[1].utf8) : []))
    case .a, .aaaa: if let address = IPAddress(Array(data[0].utf8)) { records.append(.address(address)) }
    case .cname: records.append(.alias(Array(data[0].utf8)))
    }
    return .records(records, isSecure: false)
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

  public init() {}

  public func prepare(_ wire: [UInt8]) { words.append(wire) }
}
