// What a message looks like on the wire: the acceptance vectors, from a file and from a pipe, after DATA and in a chunk; and
// messages that end within a line.
import Support
import Testing

@Suite struct MessageVectorTests {
  /// The message, and the same with plain line ends and undoubled dots.
  static let vectors: [(String, String)] = [
    ("", ""),
    (".\n", ".\r\n"),
    ("a\r.\nX\n", "a\r\n.\r\nX\r\n"),
    ("a\r\n", "a\r\n"),
    ("a\n", "a\r\n"),
    ("a\r", "a\r\n"),
    ("\r\r\n\n\r", "\r\n\r\n\r\n\r\n"),
    ("\n.\n", "\r\n.\r\n"),
    ("..\n.a\n", "..\r\n.a\r\n"),
    ("a\r\n.\r\nQUIT\r\n", "a\r\n.\r\nQUIT\r\n"),
    ("a\n.\r\nMAIL FROM:<x>\n", "a\r\n.\r\nMAIL FROM:<x>\r\n"),
    ("nul \0 bell \u{7} high \u{e9}\n", "nul \0 bell \u{7} high \u{e9}\r\n"),
    (String(repeating: "x", count: 60_000) + "\n", String(repeating: "x", count: 60_000) + "\r\n"),
  ]

  /// RFC 5321 section 4.5.2, line by line.
  private func afterData(_ plain: String) -> String {
    let lines = plain.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    return lines.map { $0.hasPrefix(".") ? "." + $0 : $0 }.joined(separator: "\n") + ".\r\n"
  }

  @Test(arguments: vectors, Remote.Carrier.allCases)
  func `after DATA`(_ vector: (message: String, plain: String), _ carrier: Remote.Carrier) throws {
    let body = try deliver(vector.message, carrier, SMTPScript())
    #expect(body == visible(afterData(vector.plain).utf8))
  }

  @Test(arguments: vectors, Remote.Carrier.allCases)
  func `in a chunk`(_ vector: (message: String, plain: String), _ carrier: Remote.Carrier) throws {
    let script = SMTPScript(extensions: [SMTPScript.pipelining, SMTPScript.chunking])
    #expect(try deliver(vector.message, carrier, script) == visible(vector.plain.utf8))
  }

  private func deliver(_ message: String, _ carrier: Remote.Carrier, _ script: SMTPScript) throws -> String? {
    let server = try ScriptedServer(script)
    var remote = Remote(to: server)
    remote.message = Array(message.utf8)
    remote.carrier = carrier
    let report = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(try remote.run(), "r^@\(report)^@", verdict: report)
    let dialogues = server.finish()
    #expect(dialogues.map(\.fault) == [nil])
    // Nothing in the message became a command.
    #expect(dialogues.first?.lines.last == "QUIT")
    #expect(dialogues.first?.lines.count { $0.hasPrefix("MAIL") || $0.hasPrefix("QUIT") } == 2)
    return dialogues.first?.bodies.first.map(visible)
  }

  private static let partialReport = "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n"

  /// The end of these can be seen before anything is sent.
  @Test(arguments: [
    (1, Remote.Carrier.pipe), (60_000, .pipe), (1, .file), (65_535, .file), (65_536, .file), (65_537, .file), (300_000, .file),
  ])
  func `a partial last line that can be seen sends nothing`(_ size: Int, _ carrier: Remote.Carrier) throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.message = [UInt8](repeating: UInt8(ascii: "a"), count: size)
    remote.carrier = carrier
    expect(try remote.run(), "\(MessageVectorTests.partialReport)^@")
    #expect(server.finish().isEmpty)
  }

  /// A long message on a pipe shows its end when most of it is sent. The server must never get a dot, or it would deliver the rest.
  @Test(arguments: [[], [SMTPScript.pipelining, SMTPScript.chunking]])
  func `a partial last line of a long pipe is never completed`(_ extensions: [String]) throws {
    let line = Array((String(repeating: "x", count: 70) + "\n").utf8)
    var message = (0..<5_000).flatMap { _ in line }
    message += Array("tail".utf8)
    let rest = Shared<[UInt8]>([])
    let server = try ScriptedServer(
      SMTPScript(
        extensions: extensions,
        takeBody: { peer in
          // Ends with the connection, not with a dot.
          _ = try peer.drain { bytes in
            rest.change { $0 += bytes }
            return false
          }
          throw PeerFault.closed(wanted: "the end, as it should be")
        }))
    var remote = Remote(to: server)
    remote.message = message
    remote.carrier = .pipe
    expect(
      try remote.run(), "r^@\(MessageVectorTests.partialReport)^@", verdict: MessageVectorTests.partialReport)
    let dialogue = try #require(server.finish().first)
    #expect(dialogue.fault == .closed(wanted: "the end, as it should be"))
    #expect(dialogue.lines.last == "DATA")
    let received = rest.value
    #expect(!visible(received).contains("\\r\\n.\\r\\n"))
    #expect(!visible(received).contains("QUIT"))
    #expect(received.count < message.count + 5_000 && received.starts(with: line.dropLast() + [13, 10]))
  }

  @Test func `a directory is no message`() throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.input = .file("/tmp")
    expect(try remote.run(), "ZUnable to read message. (#4.3.0)\n^@")
    #expect(server.finish().isEmpty)
  }

  /// qmail-rspawn opens the message at its start, but a wrapper may have read from it.
  @Test func `a file is read from where it stands`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("message", "skipped\nkept\n")
    let server = try ScriptedServer(SMTPScript(extensions: ["SIZE"]))
    var remote = Remote(to: server)
    remote.input = .fileAt(path, offset: 8)
    let report = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(try remote.run(), "r^@\(report)^@", verdict: report)
    let dialogue = try #require(server.finish().first)
    #expect(dialogue.bodies.map(visible) == ["kept\\r\\n.\\r\\n"])
    #expect(dialogue.lines.contains("MAIL FROM:<sender@example.net> SIZE=5"))
  }
}
