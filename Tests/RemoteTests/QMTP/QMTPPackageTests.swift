// Deliveries to a strict QMTP server: the package byte for byte and in one flight, the reports of every dialect, and what is different
// about a protocol that counts.
import Foundation
import Support
import Testing

@Suite struct QMTPPackageTests {
  private static let report = "KAll received okay by 127.0.0.1\n"

  /// The bytes of `text`.
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  static let messages = [
    "", "hi\n", "hi", "\n", ".\n", "a\r\n.\r\nb\r\n", "a\r.\nX\n", "nul \0 high \u{e9}\n", ",3:s@x,6:3:u@y,,",
    String(repeating: "x", count: 70_000), String(repeating: "line\n", count: 40_000),
  ]

  @Test(arguments: messages, Remote.Carrier.allCases)
  func `a message arrives as it is, from a file and from a pipe`(_ message: String, _ carrier: Remote.Carrier) throws {
    let server = try QMTPServer()
    var remote = Remote(to: server)
    remote.message = Self.bytes(message)
    remote.carrier = carrier
    expect(try remote.run(), "rqmtp:ok 0\n^@\(Self.report)^@", verdict: "Kqmtp:ok 0\nAll received okay by 127.0.0.1\n")
    #expect(server.finish().map(\.fault) == [nil])
    let wanted = QMTPPackage(
      message: Self.bytes(message), sender: Self.bytes("sender@example.net"), recipients: [Self.bytes("user@example.com")])
    #expect(server.packages == [wanted])
  }

  /// Two round trips: nothing is waited for but the connection and the answers.
  @Test func `the whole package is the first segment`() throws {
    let server = try QMTPServer()
    var remote = Remote(to: server)
    remote.recipients = (0..<50).map { "user\($0)@example.com" }
    remote.message = [UInt8](repeating: 10, count: 60_000)
    let finished = try remote.run()
    #expect(finished.output.split(separator: 0).count == 51)
    let dialogue = try #require(server.finish().first)
    #expect(dialogue.fault == nil)
    #expect(dialogue.segments.count == 1)
  }

  struct Dialected: Sendable, CustomTestStringConvertible {
    let dialect: String
    let answers: [String]
    let reports: String
    let verdict: String
    var testDescription: String { "\(dialect): \(answers)" }

    init(_ dialect: String, _ answers: [String], _ reports: String, _ verdict: String) {
      self.dialect = dialect
      self.answers = answers
      self.reports = reports
      self.verdict = verdict
    }
  }

  static let dialected: [Dialected] =
    ["stock", "sqmail", "skarnet"].flatMap { dialect in
      [
        Dialected(
          dialect, ["Kok"], "rqmtp:ok\n^@KAll received okay by 127.0.0.1\n^@", "Kqmtp:ok\nAll received okay by 127.0.0.1\n"),
        Dialected(dialect, ["Zlater"], "sqmtp:later\n^@DGiving up on 127.0.0.1\n^@", "Zqmtp:later\nGiving up on 127.0.0.1\n"),
        Dialected(dialect, ["Dno"], "hqmtp:no\n^@DGiving up on 127.0.0.1\n^@", "Dqmtp:no\nGiving up on 127.0.0.1\n"),
        Dialected(dialect, ["Kok", "Dno"], "rqmtp:ok\n^@hqmtp:no\n^@K127.0.0.1 accepted message.\n^@", "Kqmtp:ok\n"),
        Dialected(dialect, ["Dno", "Kok"], "hqmtp:no\n^@rqmtp:ok\n^@K127.0.0.1 accepted message.\n^@", "Dqmtp:no\n"),
      ]
    } + [
      Dialected(
        "indimail", ["Kok"], "rRemote host said: ok\n^@K127.0.0.1 accepted message - Protocol QMTP\n^@",
        "KRemote host said: ok\n127.0.0.1 accepted message - Protocol QMTP\n"),
      Dialected(
        "indimail", ["Kok 1", "Ztry later"],
        "rRemote host said: ok 1\n^@sRemote host said: try later\n^@K127.0.0.1 accepted message - Protocol QMTP\n^@",
        "KRemote host said: ok 1\n"),
      Dialected(
        "indimail", ["Dno"], "hRemote host said: no\n^@DGiving up on 127.0.0.1 - Protocol QMTP\n^@",
        "DRemote host said: no\nGiving up on 127.0.0.1 - Protocol QMTP\n"),
    ]

  @Test(arguments: dialected)
  func `answers in the words of each dialect`(_ row: Dialected) throws {
    let server = try QMTPServer(QMTPScript(answers: row.answers))
    var remote = Remote(to: server)
    remote.environment["QMAILREMOTE_DIALECT"] = row.dialect
    let recipients = row.answers.indices.map { "user\($0)@example.com" }
    remote.operands =
      ["example.com", "s@example.net"] + (row.dialect == "indimail" ? ["X-Queued: 1\n", "99"] : []) + recipients
    expect(try remote.run(), row.reports, verdict: row.verdict)
    #expect(server.finish().map(\.fault) == [nil])
    let header = row.dialect == "indimail" ? "X-Queued: 1\n" : ""
    #expect(server.packages.map { visible($0.message) } == [visible(Self.bytes("\(header)Subject: test\n\nhello\n"))])
  }

