// A server that wants a message nobody may get, and one that has enough of a message before its end.
import Support
import Testing

@Suite struct UnwantedMessageTests {
  private static let giveUp = "DGiving up on 127.0.0.1.\n"

  // MARK: 354 for nobody

  struct Refusal: Sendable, CustomTestStringConvertible {
    let replies: [SMTPScript.Step: String]
    let reports: String
    let verdict: String
    var testDescription: String { "\(replies.values)" }
  }

  static let refusals: [Refusal] = [
    Refusal(
      replies: [.recipient(0): "550 no\r\n"],
      reports: "h127.0.0.1 does not like recipient.\nRemote host said: 550 no\n^@\(giveUp)^@",
      verdict: "D127.0.0.1 does not like recipient.\nRemote host said: 550 no\nGiving up on 127.0.0.1.\n"),
    Refusal(
      replies: [.recipient(0): "450 no\r\n"],
      reports: "s127.0.0.1 does not like recipient.\nRemote host said: 450 no\n^@\(giveUp)^@",
      verdict: "Z127.0.0.1 does not like recipient.\nRemote host said: 450 no\nGiving up on 127.0.0.1.\n"),
    Refusal(
      replies: [.mail: "550 no\r\n", .recipient(0): "503 no sender\r\n"],
      reports: "DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 no\n^@",
      verdict: "DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 no\n"),
    Refusal(
      replies: [.mail: "450 no\r\n"],
      reports: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 450 no\n^@",
      verdict: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 450 no\n"),
  ]

  /// Whatever the server says to the lone dot, and even if it dies of it.
  @Test(arguments: refusals, ["250 ok\r\n", "554 no recipients\r\n", "nonsense\r\n", ""])
  func `a lone dot after 354 for nobody, and never K`(_ refusal: Refusal, _ answer: String) throws {
    var replies = refusal.replies
    replies[.message] = answer
    let death = answer.isEmpty ? SMTPScript.Death(step: .message, position: .before, manner: .close) : nil
    let server = try ScriptedServer(SMTPScript(extensions: ["PIPELINING"], replies: replies, death: death))
    expect(try Remote(to: server).run(), refusal.reports, verdict: refusal.verdict)
    let dialogue = try #require(server.finish().first)
    #expect(dialogue.bodies.map(visible) == [".\\r\\n"])
    #expect(dialogue.fault == nil)
  }

  /// A chunk can't be taken back; its acceptance for nobody is no acceptance.
  @Test(arguments: refusals, ["250 ok\r\n", "503 no recipients\r\n"])
  func `a chunk for nobody is never K`(_ refusal: Refusal, _ answer: String) throws {
    var replies = refusal.replies
    replies[.message] = answer
    let server = try ScriptedServer(SMTPScript(extensions: ["PIPELINING", "CHUNKING"], replies: replies))
    expect(try Remote(to: server).run(), refusal.reports, verdict: refusal.verdict)
    #expect(server.finish().map(\.fault) == [nil])
  }

  /// Without flights there is no DATA for nobody.
  @Test(arguments: refusals, [[], ["CHUNKING"]])
  func `nobody accepted, nothing sent`(_ refusal: Refusal, _ extensions: [String]) throws {
    let server = try ScriptedServer(SMTPScript(extensions: extensions, replies: refusal.replies))
    expect(try Remote(to: server).run(), refusal.reports, verdict: refusal.verdict)
    let dialogue = try #require(server.finish().first)
    #expect(!dialogue.lines.contains { $0.hasPrefix("DATA") || $0.hasPrefix("BDAT") })
    #expect(dialogue.lines.last == "QUIT")
  }

  // MARK: answers before the end

  private static let large: [UInt8] = (0..<200_000).flatMap { _ in Array("forty bytes of text for every single line\n".utf8) }

  enum Afterwards: String, Sendable, CaseIterable {
    case closes, resets
    /// Takes the rest, as RFC 5321 asks of a server.
    case readsOn
    /// Neither reads nor closes.
    case stalls
  }

  /// - Parameter isNarrow: on a line where the program is waiting to send more when the refusal comes.
  private func deliver(refusal: String, _ afterwards: Afterwards, isNarrow: Bool) throws -> FinishedProcess {
    let network = try isNarrow ? NetworkNamespace.narrow() : NetworkNamespace()
    return try network.run { try UnwantedMessageTests.deliver(refusal, afterwards) }
  }

  private static func deliver(_ refusal: String, _ afterwards: Afterwards) throws -> FinishedProcess {
    let server = try ScriptedServer(
      SMTPScript(
        takeBody: { peer in
          _ = try peer.take(500_000)
          try peer.send(refusal)
          switch afterwards {
          case .closes: peer.close()
          case .resets: peer.reset()
          // The rest doesn't come: the program has what it needs, and hangs up without a dot.
          case .readsOn: _ = try peer.drain { _ in false }
          case .stalls: try peer.stall()
          }
          throw PeerFault.closed(wanted: "the end of the script")
        }))
    var remote = Remote(to: server)
    remote.message = UnwantedMessageTests.large
    remote.control["timeoutremote"] = "3\n"
    let finished = try remote.run()
    let dialogues = server.finish()
    #expect(dialogues.count == 1)
    #expect(dialogues.first?.lines.last == "DATA")
    return finished
  }

  @Test(arguments: Afterwards.allCases, [false, true])
  func `a refusal in the middle of the message`(_ afterwards: Afterwards, _ isNarrow: Bool) throws {
    let report = "D127.0.0.1 failed after I sent the message.\nRemote host said: 552-too\n552 big\n"
    let finished = try deliver(refusal: "552-too\r\n552 big\r\n", afterwards, isNarrow: isNarrow)
    expect(finished, "r^@\(report)^@", verdict: report)
  }

  @Test(arguments: Afterwards.allCases, [false, true])
  func `a deferral in the middle of the message`(_ afterwards: Afterwards, _ isNarrow: Bool) throws {
    let report = "Z127.0.0.1 failed after I sent the message.\nRemote host said: 452 full\n"
    let finished = try deliver(refusal: "452 full\r\n", afterwards, isNarrow: isNarrow)
    expect(finished, "r^@\(report)^@", verdict: report)
  }

  /// A server can't have accepted what it hasn't got.
  @Test(arguments: Afterwards.allCases, [false, true])
  func `an acceptance in the middle of the message is none`(_ afterwards: Afterwards, _ isNarrow: Bool) throws {
    let finished = try deliver(refusal: "250 ok\r\n", afterwards, isNarrow: isNarrow)
    if afterwards == .readsOn {
      let report = "ZConnected to 127.0.0.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: 250 ok\n"
      expect(finished, "r^@\(report)^@", verdict: report)
      return
    }
    // The end of the connection may be seen before the reply is.
    let died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n"
    let odd = "ZConnected to 127.0.0.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: 250 ok\n"
    let report = visible(finished.output).contains("died") ? died : odd
    expect(finished, "r^@\(report)^@", verdict: report)
  }

  /// The acceptance stands behind the 354, before a byte of the message has been sent.
  @Test(arguments: [[], ["PIPELINING"]])
  func `an acceptance with the 354 is none`(_ extensions: [String]) throws {
    let server = try ScriptedServer(SMTPScript(extensions: extensions, replies: [.data: "354 go\r\n250 ok\r\n"]))
    let report = "ZConnected to 127.0.0.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: 250 ok\n"
    expect(try Remote(to: server).run(), "r^@\(report)^@", verdict: report)
    let dialogue = try #require(server.finish().first)
    #expect(dialogue.bodies.isEmpty)
    #expect(dialogue.fault == .closed(wanted: "the rest of the message"))
  }

  /// A refusal right behind the 354 counts, and saves the message.
  @Test func `a refusal with the 354`() throws {
    let server = try ScriptedServer(SMTPScript(replies: [.data: "354 go\r\n554 changed my mind\r\n"]))
    let report = "D127.0.0.1 failed after I sent the message.\nRemote host said: 554 changed my mind\n"
    expect(try Remote(to: server).run(), "r^@\(report)^@", verdict: report)
    #expect(server.finish().first?.bodies.isEmpty == true)
  }

  /// A server that refuses and closes while a long flight of commands is still going out.
  @Test func `421 and a closed connection at MAIL`() throws {
    let server = try ScriptedServer { peer in
      try peer.send("220 hi\r\n")
      try peer.expect("EHLO me.example.net")
      try peer.send("250-hi\r\n250 PIPELINING\r\n")
      _ = try peer.line()
      try peer.send("421 4.3.2 shutting down\r\n")
    }
    let report = "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 421 4.3.2 shutting down\n"
    expect(try Remote(to: server).run(), "\(report)^@", verdict: report)
    server.finish()
  }
}
