import Support
import Testing

@testable import Agent

/// A server that says its next piece after each flight, whatever the flight was. Behind `!`, it says it and closes before it has read
/// all of the flight.
private final class PieceStream: ByteStream {
  private var pieces: ArraySlice<String>
  private var arrived: [UInt8]

  init(_ pieces: [String]) {
    arrived = bytes(pieces.first ?? "")
    self.pieces = pieces.dropFirst()
  }

  var hasInput: Bool { !arrived.isEmpty }

  func read(into buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) {
    guard !arrived.isEmpty else { throw .closed }
    buffer += arrived
    arrived = []
  }

  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    let piece = pieces.popFirst() ?? ""
    guard piece.hasPrefix("!") else {
      arrived += Array(piece.utf8)
      return bytes.count
    }
    arrived += Array(piece.dropFirst().utf8)
    throw .failed(32)
  }

  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) -> Int
  {
    try write(bytes, by: deadline)
  }
}

@Suite struct EarlyReplyTests {
  private func reports(_ pieces: [String]) throws -> String {
    let control = memoryControl(["me": "me.test", "smtproutes": ":192.0.2.1"])
    let clock = TestClock()
    let network = FakeNetwork([address("192.0.2.1"): .connects(after: .zero) { PieceStream(pieces) }], clock: clock)
    let delivery = Delivery(
      hooks: HookSet(routers: [RouteTable(control, dialect: .stock, environment: Environment())]), resolver: FakeResolver(),
      interfaces: FakeInterfaces(), network: network, lastWords: RecordedLastWords(),
      circumstances: Circumstances(clock: clock, wallSeconds: 0, seed: 1, processID: 1))
    let envelope = Envelope(host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: [Address(bytes("r@y"))])
    let choice = try DialectChoice(operands: [], environment: Environment()) { _ in control }
    let plan = try delivery.plan(envelope, choice, Environment())
    let message = Message(MemorySource(bytes: bytes("hi\n"), isFile: true))
    return delivery.execute(plan, message).reports.wire.map { $0 == 0 ? UInt8(ascii: "|") : $0 }.text
  }

  @Test(
    "a reply too many is never taken for the one to the message in a chunk",
    arguments: [
      ["220 x\r\n", "250-x\r\n250 CHUNKING\r\n", "250 ok\r\n250 extra\r\n", "250 ok\r\n", "550 no\r\n"],
      ["220 x\r\n", "250-x\r\n250 CHUNKING\r\n", "250 ok\r\n", "250 ok\r\n250 extra\r\n", "550 no\r\n"],
      ["220 x\r\n", "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n", "250 ok\r\n250 extra\r\n250 ok\r\n550 no\r\n"],
      ["220 x\r\n250 x\r\n", "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n550 no\r\n"],
    ])
  func tooMany(_ pieces: [String]) throws { #expect(!(try reports(pieces)).contains("K")) }

  private static let opened = ["220 x\r\n", "250-x\r\n250 PIPELINING\r\n"]
  private static let openedForChunks = ["220 x\r\n", "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n"]
  private static let refusedSender = "DConnected to 192.0.2.1 but sender was rejected.\nRemote host said: 553 no\n|"
  private static let died = "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n|"

  /// Each flight breaks off while it is written, and what had been said by then counts.
  @Test(
    "a refusal that is here when a flight can't be written to its end is the answer",
    arguments: [
      (opened + ["!553 no\r\n"], refusedSender), (openedForChunks + ["!553 no\r\n"], refusedSender),
      (opened + ["!421 later\r\n"], "ZConnected to 192.0.2.1 but sender was rejected.\nRemote host said: 421 later\n|"),
      (
        opened + ["!250 ok\r\n550 who?\r\n"],
        "h192.0.2.1 does not like recipient.\nRemote host said: 550 who?\n|DGiving up on 192.0.2.1.\n|"
      ),
      (
        openedForChunks + ["!250 ok\r\n250 ok\r\n552 too large\r\n"],
        "r|D192.0.2.1 failed after I sent the message.\nRemote host said: 552 too large\n|"
      ),
      (
        opened + ["!250 ok\r\n250 ok\r\n554 no data\r\n"],
        "r|D192.0.2.1 failed on DATA command.\nRemote host said: 554 no data\n|"
      ),
      // Nothing of a message that isn't out can have been accepted, and half a reply is none.
      (openedForChunks + ["!250 ok\r\n250 ok\r\n250 done\r\n"], "r|\(died)"), (opened + ["!"], died),
      (opened + ["!250 ok\r\n"], died), (opened + ["!553 no"], died),
      (opened + ["!250 ok\r\n250 ok\r\n354 go\r\n"], "r|\(died)"),
    ])
  func brokenFlight(_ pieces: [String], _ wanted: String) throws { #expect(try reports(pieces) == wanted) }

  @Test("the right number of replies is a success")
  func right() throws {
    let lockstep = ["220 x\r\n", "250-x\r\n250 CHUNKING\r\n", "250 ok\r\n", "250 ok\r\n", "250 done\r\n"]
    let flight = ["220 x\r\n", "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n250 done\r\n"]
    for pieces in [lockstep, flight] {
      #expect(try reports(pieces) == "r|K192.0.2.1 accepted message.\nRemote host said: 250 done\n|")
    }
  }
}