  @Test func `addresses go without quotes, and a bounce has none`() throws {
    let server = try QMTPServer()
    var remote = Remote(to: server)
    remote.sender = ""
    remote.recipients = ["a b@example.com", "\"q\\\"@example.com", ".dot.@example.com", "local"]
    #expect(try remote.run().ending == .exited(0))
    #expect(server.finish().map(\.fault) == [nil])
    #expect(server.packages.map(\.sender) == [[]])
    #expect(
      server.packages.flatMap(\.recipients).map(visible) == [
        "a b@example.com", "\"q\\\"@example.com", ".dot.@example.com", "local",
      ])
  }

  @Test func `a thousand recipients, each with its answer`() throws {
    let answers = (0..<1_000).map { number in ["Kok", "Zlater", "Dno"][number % 3] + " \(number)" }
    let server = try QMTPServer(QMTPScript(answers: answers))
    var remote = Remote(to: server)
    remote.recipients = (0..<1_000).map { "user\($0)@example.com" }
    let finished = try remote.run()
    #expect(server.finish().map(\.fault) == [nil])
    let reports = finished.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    let letters = ["K": "r", "Z": "s", "D": "h"]
    #expect(reports.dropLast() == answers.map { "\(letters[String($0.prefix(1))] ?? "")qmtp:\($0.dropFirst())\n" }[...])
    #expect(reports.last == "K127.0.0.1 accepted message.\n")
  }

  @Test func `an IPv6 relay`() throws {
    let server = try QMTPServer(address: "::1")
    expect(
      try Remote(to: server, address: "::1").run(), "rqmtp:ok 0\n^@KAll received okay by ::1\n^@",
      verdict: "Kqmtp:ok 0\nAll received okay by ::1\n")
    server.finish()
  }

  @Test func `nobody listens`() throws {
    let server = try QMTPServer()
    server.finish()
    expect(try Remote(to: server).run(), "ZSorry, I wasn't able to establish an QMTP connection. (#4.4.1)\n^@")
  }

  // MARK: the temporary file

  @Test func `a long pipe needs a folder, and is deferred without`() throws {
    let server = try QMTPServer()
    var remote = Remote(to: server)
    remote.message = [UInt8](repeating: 10, count: 100_000)
    remote.carrier = .pipe
    remote.environment["TMPDIR"] = "/nowhere"
    expect(
      try remote.run(),
      "ZUnable to measure a message from a pipe, as QMTP demands. (#4.3.0)\nNo such file or directory\n^@")
    // Neither a file nor a short pipe needs it.
    remote.carrier = .file
    #expect(try remote.run().output.starts(with: Self.bytes("rqmtp:ok")))
    remote.carrier = .pipe
    remote.message = Self.bytes("short\n")
    #expect(try remote.run().output.starts(with: Self.bytes("rqmtp:ok")))
    #expect(server.finish().map(\.fault) == [nil, nil])
  }

  /// The limit of file sizes stands for a full disk: no signal ends the delivery, and nothing is sent.
  @Test func `where there is no room, the message is deferred and nothing sent`() throws {
    let server = try QMTPServer()
    let folder = try TemporaryFolder()
    var remote = Remote(to: server)
    remote.message = [UInt8](repeating: 10, count: 1_000_000)
    remote.carrier = .pipe
    remote.environment["TMPDIR"] = folder.path
    remote.wrapper = ["/bin/sh", "-c", "ulimit -f 256; exec \"$@\"", "sh"]
    expect(
      try remote.run(),
      "ZUnable to measure a message from a pipe, as QMTP demands. (#4.3.0)\nFile too large\n^@")
    #expect(server.finish().isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  // MARK: a message that can't be read

  @Test(arguments: ["stock", "sqmail", "indimail", "skarnet"])
  func `a message that can't be read ends with 1 in s/qmail's dialect, as documented there`(_ dialect: String) throws {
    let server = try QMTPServer()
    var remote = Remote(to: server)
    remote.environment["QMAILREMOTE_DIALECT"] = dialect
    remote.operands = ["example.com", "s@example.net"] + (dialect == "indimail" ? ["", "9"] : []) + ["user@example.com"]
    remote.input = .file("/tmp")
    let finished = try remote.run()
    #expect(visible(finished.output) == "ZUnable to read message. (#4.3.0)\\n^@")
    #expect(finished.ending == .exited(dialect == "sqmail" ? 1 : 0))
    remote.environment["OUTCOME_STATUS"] = "ignore"
    #expect(try remote.run().ending == .exited(0))
    // By SMTP it is 0.
    remote.environment["OUTCOME_STATUS"] = nil
    remote.control = ["me": "me.example.net\n", "smtproutes": ":127.0.0.1:1\n"]
    #expect(try remote.run().ending == .exited(0))
    #expect(server.finish().isEmpty)
  }
}
