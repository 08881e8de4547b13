// Servers that talk nonsense: what isn't a reply is never a refusal for good and never an acceptance.
import Support
import Testing

@Suite struct NonsenseTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  // MARK: replies that aren't any

  struct Nonsense: Sendable, CustomTestStringConvertible {
    let reply: String
    /// What the report shows of it.
    let shown: String

    var testDescription: String { "\(reply.prefix(20).debugDescription), \(reply.utf8.count) bytes" }
  }

  static let nonsense: [Nonsense] = [
    Nonsense(reply: "hello there\r\n", shown: "hello there\n"),
    Nonsense(reply: "\r\n", shown: "\n"),
    Nonsense(reply: "25\r\n", shown: "25\n"),
    Nonsense(reply: "2x0 ok\r\n", shown: "2x0 ok\n"),
    Nonsense(reply: " 250 ok\r\n", shown: " 250 ok\n"),
    Nonsense(reply: "250+ok\r\n", shown: "250+ok\n"),
    Nonsense(reply: "2500 ok\r\n", shown: "2500 ok\n"),
    Nonsense(reply: "099 ok\r\n", shown: "099 ok\n"),
    Nonsense(reply: "199 ok\r\n", shown: "199 ok\n"),
    Nonsense(reply: "600 ok\r\n", shown: "600 ok\n"),
    Nonsense(reply: "999 ok\r\n", shown: "999 ok\n"),
    Nonsense(reply: "250-yes\r\n550 no\r\n", shown: "550 no\n"),
    Nonsense(reply: "550-no\r\n250 yes\r\n", shown: "250 yes\n"),
    Nonsense(reply: "550-no\r\n450 perhaps\r\n", shown: "450 perhaps\n"),
    Nonsense(reply: "550-no\r\nand this\r\n", shown: "and this\n"),
    Nonsense(reply: "550 " + String(repeating: "x", count: 1 << 20) + "\r\n", shown: "a line without end\n"),
    Nonsense(reply: String(repeating: "550-no\r\n", count: 100_000) + "550 no\r\n", shown: "a reply without end\n"),
    Nonsense(
      reply: String(repeating: "250-yes " + String(repeating: "x", count: 400) + "\r\n", count: 500),
      shown: "a reply without end\n"),
  ]

  static let steps: [SMTPScript.Step] = [.greeting, .hello, .mail, .recipient(0), .data, .message]

  @Test(arguments: nonsense, [[], ["PIPELINING"], ["PIPELINING", "CHUNKING"]])
  func `nonsense is a deferral`(_ nonsense: Nonsense, _ extensions: [String]) throws {
    for step in NonsenseTests.steps where !(step == .data && extensions.contains("CHUNKING")) {
      let server = try ScriptedServer(SMTPScript(extensions: extensions, replies: [step: nonsense.reply]))
      let finished = try Remote(to: server).run()
      let isAnswered = step == .data || step == .message
      // With a chunk in the first flight, any reply may come after a delivery.
      let isSent = step == .message || (extensions.contains("CHUNKING") && step != .greeting && step != .hello)
      let report = """
        ZConnected to 127.0.0.1 but its reply was not SMTP.\(isSent ? " Possible duplicate!" : "") (#4.5.0)
        Remote host said: \(nonsense.shown)
        """
      expect(finished, "\(isAnswered ? "r^@" : "")\(report)^@", verdict: report, "\(step)")
      #expect(server.finish().count == 1)
    }
  }

  /// Replies that look odd and are good.
  @Test(arguments: [
    "250\r\n", "250 \r\n", "250 ok\n", "250-a\r\n250 b\r\n", "250-a\r\n251 b\r\n", "250-\r\n250\r\n", "299 \u{e9}\r\n",
  ])
  func `odd replies that are good`(_ reply: String) throws {
    for step in [SMTPScript.Step.hello, .mail, .recipient(0)] {
      let server = try ScriptedServer(SMTPScript(extensions: ["PIPELINING"], replies: [step: reply]))
      expect(try Remote(to: server).run(), "r^@\(NonsenseTests.accepted)^@", verdict: NonsenseTests.accepted, "\(step)")
      server.finish()
    }
  }

  // MARK: replies in the wrong place

  struct Misplaced: Sendable, CustomTestStringConvertible {
    let step: SMTPScript.Step
    let reply: String
    let reports: String
    let verdict: String
    var testDescription: String { "\(step): \(reply.debugDescription)" }
  }

  static let misplaced: [Misplaced] = [
    Misplaced(
      step: .greeting, reply: "250 ok\r\n",
      reports: "ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 250 ok\n^@",
      verdict: "ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 250 ok\n"),
    Misplaced(
      step: .hello, reply: "334 what\r\n",
      reports: "ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 334 what\n^@",
      verdict: "ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 334 what\n"),
    Misplaced(
      step: .mail, reply: "354 go\r\n",
      reports: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 354 go\n^@",
      verdict: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 354 go\n"),
    Misplaced(
      step: .recipient(0), reply: "354 go\r\n",
      reports: "s127.0.0.1 does not like recipient.\nRemote host said: 354 go\n^@DGiving up on 127.0.0.1.\n^@",
      verdict: "Z127.0.0.1 does not like recipient.\nRemote host said: 354 go\nGiving up on 127.0.0.1.\n"),
    Misplaced(
      step: .data, reply: "250 ok\r\n",
      reports: "r^@Z127.0.0.1 failed on DATA command.\nRemote host said: 250 ok\n^@",
      verdict: "Z127.0.0.1 failed on DATA command.\nRemote host said: 250 ok\n"),
    Misplaced(
      step: .message, reply: "354 more\r\n",
      reports: "r^@Z127.0.0.1 failed after I sent the message.\nRemote host said: 354 more\n^@",
      verdict: "Z127.0.0.1 failed after I sent the message.\nRemote host said: 354 more\n"),
  ]

  @Test(arguments: misplaced, [[], ["PIPELINING"]])
  func `a reply in the wrong place is a deferral`(_ row: Misplaced, _ extensions: [String]) throws {
    let server = try ScriptedServer(SMTPScript(extensions: extensions, replies: [row.step: row.reply]))
    expect(try Remote(to: server).run(), row.reports, verdict: row.verdict)
    server.finish()
  }

  /// Too many replies: what answers the next command was meant for another.
  @Test func `a reply too many is no 354`() throws {
    let server = try ScriptedServer(SMTPScript(extensions: ["PIPELINING"], replies: [.mail: "250 ok\r\n250 ok\r\n"]))
    expect(
      try Remote(to: server).run(), "r^@Z127.0.0.1 failed on DATA command.\nRemote host said: 250 recipient ok\n^@",
      verdict: "Z127.0.0.1 failed on DATA command.\nRemote host said: 250 recipient ok\n")
    server.finish()
  }
}
