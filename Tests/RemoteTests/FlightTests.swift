// What goes out together and what waits for an answer: MAIL, RCPT and DATA in one flight where the server takes flights, one after
// the other where it doesn't.
import Support
import Testing

@Suite struct FlightTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
  private static let recipients = ["a@example.com", "b@example.com", "c@example.com"]
  private static let envelope = ["MAIL FROM:<sender@example.net>"] + recipients.map { "RCPT TO:<\($0)>" }
  private static let plainBody = "Subject: test\r\n\r\nhello\r\n"

  /// Opens the session with the extensions, and leaves the rest to the script.
  private func deliver(_ extensions: [String], _ script: @escaping @Sendable (Peer) throws -> Void) throws {
    let server = try ScriptedServer { peer in
      let ordinary = SMTPScript(extensions: extensions)
      try peer.send(ordinary.reply(.greeting))
      try peer.expect("EHLO me.example.net")
      try peer.send(ordinary.reply(.hello))
      try script(peer)
      try peer.send("250 ok 1\r\n")
      try peer.expect("QUIT")
      // Nobody waits for an answer to that.
      try peer.awaitEnd()
    }
    var remote = Remote(to: server)
    remote.recipients = FlightTests.recipients
    expect(try remote.run(), "r^@r^@r^@\(FlightTests.accepted)^@", verdict: "K")
    #expect(server.finish().map(\.fault) == [nil])
  }

  /// What comes next has to be exactly this, in one segment.
  private static func expectFlight(_ peer: Peer, _ wanted: String) throws {
    let flight = visible(try peer.flight() ?? [])
    guard flight == visible(wanted.utf8) else { throw PeerFault.unexpected(flight, wanted: visible(wanted.utf8)) }
  }

  /// What comes next has to be this, and nothing after it before it is answered.
  private static func expectAlone(_ peer: Peer, _ wanted: String, reply: String) throws {
    try expectFlight(peer, wanted)
    guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before \(wanted) is answered") }
    try peer.send(reply)
  }

  @Test func `with PIPELINING, up to DATA in one segment`() throws {
    try deliver(["PIPELINING"]) { peer in
      try FlightTests.expectFlight(peer, (FlightTests.envelope + ["DATA"]).map { $0 + "\r\n" }.joined())
      guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before 354") }
      try peer.send("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
      try FlightTests.expectFlight(peer, FlightTests.plainBody + ".\r\n")
      guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before the dot is answered") }
    }
  }

  @Test func `with CHUNKING and PIPELINING, everything in one segment`() throws {
    try deliver(["PIPELINING", "CHUNKING"]) { peer in
      let commands = FlightTests.envelope + ["BDAT \(FlightTests.plainBody.utf8.count) LAST"]
      try FlightTests.expectFlight(peer, commands.map { $0 + "\r\n" }.joined() + FlightTests.plainBody)
      guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before the replies") }
      try peer.send("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n")
    }
  }

  @Test func `without either, each command after the reply to the one before`() throws {
    try deliver(["8BITMIME"]) { peer in
      for command in FlightTests.envelope { try FlightTests.expectAlone(peer, command + "\r\n", reply: "250 ok\r\n") }
      try FlightTests.expectAlone(peer, "DATA\r\n", reply: "354 go\r\n")
      try FlightTests.expectFlight(peer, FlightTests.plainBody + ".\r\n")
      guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before the dot is answered") }
    }
  }

  @Test func `with CHUNKING alone, the chunk right behind its command`() throws {
    try deliver(["CHUNKING"]) { peer in
      for command in FlightTests.envelope { try FlightTests.expectAlone(peer, command + "\r\n", reply: "250 ok\r\n") }
      try FlightTests.expectFlight(peer, "BDAT \(FlightTests.plainBody.utf8.count) LAST\r\n" + FlightTests.plainBody)
      guard peer.isQuiet() else { throw PeerFault.unexpected("more", wanted: "nothing before BDAT is answered") }
    }
  }

  /// A chunk that is an empty message has no bytes at all.
  @Test func `an empty message in a chunk`() throws {
    let server = try ScriptedServer(SMTPScript(extensions: ["CHUNKING", "PIPELINING", "SIZE"]))
    var remote = Remote(to: server)
    remote.message = []
    expect(try remote.run(), "r^@\(FlightTests.accepted)^@", verdict: FlightTests.accepted)
    let lines = server.finish().flatMap(\.lines)
    #expect(
      lines == [
        "EHLO me.example.net", "MAIL FROM:<sender@example.net> SIZE=0", "RCPT TO:<user@example.com>", "BDAT 0 LAST", "QUIT",
      ])
  }

  struct Envelope: Sendable, CustomTestStringConvertible {
    let extensions: [String]
    var message = "plain\n"
    var carrier = Remote.Carrier.file
    var sender = "sender@example.net"
    let mail: String

    var testDescription: String { "\(extensions) \(carrier) \(message.utf8.count) bytes" }
  }

  @Test(arguments: [
    Envelope(extensions: ["SIZE 1000000"], mail: "MAIL FROM:<sender@example.net> SIZE=6"),
    Envelope(extensions: ["SIZE"], carrier: .pipe, mail: "MAIL FROM:<sender@example.net>"),
    Envelope(extensions: ["8BITMIME"], mail: "MAIL FROM:<sender@example.net>"),
    Envelope(extensions: ["8bitmime"], message: "\u{e9}\n", mail: "MAIL FROM:<sender@example.net> BODY=8BITMIME"),
    Envelope(extensions: [], message: "\u{e9}\n", mail: "MAIL FROM:<sender@example.net>"),
    Envelope(
      extensions: ["8BITMIME", "SIZE"], message: String(repeating: "a\n", count: 100_000) + "\u{e9}\n",
      mail: "MAIL FROM:<sender@example.net> SIZE=200003 BODY=8BITMIME"),
    Envelope(extensions: ["PIPELINING"], sender: "", mail: "MAIL FROM:<>"),
    Envelope(extensions: [], sender: "a b.@example.net", mail: "MAIL FROM:<\"a b.\"@example.net>"),
    Envelope(extensions: [], sender: "a\"\\@c@example.net", mail: "MAIL FROM:<\"a\\\"\\\\@c\"@example.net>"),
  ])
  func `what MAIL says`(_ envelope: Envelope) throws {
    let server = try ScriptedServer(SMTPScript(extensions: envelope.extensions))
    var remote = Remote(to: server)
    remote.message = Array(envelope.message.utf8)
    remote.carrier = envelope.carrier
    remote.sender = envelope.sender
    expect(try remote.run(), "r^@\(FlightTests.accepted)^@", verdict: FlightTests.accepted)
    #expect(server.finish().flatMap(\.lines).filter { $0.hasPrefix("MAIL") } == [envelope.mail])
  }

  /// A server that only knows HELO has no extensions, whatever it said to EHLO.
  @Test func `HELO after a refused EHLO`() throws {
    let server = try ScriptedServer(SMTPScript(replies: [.hello: "500-what\r\n500-PIPELINING\r\n500 SIZE\r\n"]))
    var remote = Remote(to: server)
    remote.control["helohost"] = "helo.example.net\n"
    expect(try remote.run(), "r^@\(FlightTests.accepted)^@", verdict: FlightTests.accepted)
    let lines = server.finish().flatMap(\.lines)
    #expect(lines.prefix(3) == ["EHLO helo.example.net", "HELO helo.example.net", "MAIL FROM:<sender@example.net>"])
  }

  @Test func `an IPv6 relay`() throws {
    let server = try ScriptedServer(SMTPScript(), address: "::1")
    expect(
      try Remote(to: server.port, address: "::1").run(), "r^@K::1 accepted message.\nRemote host said: 250 ok 1\n^@",
      verdict: "K::1 accepted message.\nRemote host said: 250 ok 1\n")
    #expect(server.finish().map(\.fault) == [nil])
  }
}
