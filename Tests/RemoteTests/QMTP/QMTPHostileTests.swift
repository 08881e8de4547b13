// The strict server's hostile twin: whatever it sends, closes or keeps back, an acceptance is reported as one, nothing is refused for good
// but by a proper answer, and "Possible duplicate!" is said exactly when the package had gone out whole.
import Foundation
import Support
import Testing

@Suite struct QMTPHostileTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var script: QMTPScript
    let reports: String
    var verdict: String?
    var recipients = 1
    /// Larger than what sockets keep, for what has to happen before all of it is sent.
    var isLarge = false
    var timeout = "60"

    init(
      _ what: String, _ script: QMTPScript, _ reports: String, verdict: String? = nil, recipients: Int = 1,
      isLarge: Bool = false,
      timeout: String = "60"
    ) {
      testDescription = what
      self.script = script
      self.reports = reports
      self.verdict = verdict
      self.recipients = recipients
      self.isLarge = isLarge
      self.timeout = timeout
    }

    /// Sends these bytes instead of answers.
    init(_ what: String, says text: String, then death: QMTPScript.Manner? = .close, _ reports: String, verdict: String? = nil)
    {
      self.init(what, QMTPScript(raw: Array(text.utf8), death: death), reports, verdict: verdict)
    }
  }

  private static let improper = "Zrecipient 127.0.0.1 did not talk proper QMTP (#4.3.0)\n^@"
  private static let improperDuplicate = "Zrecipient 127.0.0.1 did not talk proper QMTP. Possible duplicate! (#4.3.0)\n^@"
  private static let died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n^@"
  private static let duplicate = "ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n^@"
  private static let accepted = "rqmtp:okay\n^@KAll received okay by 127.0.0.1\n^@"
  private static let acceptedVerdict = "Kqmtp:okay\nAll received okay by 127.0.0.1\n"

  /// What isn't a proper answer.
  static let improperRows: [Row] =
    [
      ("an SMTP greeting", "220 mx.example ESMTP\r\n"), ("an HTTP error", "HTTP/1.1 400 Bad Request\r\n\r\n"),
      ("an empty answer", "0:,"), ("a length with a 0 in front", "05:Kokay,"), ("zeros only", "00:,"), ("no length", ":Kokay,"),
      ("a length that is a word", "five:Kokay,"), ("a blank in front", " 5:Kokay,"), ("a line feed in front", "\n5:Kokay,"),
      ("a negative length", "-5:Kokay,"), ("a positive length", "+5:Kokay,"), ("a hexadecimal length", "0x5:Kokay,"),
      ("a length with a point", "5.0:Kokay,"), ("a blank behind the length", "5 :Kokay,"),
      ("another sign than a colon", "5;Kokay,"),
      ("a length above every limit", "200000001:Kokay,"), ("a length that no number holds", "99999999999999999999:Kokay,"),
      ("digits without end", String(repeating: "1", count: 1 << 10)), ("a semicolon at the end", "5:Kokay;"),
      ("a line end instead of the comma", "5:Kokay\r\n"), ("a length that is too short", "4:Kokay,"),
      ("an unknown letter", "5:Xokay,"), ("a small letter", "5:kokay,"), ("an SMTP code as the answer", "6:250 ok,"),
      ("a null byte", "\0"), ("a null byte as the letter", "1:\0,"), ("a blank as the letter", "3: ok,"),
      ("nested netstrings", "8:5:Kokay,,"), ("a byte of TLS", "\u{16}\u{3}\u{1}"), ("UTF-8", "\u{ff15}:Kokay,"),
    ].map { Row($0.0, says: $0.1, improperDuplicate) }

  /// The connection ends, or nothing comes any more.
  static let lostRows: [Row] = [
    Row("closes", says: "", duplicate), Row("resets", says: "", then: .reset, duplicate),
    Row("is silent", QMTPScript(raw: [], death: .stall), duplicate, timeout: "1"),
    Row("closes behind the length", says: "5", duplicate), Row("closes behind the colon", says: "5:", duplicate),
    Row("closes behind the letter", says: "5:K", duplicate), Row("closes before the comma", says: "5:Kokay", duplicate),
    Row("resets before the comma", says: "5:Kokay", then: .reset, duplicate),
    Row("is silent before the comma", QMTPScript(raw: Array("5:Kokay".utf8), death: .stall), duplicate, timeout: "1"),
    Row("announces more than comes", says: "199999999:Kokay,", duplicate),
    Row("announces a little more than comes", says: "6:Kokay,", duplicate),
    Row(
      "is silent for the second recipient", QMTPScript(raw: Array("3:Kok,".utf8), death: .stall),
      "rqmtp:ok\n^@s\(duplicate.dropFirst())K127.0.0.1 accepted message.\n^@", verdict: "Kqmtp:ok\n", recipients: 2,
      timeout: "1"),
    Row(
      "closes after the first of three", QMTPScript(raw: Array("3:Kok,".utf8), death: .close),
      "rqmtp:ok\n^@s\(duplicate.dropFirst())s\(duplicate.dropFirst())K127.0.0.1 accepted message.\n^@", verdict: "Kqmtp:ok\n",
      recipients: 3),
    Row(
      "closes after a refusal", QMTPScript(raw: Array("3:Dno,".utf8), death: .close), "hqmtp:no\n^@\(duplicate)",
      verdict: "Dqmtp:no\n", recipients: 2),
    Row(
      "is improper after a success", QMTPScript(raw: Array("3:Kok,03:Kok,".utf8), death: .close),
      "rqmtp:ok\n^@s\(improperDuplicate.dropFirst())K127.0.0.1 accepted message.\n^@", verdict: "Kqmtp:ok\n", recipients: 2),
    Row(
      "is improper after a refusal", QMTPScript(raw: Array("3:Zno,3:Xok,".utf8), death: .close),
      "sqmtp:no\n^@\(improperDuplicate)", verdict: "Zqmtp:no\n\(improperDuplicate.dropFirst().dropLast(2))", recipients: 2),
  ]

  /// Before the last byte.
  static let earlyRows: [Row] = [
    Row("closes at the first byte", QMTPScript(earlyDeath: (1, .close)), died, isLarge: true),
    Row("resets at the first byte", QMTPScript(earlyDeath: (1, .reset)), died, isLarge: true),
    Row("closes in the middle", QMTPScript(earlyDeath: (1 << 20, .close)), died, isLarge: true),
    Row("resets in the middle", QMTPScript(earlyDeath: (1 << 20, .reset)), died, isLarge: true),
    Row("takes no more in the middle", QMTPScript(earlyDeath: (1 << 16, .stall)), died, isLarge: true, timeout: "1"),
    Row("accepts half a message", QMTPScript(earlyAnswer: (1 << 16, "3:Kok,")), improper, isLarge: true),
    Row("refuses half a message", QMTPScript(earlyAnswer: (1 << 16, "3:Dno,")), improper, isLarge: true),
    Row("complains about half a message", QMTPScript(earlyAnswer: (1, "500 what?\r\n")), improper, isLarge: true),
  ]

  /// Odd, and proper.
  static let properRows: [Row] = [
    Row("closes at once behind the answer", says: "5:Kokay,", accepted, verdict: acceptedVerdict),
    Row("resets behind the answer", QMTPScript(raw: Array("5:Kokay,".utf8), death: .reset), accepted, verdict: acceptedVerdict),
    Row("keeps the connection", says: "5:Kokay,", then: nil, accepted, verdict: acceptedVerdict),
    Row("answers more than it was asked", says: "5:Kokay,3:Dno,", accepted, verdict: acceptedVerdict),
    Row("adds rubbish", says: "5:Kokay,\r\nrubbish", accepted, verdict: acceptedVerdict),
    Row(
      "has no words", says: "1:K,", "rqmtp:\n^@KAll received okay by 127.0.0.1\n^@",
      verdict: "Kqmtp:\nAll received okay by 127.0.0.1\n"),
    Row(
      "has null bytes in its words", says: "4:Ka\0b,", "rqmtp:a?b\n^@KAll received okay by 127.0.0.1\n^@",
      verdict: "Kqmtp:a?b\nAll received okay by 127.0.0.1\n"),
    Row(
      "says a megabyte", QMTPScript(answers: ["D" + String(repeating: "x", count: 1 << 20)]),
      "hqmtp:\(String(repeating: "x", count: 5_000))\n^@DGiving up on 127.0.0.1\n^@",
      verdict: "Dqmtp:\(String(repeating: "x", count: 5_000))\nGiving up on 127.0.0.1\n"),
    Row(
      "forges a report", says: "11:Dno\0Kfine\n\0,", "hqmtp:no?Kfine\n?\n^@DGiving up on 127.0.0.1\n^@",
      verdict: "Dqmtp:no?Kfine\n?\nGiving up on 127.0.0.1\n"),
  ]

  @Test(arguments: improperRows + lostRows + properRows)
  func `after the package`(_ row: Row) throws { try check(row) }

  @Test(arguments: earlyRows)
  func `before its end`(_ row: Row) throws { try check(row) }

  private func check(_ row: Row) throws {
    let server = try QMTPServer(row.script)
    var remote = Remote(to: server)
    remote.recipients = (0..<row.recipients).map { "user\($0)@example.com" }
    remote.control["timeoutremote"] = "\(row.timeout)\n"
    if row.isLarge { remote.message = [UInt8](repeating: 10, count: 16 << 20) }
    expect(try remote.run(), row.reports, verdict: row.verdict)
    // Whatever it did, nobody asked it a second time.
    #expect(server.finish().map(\.fault) == [nil])
    #expect(server.packages.count == (row.isLarge ? 0 : 1))
  }

  /// One byte after the other, each in a segment of its own.
  @Test func `an answer in drops`() throws {
    let server = try ScriptedServer { peer in
      try QMTPScript(raw: []).serve(peer) { _ in }
      for byte in "4:Kone,4:Dtwo,".utf8 {
        try peer.send([byte])
        peer.pause(milliseconds: 1)
      }
    }
    var remote = Remote()
    remote.control["qmtproutes"] = ":127.0.0.1:\(server.port)\n"
    remote.recipients = ["a@example.com", "b@example.com"]
    expect(
      try remote.run(), "rqmtp:one\n^@hqmtp:two\n^@K127.0.0.1 accepted message.\n^@", verdict: "Kqmtp:one\n")
    server.finish()
  }

  /// From the last byte on, a request to end must not lose the answer; a crash is reported as what it is.
  @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGALRM])
  func `a signal after the package doesn't lose the answer`(_ signal: Int32) throws {
    let finished = try strike { process in
      process.send(signal: signal)
      let bit = UInt64(1) << UInt64(signal - 1)
      try #require(eventually { process.signals("ShdPnd") & bit != 0 || process.signals("SigPnd") & bit != 0 })
    }
    expect(
      finished, "rqmtp:ok 0\n^@KAll received okay by 127.0.0.1\n^@", verdict: "Kqmtp:ok 0\nAll received okay by 127.0.0.1\n")
  }

  @Test(arguments: [SIGSEGV, SIGABRT, SIGILL])
  func `a crash after the package is a possible duplicate`(_ signal: Int32) throws {
    let finished = try strike { process in
      process.send(signal: signal)
      try #require(eventually { process.isOver })
    }
    expect(finished, Self.duplicate)
  }

  private func strike(_ strike: @escaping @Sendable (SpawnedProcess) throws -> Void) throws -> FinishedProcess {
    let arrived = Promise<Void>()
    let struck = Promise<Void>()
    let server = try QMTPServer(
      QMTPScript(hold: {
        arrived.keep(())
        _ = struck.wait(seconds: 30)
      }))
    let running = try Remote(to: server).start()
    defer { struck.keep(()) }
    try #require(arrived.wait(seconds: 30) != nil)
    try strike(running.process)
    struck.keep(())
    let finished = running.finish()
    server.finish()
    return finished
  }
}
