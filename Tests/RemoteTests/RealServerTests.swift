// Deliveries to servers that somebody else wrote: smtp-sink, a Postfix with all its daemons, and aiosmtpd. What they keep of a message
// is compared with the message.
import Foundation
import Support
import Testing

@Suite struct RealServerTests {
  /// A message, and what a server that keeps line ends as LF has to have of it.
  struct Sample: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    var kept: String { message.replacingOccurrences(of: "\r\n", with: "\n").replacingOccurrences(of: "\r", with: "\n") }
  }

  static let samples: [Sample] = [
    Sample(testDescription: "plain", message: "Subject: x\n\nhello\n"),
    Sample(testDescription: "dots", message: "Subject: x\n\n.\n..\n.a\n.\n\n.\n"),
    Sample(testDescription: "all line ends", message: "Subject: x\r\n\r\na\r.\r\nb\r\n.\r\nc\n\r\n\r.\n"),
    Sample(testDescription: "8 bit", message: "Subject: x\n\n\u{e4}\u{f6}\u{fc}\n"),
    Sample(testDescription: "commands", message: "Subject: x\n\n.\r\nQUIT\r\n\r.\rMAIL FROM:<x@y>\r\n"),
    Sample(
      testDescription: "500 kB",
      message: "Subject: x\n\n" + String(repeating: ".dot and \u{e9}\n\nsixty bytes of text\n", count: 15_000)),
  ]

  /// The reply to a message has a number that nobody knows before.
  private func expectAccepted(
    _ finished: FinishedProcess, recipients: String = "r^@", said pattern: String,
    at location: SourceLocation = #_sourceLocation
  ) {
    let wire = visible(finished.output)
    let said = wire.range(of: pattern, options: .regularExpression).map { String(wire[$0]) } ?? "(\(pattern))"
    let report = "K127.0.0.1 accepted message.\nRemote host said: \(said)\n"
    let verdict = recipients == "r^@" ? report : nil
    expect(finished, "\(recipients)\(report)^@", verdict: verdict ?? "K", at: location)
  }

  // MARK: smtp-sink

  /// -p, -8: without PIPELINING, without 8BITMIME; -e: a server that only knows HELO.
  @Test(arguments: [[], ["-p"], ["-8"], ["-e"]])
  func `smtp-sink`(_ options: [String]) throws {
    let folder = try TemporaryFolder(mode: 0o777)
    let sink = try RealServer(
      "/usr/sbin/smtp-sink", options + ["-u", "nobody", "-d", "\(folder.path)/", "127.0.0.1:\(RealServer.port)", "10"],
      package: "postfix")
    var remote = Remote(to: RealServer.port)
    remote.recipients = ["a b@example.com", "c@example.com"]
    for sample in RealServerTests.samples {
      remote.message = Array(sample.message.utf8)
      expectAccepted(try sink.run(remote), recipients: "r^@r^@", said: "250 2.0.0 Ok")
      // One file for each message, of which the name is not known.
      let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
      let dump = String(decoding: try folder.read(name), as: UTF8.self)
      try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
      let isOld = options == ["-e"]
      let isDeclared = !isOld && options != ["-8"] && sample.message.utf8.contains { $0 > 127 }
      #expect(dump.contains("X-Client-Proto: \(isOld ? "SMTP" : "ESMTP")\n"))
      #expect(dump.contains("X-Mail-Args: <sender@example.net>\(isDeclared ? " BODY=8BITMIME" : "")\n"))
      #expect(dump.contains("X-Rcpt-Args: <\"a b\"@example.com>\nX-Rcpt-Args: <c@example.com>\n"))
      // After its own header, which ends with a date in brackets, the sink keeps the message and adds an empty line.
      let kept = dump.range(of: "(UTC)\n").map { String(dump[$0.upperBound...]) }
      #expect(kept == sample.kept + "\n", "\(sample.testDescription)")
    }
    try sink.stop()
  }

  @Test(arguments: [
    (
      ["-r", "RCPT"],
      "s127.0.0.1 does not like recipient.\nRemote host said: 450 4.3.0 Error: command failed\n^@DGiving up on 127.0.0.1.\n^@",
      "Z"
    ),
    (["-f", "DATA"], "r^@D127.0.0.1 failed on DATA command.\nRemote host said: 500 5.3.0 Error: command failed\n^@", "D"),
    (["-q", "DATA"], "r^@ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n^@", "Z"),
    (["-q", "."], "r^@ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n^@", "Z"),
    (
      ["-f", "."], "r^@D127.0.0.1 failed after I sent the message.\nRemote host said: 500 5.3.0 Error: command failed\n^@", "D"
    ),
    (
      ["-Q", "MAIL"],
      "ZConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 421 4.0.0 Server closing connection\n^@", "Z"
    ),
    (["-q", "CONNECT"], "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n^@", "Z"),
  ])
  func `smtp-sink refuses`(_ options: [String], _ reports: String, _ letter: Character) throws {
    let sink = try RealServer(
      "/usr/sbin/smtp-sink", options + ["-u", "nobody", "127.0.0.1:\(RealServer.port)", "10"], package: "postfix")
    let parts = reports.components(separatedBy: "^@").dropLast()
    let verdict = "\(letter)" + parts.map { String($0.dropFirst()) }.joined()
    expect(try sink.run(Remote(to: RealServer.port)), reports, verdict: verdict)
    try sink.stop()
  }

  // MARK: Postfix

  @Test(arguments: Postfix.ports.keys.sorted())
  func `Postfix keeps every message`(_ port: UInt16) throws {
    let postfix = try Postfix(users: ["user"])
    var remote = Remote(to: port)
    for sample in RealServerTests.samples {
      for carrier in Remote.Carrier.allCases {
        remote.message = Array(sample.message.utf8)
        remote.carrier = carrier
        expectAccepted(try postfix.server.run(remote), said: "250 2\\.0\\.0 Ok: (\\d+ bytes )?queued as [0-9A-Za-z]+")
        let mail = try #require(try postfix.messages(of: "user", count: 1).first)
        checkKept(sample, String(decoding: mail, as: UTF8.self))
      }
    }
    try postfix.server.stop()
  }

  private func checkKept(_ sample: Sample, _ mail: String) {
    #expect(mail.hasPrefix("Return-Path: <sender@example.net>\n"))
    // Postfix puts its own header lines in front, the last of them with the time.
    let received = mail.range(of: "\n\tfor <user@example.com>;[^\n]*\n", options: .regularExpression)
    let kept = received.map { String(mail[$0.upperBound...]) }
    #expect(kept == sample.kept, "\(sample.testDescription)")
  }

  @Test(arguments: Postfix.ports.keys.sorted())
  func `Postfix takes some of the recipients`(_ port: UInt16) throws {
    let postfix = try Postfix(users: ["first", "third"])
    var remote = Remote(to: port)
    remote.recipients = ["first@example.com", "second@example.com", "third@example.com", "fourth@elsewhere.example"]
    let finished = try postfix.server.run(remote)
    let unknown = """
      h127.0.0.1 does not like recipient.
      Remote host said: 550 5.1.1 <second@example.com>: Recipient address rejected: User unknown in virtual mailbox table
      ^@
      """
    let elsewhere = """
      h127.0.0.1 does not like recipient.
      Remote host said: 554 5.7.1 <fourth@elsewhere.example>: Relay access denied
      ^@
      """
    expectAccepted(
      finished, recipients: "r^@\(unknown)r^@\(elsewhere)", said: "250 2\\.0\\.0 Ok: (\\d+ bytes )?queued as [0-9A-Za-z]+")
    #expect(try postfix.messages(of: "first", count: 1).count == 1)
    #expect(try postfix.messages(of: "third", count: 1).count == 1)
    try postfix.server.stop()
  }

  @Test(arguments: Postfix.ports.keys.sorted())
  func `Postfix takes none of the recipients`(_ port: UInt16) throws {
    let postfix = try Postfix(users: ["first"])
    var remote = Remote(to: port)
    remote.recipients = ["second@example.com"]
    let text = """
      127.0.0.1 does not like recipient.
      Remote host said: 550 5.1.1 <second@example.com>: Recipient address rejected: User unknown in virtual mailbox table

      """
    expect(
      try postfix.server.run(remote), "h\(text)^@DGiving up on 127.0.0.1.\n^@", verdict: "D\(text)Giving up on 127.0.0.1.\n")
    try postfix.server.stop()
  }

  // MARK: aiosmtpd

  /// A server without PIPELINING, which reads the message line by line and has its own idea of dots.
  @Test func aiosmtpd() throws {
    let folder = try TemporaryFolder()
    let script = try folder.write(
      "server.py",
      """
      import asyncio, sys
      from aiosmtpd.smtp import SMTP

      class Handler:
          async def handle_RCPT(self, server, session, envelope, address, options):
              if address.startswith("no"):
                  return "550 5.1.1 nobody"
              envelope.rcpt_tos.append(address)
              return "250 OK"

          async def handle_DATA(self, server, session, envelope):
              with open(sys.argv[1], "wb") as file:
                  file.write(envelope.content)
              return "250 kept %d bytes" % len(envelope.content)

      async def main():
          loop = asyncio.get_running_loop()
          server = await loop.create_server(lambda: SMTP(Handler(), hostname="aio.example"), "127.0.0.1", int(sys.argv[2]))
          await server.serve_forever()

      asyncio.run(main())
      """)
    let server = try RealServer(
      "/usr/bin/python3", [script, "\(folder.path)/kept", "\(RealServer.port)"], package: "python3-aiosmtpd")
    var remote = Remote(to: RealServer.port)
    remote.recipients = ["user@example.com", "nobody@example.com"]
    for sample in RealServerTests.samples {
      remote.message = Array(sample.message.utf8)
      let wire = sample.kept.replacingOccurrences(of: "\n", with: "\r\n")
      expectAccepted(
        try server.run(remote),
        recipients: "r^@h127.0.0.1 does not like recipient.\nRemote host said: 550 5.1.1 nobody\n^@",
        said: "250 kept \(wire.utf8.count) bytes")
      #expect(String(decoding: try folder.read("kept"), as: UTF8.self) == wire, "\(sample.testDescription)")
    }
    try server.stop()
  }
}
