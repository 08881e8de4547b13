// The acceptance vectors of the stock reports, byte for byte, and those reports that need no mail server.
import Support
import Testing

@Suite struct AcceptanceTests {
  struct Vector: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var script = SMTPScript()
    var recipients = ["user@example.com"]
    let reports: String
    let verdict: String
  }

  static let vectors: [Vector] = [
    Vector(
      testDescription: "all fine",
      reports: "r^@K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n^@",
      verdict: "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"),
    Vector(
      testDescription: "recipient refused", script: SMTPScript(replies: [.recipient(0): "550 no\r\n"]),
      reports: "h127.0.0.1 does not like recipient.\nRemote host said: 550 no\n^@DGiving up on 127.0.0.1.\n^@",
      verdict: "D127.0.0.1 does not like recipient.\nRemote host said: 550 no\nGiving up on 127.0.0.1.\n"),
    Vector(
      testDescription: "recipient deferred, in two lines",
      script: SMTPScript(replies: [.recipient(0): "450-a\r\n450 b\r\n"]),
      reports: "s127.0.0.1 does not like recipient.\nRemote host said: 450-a\n450 b\n^@DGiving up on 127.0.0.1.\n^@",
      verdict: "Z127.0.0.1 does not like recipient.\nRemote host said: 450-a\n450 b\nGiving up on 127.0.0.1.\n"),
    Vector(
      testDescription: "sender deferred", script: SMTPScript(replies: [.mail: "451 x\r\n"]),
      reports: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 451 x\n^@",
      verdict: "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 451 x\n"),
    Vector(
      testDescription: "sender refused", script: SMTPScript(replies: [.mail: "550 x\r\n"]),
      reports: "DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 x\n^@",
      verdict: "DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 550 x\n"),
    Vector(
      testDescription: "DATA deferred", script: SMTPScript(replies: [.data: "451 later\r\n"]),
      reports: "r^@Z127.0.0.1 failed on DATA command.\nRemote host said: 451 later\n^@",
      verdict: "Z127.0.0.1 failed on DATA command.\nRemote host said: 451 later\n"),
    Vector(
      testDescription: "DATA refused", script: SMTPScript(replies: [.data: "554 never\r\n"]),
      reports: "r^@D127.0.0.1 failed on DATA command.\nRemote host said: 554 never\n^@",
      verdict: "D127.0.0.1 failed on DATA command.\nRemote host said: 554 never\n"),
    Vector(
      testDescription: "message refused", script: SMTPScript(replies: [.message: "554 spam\r\n"]),
      reports: "r^@D127.0.0.1 failed after I sent the message.\nRemote host said: 554 spam\n^@",
      verdict: "D127.0.0.1 failed after I sent the message.\nRemote host said: 554 spam\n"),
    Vector(
      testDescription: "message deferred", script: SMTPScript(replies: [.message: "451 full\r\n"]),
      reports: "r^@Z127.0.0.1 failed after I sent the message.\nRemote host said: 451 full\n^@",
      verdict: "Z127.0.0.1 failed after I sent the message.\nRemote host said: 451 full\n"),
    Vector(
      testDescription: "connection closed after the dot",
      script: SMTPScript(death: .init(step: .message, position: .before, manner: .close)),
      reports: "r^@ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n^@",
      verdict: "ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n"),
    Vector(
      testDescription: "greeting 4xx", script: SMTPScript(replies: [.greeting: "421 busy\r\n"]),
      reports: "ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 421 busy\n^@",
      verdict: "ZConnected to 127.0.0.1 but greeting failed.\nRemote host said: 421 busy\n"),
    Vector(
      testDescription: "greeting 5xx", script: SMTPScript(replies: [.greeting: "554 no service\r\n"]),
      reports: "DConnected to 127.0.0.1 but greeting failed.\nRemote host said: 554 no service\n^@",
      verdict: "DConnected to 127.0.0.1 but greeting failed.\nRemote host said: 554 no service\n"),
    Vector(
      testDescription: "EHLO 4xx", script: SMTPScript(replies: [.hello: "450 not now\r\n"]),
      reports: "ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 450 not now\n^@",
      verdict: "ZConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 450 not now\n"),
    Vector(
      testDescription: "EHLO and HELO 5xx",
      script: SMTPScript(replies: [.hello: "502 what\r\n", .helo: "550 who\r\n"]),
      reports: "DConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 550 who\n^@",
      verdict: "DConnected to 127.0.0.1 but my name was rejected.\nRemote host said: 550 who\n"),
    Vector(
      testDescription: "three recipients, the middle one refused",
      script: SMTPScript(replies: [.recipient(1): "550 no\r\n"]), recipients: ["a@x", "b@x", "c@x"],
      reports: """
        r^@h127.0.0.1 does not like recipient.
        Remote host said: 550 no
        ^@r^@K127.0.0.1 accepted message.
        Remote host said: 250 ok 1
        ^@
        """,
      verdict: "K"),
  ]

  @Test(arguments: vectors, [[], [SMTPScript.pipelining]])
  func report(_ vector: Vector, _ extensions: [String]) throws {
    var script = vector.script
    script.extensions = extensions
    let server = try ScriptedServer(script)
    var remote = Remote(to: server)
    remote.recipients = vector.recipients
    expect(try remote.run(), vector.reports, verdict: vector.verdict)
    for dialogue in server.finish() { #expect(dialogue.fault == nil) }
  }

  @Test(arguments: [[], ["example.com"], ["example.com", "sender@example.net"]])
  func `too few operands`(_ operands: [String]) throws {
    var remote = Remote()
    remote.operands = operands
    expect(try remote.run(), "DI (qmail-remote) was invoked improperly. (#5.3.5)\n^@")
  }

  static let refusedOperands: [([String], String)] = [
    (["a\nDATA", "s@x", "r@x"], "DSorry, the host contains a line end or a null byte. (#5.1.3)\n^@"),
    (["x", "s\n@x", "r@x"], "DSorry, the envelope sender contains a line end or a null byte. (#5.1.7)\n^@"),
    (["x", "s@x\r\nRCPT TO:<t@x>", "r@x"], "DSorry, the envelope sender contains a line end or a null byte. (#5.1.7)\n^@"),
    (["x", "s@x", "r@x", "r\r@x"], "DSorry, the recipient address contains a line end or a null byte. (#5.1.3)\n^@"),
    (
      ["x", "s@x", "r@" + String(repeating: "d", count: 256)],
      "DSorry, the recipient address has a domain of more than 255 bytes. (#5.1.3)\n^@"
    ),
    (
      ["x", "s@x", String(repeating: "r", count: 1_000) + "@x"],
      "DSorry, the recipient address is longer than a command line. (#5.1.3)\n^@"
    ),
  ]

  /// No address becomes a command of its own.
  @Test(arguments: refusedOperands)
  func `operands that no command can carry`(_ operands: [String], _ reports: String) throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.operands = operands
    expect(try remote.run(), reports)
    #expect(server.finish().isEmpty)
  }

  @Test(arguments: [
    ("me", nil, "ZUnable to read control files. (#4.3.0)\ncontrol/me: there is none, and no control/helohost\n^@"),
    (
      "smtproutes", ":[nonsense]\n",
      "ZUnable to use control/smtproutes:1: no IP address in the brackets. (#4.3.5)\n^@"
    ),
    ("me/not-a-file", "x", "ZUnable to read control files. (#4.3.0)\ncontrol/me: not a file\n^@"),
  ])
  func `control files end the delivery`(_ name: String, _ content: String?, _ reports: String) throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    if name.hasPrefix("me") { remote.control["me"] = nil }
    remote.control[name] = content
    expect(try remote.run(), reports)
    #expect(server.finish().isEmpty)
  }

  @Test func `nobody listens`() throws {
    let server = try ScriptedServer(SMTPScript())
    server.finish()
    expect(
      try Remote(to: server).run(), "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n^@")
  }

  @Test(arguments: [
    ("no.such", "DSorry, I couldn't find any host named no.such. (#5.1.2)\n^@"),
    ("fails.example", "ZSorry, I couldn't find any host by that name. (#4.1.2)\n^@"),
    ("address-fails.example", "ZSorry, I couldn't find any host by that name. (#4.1.2)\n^@"),
    ("empty.example", "DSorry, I couldn't find any host named empty.example. (#5.1.2)\n^@"),
    ("lost.example", "DSorry, I couldn't find any host named lost.example. (#5.1.2)\n^@"),
    ("dead-end.example", "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n^@"),
    ("null.example", "DSorry, null.example says by a null MX record that it takes no mail. (#5.1.10)\n^@"),
    (
      "here.example",
      """
      DSorry. Although I'm listed as a best-preference MX or A for that host,
      it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)
      ^@
      """
    ),
    ("odd\u{7f}.example", "DSorry, I couldn't find any host named odd?.example. (#5.1.2)\n^@"),
  ])
  func `DNS ends the delivery`(_ host: String, _ reports: String) throws {
    let names = try TestNameServer(
      zone: """
        fails.example MX SERVFAIL
        address-fails.example A SERVFAIL
        empty.example A NODATA
        lost.example CNAME elsewhere.example
        dead-end.example MX 10 no.such
        null.example MX 0 .
        here.example MX 10 localhost.example
        localhost.example A 127.0.0.1
        """)
    defer { names.finish() }
    var remote = Remote()
    remote.host = host
    remote.environment = ["QMAILREMOTE_RESOLVER": names.resolver]
    expect(try remote.run(), reports)
  }

  /// What a server says can't end a report or start another one.
  @Test func `control bytes in a reply are shown`() throws {
    let server = try ScriptedServer(SMTPScript(replies: [.recipient(0): "550 a\0K\u{1}b\tc\u{1b}[2J\r\n"]))
    expect(
      try Remote(to: server).run(),
      "h127.0.0.1 does not like recipient.\nRemote host said: 550 a?K?b\tc?[2J\n^@DGiving up on 127.0.0.1.\n^@",
      verdict: "D127.0.0.1 does not like recipient.\nRemote host said: 550 a?K?b\tc?[2J\nGiving up on 127.0.0.1.\n")
    server.finish()
  }

  @Test func `a report shows 5,000 bytes of a reply`() throws {
    let lines = (0..<100).map { "554-\($0) " + String(repeating: "x", count: 90) }
    let server = try ScriptedServer(SMTPScript(replies: [.message: lines.joined(separator: "\r\n") + "\r\n554 end\r\n"]))
    let shown = String((lines.joined(separator: "\n") + "\n").prefix(5_000))
    let report = "D127.0.0.1 failed after I sent the message.\nRemote host said: \(shown)\n"
    expect(try Remote(to: server).run(), "r^@\(report)^@", verdict: report)
    server.finish()
  }
}
