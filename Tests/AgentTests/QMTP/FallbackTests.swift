// What back-off learns of exchangers that are tried by both protocols, and that the two are never tried at the same time.
import Support
import Testing

@testable import Agent

/// Writes down what it is told.
private final class NotedBackOff: BackOff {
  private(set) var notes: [String] = []

  func isAvoided(_ candidate: Candidate, _ limits: BackOffLimits) -> Bool { false }

  func record(_ event: BackOffEvent, _ limits: BackOffLimits) {
    switch event {
    case .failed(let failure): notes.append("failed \(failure.stage) \(failure.candidate.port)")
    case .connected(let candidate): notes.append("connected \(candidate.port)")
    case .greeted(let candidate): notes.append("greeted \(candidate.port)")
    case .ready(let candidate): notes.append("ready \(candidate.port)")
    }
  }
}

/// Takes everything, and says the same to everybody when it has taken something.
private final class AnsweringStream: ByteStream {
  private var arrived: [UInt8] = []
  private let answer: [UInt8]

  init(_ answer: String) { self.answer = bytes(answer) }

  var hasInput: Bool { !arrived.isEmpty }

  func read(into buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) {
    guard !arrived.isEmpty else { throw .closed }
    buffer += arrived
    arrived = []
  }

  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    arrived = answer
    return bytes.count
  }

  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) -> Int
  {
    try write(bytes, by: deadline)
  }
}

@Suite struct FallbackTests {
  private struct Result {
    let notes: [String]
    /// Ports, and the seconds when they were tried.
    let starts: [String]
    let letter: String
  }

  private func deliver(_ behaviour: FakeNetwork.Behaviour, dialect: Dialect, _ files: [String: String] = [:]) throws -> Result {
    let control = memoryControl(["me": "me.test"].merging(files) { $1 })
    let environment = Environment(["QMAILREMOTE_DIALECT": dialect.rawValue])
    let clock = TestClock()
    let network = FakeNetwork([address("192.0.2.1"): behaviour], clock: clock)
    let backOff = NotedBackOff()
    let delivery = Delivery(
      hooks: HookSet(routers: [RouteTable(control, dialect: dialect, environment: environment)], backOff: backOff),
      resolver: FakeResolver(zone: "h MX 12801 mx\nmx A 192.0.2.1"), interfaces: FakeInterfaces(), network: network,
      lastWords: RecordedLastWords(), circumstances: Circumstances(clock: clock, wallSeconds: 0, seed: 1, processID: 1))
    let envelope = Envelope(host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: [Address(bytes("r@h"))])
    let choice = try DialectChoice(operands: [], environment: environment) { _ in control }
    let plan = try delivery.plan(envelope, choice, environment)
    let outcome = delivery.execute(plan, Message(MemorySource(bytes: bytes("hi\n"), isFile: true)))
    let origin = Instant(nanoseconds: 0)
    return Result(
      notes: backOff.notes, starts: network.starts.map { "\(origin.duration(to: $0.at).components.seconds)" },
      letter: outcome.reports.concluded == .success ? "K" : "Z")
  }

  @Test("that nobody serves QMTP is not held against the address; that nobody serves SMTP is")
  func refused() throws {
    let refused = FakeNetwork.Behaviour.fails(after: .zero, .failed(111))
    #expect(try deliver(refused, dialect: .indimail).notes == ["failed connect 25"])
    #expect(try deliver(refused, dialect: .indimail, ["qmtproutes": "h:"]).notes == ["failed connect 209"])
    #expect(try deliver(refused, dialect: .stock).notes == ["failed connect 25"])
  }

  @Test("SMTP waits until the time for QMTP is over")
  func silence() throws {
    let first = try deliver(.isSilent, dialect: .indimail)
    let start = Int(first.starts.first ?? "") ?? 0
    #expect(first.starts == ["\(start)", "\(start + 60)"])
    #expect(first.notes == ["failed connect 25"])
  }

  @Test("a connection is all that there is to be had before a package")
  func connected() throws {
    let good = FakeNetwork.Behaviour.connects(after: .zero) { AnsweringStream("3:Kok,") }
    let accepted = try deliver(good, dialect: .indimail)
    #expect(accepted.notes == ["connected 209", "greeted 209", "ready 209"])
    #expect(accepted.letter == "K")
    let bad = FakeNetwork.Behaviour.connects(after: .zero) { AnsweringStream("5:Xokay,") }
    #expect(try deliver(bad, dialect: .indimail).letter == "Z")
  }
}
