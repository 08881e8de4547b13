import Support
import Testing

@testable import Agent

/// A stream that nothing is done with.
private final class IdleStream: ByteStream {
  func read(into buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) { throw .closed }
  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int { throw .closed }
  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) -> Int
  {
    throw .closed
  }
  var hasInput: Bool { true }
}

@Suite struct ConnectionRaceTests {
  private static let refused = TransportError.failed(111)

  private static func behaviour(_ word: String) -> FakeNetwork.Behaviour {
    let parts = word.split(separator: " ")
    let delay = Duration.milliseconds(parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    switch parts[0] {
    case "ok": return .connects(after: delay) { IdleStream() }
    case "fail": return .fails(after: delay, refused)
    case "nostart": return .refusesStart(refused)
    default: return .isSilent
    }
  }

  /// Runs a race between 192.0.2.1, .2, … and tells who was started when, who won when, who lost and who was silent.
  private func race(_ behaviours: [String], timeout: Duration? = .seconds(60), avoided: Set<Int> = []) -> String {
    let clock = TestClock()
    let start = clock.now()
    let addresses = behaviours.indices.map { address("192.0.2.\($0 + 1)") }
    let candidates = addresses.map { Candidate(exchanger: bytes("mx"), preference: 0, address: $0, port: 25) }
    let network = FakeNetwork(Dictionary(uniqueKeysWithValues: zip(addresses, behaviours.map(Self.behaviour))), clock: clock)
    let number = { (candidate: Candidate) in (addresses.firstIndex(of: candidate.address) ?? -1) + 1 }
    let race = ConnectionRace(
      network: network, clock: clock, timeout: timeout, overall: Deadline(.seconds(7_200), after: start),
      isAvoided: { avoided.contains(number($0)) }, willStart: { _ in })
    let result = race.run(candidates)
    let milliseconds = { (moment: Instant) in start.duration(to: moment) / .milliseconds(1) }
    var words = network.starts.map { "\($0.address.dropFirst(8))@\(Int(milliseconds($0.at)))" }
    if let winner = result.winner { words.append("won \(number(winner.candidate))@\(Int(milliseconds(clock.now())))") }
    if result.winner == nil { words.append("nobody@\(Int(milliseconds(clock.now())))") }
    words += result.losers.map { "lost \(number($0.candidate))\($0.error == .timedOut ? " late" : "")" }
    words += result.silent.map { "silent \(number($0))" }
    return words.joined(separator: ", ")
  }

  @Test(
    "who starts when, who wins, who lost",
    arguments: [
      (["ok"], "1@0, won 1@0"), (["ok 100", "ok"], "1@0, won 1@100"), (["silent", "ok 50"], "1@0, 2@250, won 2@300"),
      (["fail", "ok"], "1@0, 2@0, won 2@0, lost 1"), (["fail 100", "ok 10"], "1@0, 2@100, won 2@110, lost 1"),
      (["nostart", "ok"], "1@0, 2@0, won 2@0, lost 1"), (["nostart", "nostart"], "1@0, 2@0, nobody@0, lost 1, lost 2"),
      (["ok 400", "ok 500", "ok"], "1@0, 2@250, won 1@400"), (["ok 900", "ok 100"], "1@0, 2@250, won 2@350"),
      (["silent", "silent", "silent", "ok"], "1@0, 2@250, 3@500, 4@750, won 4@750"),
      (["silent", "fail 100", "ok"], "1@0, 2@250, 3@350, won 3@350, lost 2"),
      (["silent", "ok 10000"], "1@0, 2@250, won 2@10250, silent 1"), (["silent", "ok 9700"], "1@0, 2@250, won 2@9950"),
      (["silent"], "1@0, nobody@60000, lost 1 late"), (["silent", "fail 1"], "1@0, 2@250, nobody@60000, lost 2, lost 1 late"),
      ([], "nobody@0"),
    ] as [([String], String)])
  func races(_ behaviours: [String], _ expected: String) { #expect(race(behaviours) == expected) }

  @Test("a limit of time for each, from its own start")
  func limits() {
    #expect(race(["silent", "silent"], timeout: .seconds(1)) == "1@0, 2@250, nobody@1250, lost 1 late, lost 2 late")
    #expect(race(["silent", "ok 20000"], timeout: nil) == "1@0, 2@250, won 2@20250, silent 1")
  }

  @Test("avoided candidates are not started, and cost no time")
  func avoided() {
    #expect(race(["ok", "ok 5"], avoided: [1]) == "2@0, won 2@5")
    #expect(race(["ok", "ok"], avoided: [1, 2]) == "nobody@0")
    #expect(race(["silent", "ok", "ok 5"], avoided: [2]) == "1@0, 3@250, won 3@255")
  }
}
