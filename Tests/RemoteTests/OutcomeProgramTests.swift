// Programs of an outcome in deliveries of the built program: chosen by what qmail-rspawn will conclude, run when the reports are out,
// with an exit status that is ours.
import Foundation
import Support
import Testing

/// A delivery with a program for each outcome, which notes what it is told.
private struct WatchedRemote {
  var hooked: HookedRemote

  static let names = ["ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE"]
  private static let note =
    #"printf '%s\0' "$WHICH" "$SMTPSTATUS" "$SMTPCODE" "${SMTPHOST-none}" "$SMTPTEXT" "$@" >>$ROOM/noted"#

  /// - Parameter commands: of the shell, after the note.
  init(_ commands: String = "", to server: ScriptedServer? = nil) throws {
    hooked = try HookedRemote([:], to: server)
    for name in WatchedRemote.names {
      let script = "#!/bin/bash\nWHICH=\(name)\n\(WatchedRemote.note)\n\(commands)\n"
      hooked.remote.environment[name] = try hooked.folder.install(name, script)
    }
    hooked.remote.environment["HOOKDIR"] = nil
  }

  /// Variable, letter, code, host, text, then the operands.
  func noted() throws -> [String] {
    try hooked.left("noted").split(separator: "\0", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}

@Suite struct OutcomeProgramTests {
  private static let accepted = "r^@K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n^@"

  struct Row: Sendable, CustomTestStringConvertible {
    let replies: [SMTPScript.Step: String]
    var death: SMTPScript.Death?
    /// What is noted: the variable's beginning, letter, code and text.
    let noted: [String]

    var testDescription: String { noted.joined(separator: " ") }

    init(_ replies: [SMTPScript.Step: String], death: SMTPScript.Death? = nil, _ noted: String...) {
      self.replies = replies
      self.death = death
      self.noted = noted
    }
  }

  static let rows = [
    Row([:], "ONSUCCESS_REMOTE", "K", "250", "250 ok 1"),
    Row([.message: "250-two\r\n250 lines\r\n"], "ONSUCCESS_REMOTE", "K", "250", "250-two\n250 lines"),
    Row([.mail: "530 auth required\r\n"], "ONFAILURE_REMOTE", "D", "530", "530 auth required"),
    Row([.mail: "451 later\r\n"], "ONTEMPORARY_REMOTE", "Z", "451", "451 later"),
    Row([.recipient(0): "550 no\r\n"], "ONFAILURE_REMOTE", "D", "550", "550 no"),
    // The message's report says D.
    Row([.recipient(0): "450 later\r\n"], "ONTEMPORARY_REMOTE", "Z", "450", "450 later"),
    Row([.data: "554 no\r\n"], "ONFAILURE_REMOTE", "D", "554", "554 no"),
    Row([.data: "451 later\r\n"], "ONTEMPORARY_REMOTE", "Z", "451", "451 later"),
    Row([.message: "554 no\r\n"], "ONFAILURE_REMOTE", "D", "554", "554 no"),
    Row([.message: "452 full\r\n"], "ONTEMPORARY_REMOTE", "Z", "452", "452 full"),
    Row([.greeting: "554 no\r\n"], "ONFAILURE_REMOTE", "D", "554", "554 no"),
    Row([.greeting: "421 later\r\n"], "ONTEMPORARY_REMOTE", "Z", "421", "421 later"),
    Row([.hello: "550 no\r\n", .helo: "550 no\r\n"], "ONFAILURE_REMOTE", "D", "550", "550 no"),
    Row(
      [:], death: .init(step: .message, position: .before, manner: .close), "ONTEMPORARY_REMOTE", "Z", "0",
      "Connected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)"),
    Row(
      [.greeting: "hello\r\n"], "ONTEMPORARY_REMOTE", "Z", "0",
      "Connected to 127.0.0.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: hello"),
  ]

  /// QMTP has no codes.
  @Test(
    "after a package",
    arguments: [("Kok", "ONSUCCESS_REMOTE", "K"), ("Zlater", "ONTEMPORARY_REMOTE", "Z"), ("Dno", "ONFAILURE_REMOTE", "D")])
  func package(_ answer: String, _ variable: String, _ letter: String) throws {
    let server = try QMTPServer(QMTPScript(answers: [answer]))
    let watched = try WatchedRemote("exit 3")
    var remote = watched.hooked.remote
    remote.control["qmtproutes"] = ":127.0.0.1;\(server.port)\n"
    let finished = try remote.run()
    server.finish()
    #expect(finished.ending == .exited(3))
    #expect(try watched.noted().prefix(5) == [variable, letter, "0", "127.0.0.1", String(answer.dropFirst())])
  }

  @Test("after a conversation", arguments: rows)
  func conversation(_ row: Row) throws {
    var script = SMTPScript(replies: row.replies)
    script.death = row.death
    let server = try ScriptedServer(script)
    let watched = try WatchedRemote(to: server)
    let finished = try watched.hooked.run()
    server.finish()
    #expect(finished.ending == .exited(0))
    let noted = try watched.noted()
    #expect(
      noted == Array(row.noted[..<3]) + ["127.0.0.1", row.noted[3], "example.com", "sender@example.net", "user@example.com"])
    let verdict = SpawnVerdict(output: finished.output, ending: finished.ending)
    #expect(String(verdict.letter) == row.noted[1])
  }

  @Test("without one")
  func failures() throws {
    let free = try ScriptedServer(SMTPScript())
    free.finish()
    let noConnection = "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)"
    var rows: [(edit: (inout Remote) -> Void, noted: [String])] = [
      ({ $0.operands = [] }, ["ONFAILURE_REMOTE", "D", "0", "none", "I (qmail-remote) was invoked improperly. (#5.3.5)"]),
      (
        { $0.environment["QMAILREMOTE_DIALECT"] = "x" },
        [
          "ONTEMPORARY_REMOTE", "Z", "0", "none",
          "Unable to use the variable QMAILREMOTE_DIALECT: no dialect is called x; there are stock, sqmail, indimail, skarnet. (#4.3.5)",
        ]
      ),
      (
        { $0.control = ["smtproutes": ":127.0.0.1:\(free.port)\n"] },
        [
          "ONTEMPORARY_REMOTE", "Z", "0", "none",
          "Unable to read control files. (#4.3.0)\ncontrol/me: there is none, and no control/helohost",
        ]
      ),
      (
        { $0.control["smtproutes"] = ":127.0.0.1:\(free.port)\n" },
        ["ONTEMPORARY_REMOTE", "Z", "0", "127.0.0.1", noConnection]
      ),
      (
        {
          $0.control["smtproutes"] = ":127.0.0.1:\(free.port)\n"
          $0.message = Array("no line end".utf8)
        },
        ["ONFAILURE_REMOTE", "D", "0", "none", "SMTP cannot transfer messages with partial final lines. (#5.6.2)"]
      ),
    ]
    rows.append(
      (
        { $0.sender = "a\nb@x" },
        ["ONFAILURE_REMOTE", "D", "0", "none", "Sorry, the envelope sender contains a line end or a null byte. (#5.1.7)"]
      ))
    for row in rows {
      var watched = try WatchedRemote()
      row.edit(&watched.hooked.remote)
      let finished = try watched.hooked.run()
      #expect(finished.ending == .exited(0))
      #expect(try Array(watched.noted().prefix(5)) == row.noted)
      #expect(
        try watched.noted().dropFirst(5)
          == (watched.hooked.remote.operands ?? ["example.com", watched.hooked.remote.sender, "user@example.com"])[...])
    }
  }

  @Test func `argv as it was given, in indimail's form too`() throws {
    let server = try ScriptedServer(SMTPScript())
    var watched = try WatchedRemote(to: server)
    let operands = ["Example.COM", "\"a b\"@x", "X-A: b\n", "99", "r@y"]
    watched.hooked.remote.operands = operands
    let finished = try watched.hooked.run()
    #expect(finished.ending == .exited(0))
    server.finish()
    #expect(try Array(watched.noted().dropFirst(5)) == operands)
  }

  // MARK: where the names come from

  @Test func `an edit of the site's own files`() throws {
    let server = try ScriptedServer(SMTPScript())
    let watched = try WatchedRemote(to: server)
    let path = try #require(watched.hooked.remote.environment["ONSUCCESS_REMOTE"])
    for (variable, name) in [(nil, "ONSUCCESS_REMOTE"), (":127.0.0.1:\(server.port)", "")] {
      var remote = watched.hooked.remote
      for name in WatchedRemote.names { remote.environment[name] = nil }
      let edits = " u p ONSUCCESS_REMOTE=\(path)"
      remote.control["smtproutes"] = ":127.0.0.1:\(server.port)\(edits)\n"
      remote.environment["SMTPROUTE"] = variable.map { $0 + edits }
      let finished = try remote.run()
      if variable == nil {
        expect(finished, OutcomeProgramTests.accepted, verdict: "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n")
        #expect(try watched.noted().first == name)
      } else {
        expect(finished, "ZUnable to use the variable SMTPROUTE: ONSUCCESS_REMOTE may not be edited. (#4.3.5)\n^@")
      }
    }
    #expect(server.finish().count == 1)
  }

  @Test func `an edit counts though the delivery ends before anybody is asked`() throws {
    var watched = try WatchedRemote()
    let path = try #require(watched.hooked.remote.environment["ONTEMPORARY_REMOTE"])
    try watched.hooked.folder.install(
      "hooks/environment", "#!/bin/sh\necho set=IPPREFER=6only\necho set=ONTEMPORARY_REMOTE=\(path)\n")
    watched.hooked.remote.environment["HOOKDIR"] = "\(watched.hooked.folder.path)/hooks"
    for name in WatchedRemote.names { watched.hooked.remote.environment[name] = nil }
    watched.hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    #expect(try watched.hooked.run().ending == .exited(0))
    #expect(try Array(watched.noted()[..<3]) == ["ONTEMPORARY_REMOTE", "Z", "0"])
  }

  @Test func `the plan names them`() throws {
    var watched = try WatchedRemote()
    watched.hooked.remote.control["smtproutes"] = ":127.0.0.1:1 u p ONFAILURE_REMOTE=/usr/bin/other\n"
    watched.hooked.remote.environment["ONTEMPORARY_REMOTE"] = ""
    let path = try #require(watched.hooked.remote.environment["ONSUCCESS_REMOTE"])
    let lines = try watched.hooked.explain().filter { $0.hasPrefix("afterwards") }
    #expect(
      lines == [
        "afterwards: \(path) (the variable ONSUCCESS_REMOTE)", "afterwards: /usr/bin/other (the variable ONFAILURE_REMOTE)",
      ])
  }

  // MARK: when, and what becomes of it

  @Test func `the reports are out before`() throws {
    let server = try ScriptedServer(SMTPScript())
    var watched = try WatchedRemote("while ! [ -e $ROOM/go ]; do sleep 0.01; done", to: server)
    let ends = try SpawnedProcess.pipe()
    watched.hooked.remote.output = .descriptor(ends.writing)
    let running = try watched.hooked.remote.start()
    close(ends.writing)
    let wire = Array(OutcomeProgramTests.accepted.replacingOccurrences(of: "^@", with: "\0").utf8)
    var output = [UInt8](repeating: 0, count: wire.count + 1)
    var count = 0
    while count < wire.count {
      let more = output.withUnsafeMutableBytes { read(ends.reading, $0.baseAddress?.advanced(by: count), $0.count - count) }
      try #require(more > 0)
      count += more
    }
    #expect(Array(output[..<count]) == wire)
    #expect(!running.process.isOver)
    try watched.hooked.folder.write("go", "")
    #expect(running.finish().ending == .exited(0))
    #expect(read(ends.reading, &output, 1) == 0)
    close(ends.reading)
    #expect(try watched.hooked.marker.survivors() == [])
    server.finish()
  }

  @Test(
    arguments: [
      ("exit 7", [:], 7), ("exit 7", ["OUTCOME_STATUS": "ignore"], 0), ("exit 111", [:], 111), ("kill -KILL $$", [:], 0),
      ("sleep 1000", ["OUTCOMETIMEOUT": "1"], 0), ("echo forged; echo forged >&2; exit 3", [:], 3),
    ] as [(String, [String: String], Int32)])
  func `its status is ours`(_ commands: String, _ environment: [String: String], _ status: Int32) throws {
    let server = try ScriptedServer(SMTPScript())
    var watched = try WatchedRemote(commands, to: server)
    watched.hooked.remote.environment.merge(environment) { $1 }
    watched.hooked.remote.errors = .sameAsOutput
    let finished = try watched.hooked.run()
    #expect(visible(finished.output) == visible(OutcomeProgramTests.accepted.replacingOccurrences(of: "^@", with: "\0").utf8))
    #expect(finished.ending == .exited(status))
    server.finish()
  }

  @Test func `the control file that ignores it`() throws {
    let server = try ScriptedServer(SMTPScript())
    var watched = try WatchedRemote("exit 7", to: server)
    watched.hooked.remote.control["outcomestatus"] = "ignore\n"
    #expect(try watched.hooked.run().ending == .exited(0))
    server.finish()
  }

  /// What has been accepted is accepted, whatever happens to the process then.
  @Test(arguments: [SIGSEGV, SIGILL, SIGABRT, SIGTERM, SIGHUP, SIGALRM])
  func `a signal while it runs`(_ signal: Int32) throws {
    let server = try ScriptedServer(SMTPScript())
    let watched = try WatchedRemote(
      "setsid sleep 1000 & echo >$ROOM/started; while ! [ -e $ROOM/go ]; do sleep 0.01; done; exit 0", to: server)
    let running = try watched.hooked.remote.start()
    try #require(eventually { FileManager.default.fileExists(atPath: "\(watched.hooked.folder.path)/started") })
    running.process.send(signal: signal)
    try watched.hooked.folder.write("go", "")
    expect(
      running.finish(), OutcomeProgramTests.accepted, verdict: "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n")
    #expect(try eventually { try watched.hooked.marker.survivors().isEmpty })
    server.finish()
  }

  /// Replies made for old shells, for those that put variables together into commands, and for readers of reports.
  @Test(arguments: [
    "250 () { :; }; touch pwned", "250 $(touch pwned)`touch pwned`;touch pwned|touch pwned&", "250 ok\0K127.0.0.1 accepted\n\0",
    "250 '\"; touch pwned #", "250-ok\r\n250-SMTPSTATUS=K\r\n250 x=() { :;}; touch pwned", "250 \u{1b}]0;x\u{7}\u{1b}[2J",
  ])
  func `words made to do harm`(_ reply: String) throws {
    let server = try ScriptedServer(SMTPScript(replies: [.message: "\(reply)\r\n"]))
    var watched = try WatchedRemote("cd $ROOM; env -0 >environment; eval true; bash -c true; sh -c true", to: server)
    watched.hooked.remote.host = "() { :; }; touch pwned"
    watched.hooked.remote.sender = "() { :; }; touch pwned; x@y"
    watched.hooked.remote.recipients = ["$(touch pwned)`touch pwned`@y"]
    let finished = try watched.hooked.run()
    #expect(finished.ending == .exited(0))
    let reports = try StrictReports(finished.output)
    #expect(reports.recipients == ["r"])
    #expect(reports.message.hasPrefix("K127.0.0.1 accepted message.\nRemote host said: 250"))
    server.finish()
    #expect(!FileManager.default.fileExists(atPath: "\(watched.hooked.folder.path)/pwned"))
    let names = try watched.hooked.left("environment").split(separator: "\0").map { $0.prefix { $0 != "=" } }
    #expect(names.filter { $0.hasPrefix("SMTP") }.sorted() == ["SMTPCODE", "SMTPHOST", "SMTPSTATUS", "SMTPTEXT"])
    let noted = try watched.noted()
    #expect(Array(noted[..<4]) == ["ONSUCCESS_REMOTE", "K", "250", "127.0.0.1"])
    #expect(!noted[4].hasPrefix("() {") && noted[4].utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 10 })
    #expect(noted[5...] == [watched.hooked.remote.host, watched.hooked.remote.sender, watched.hooked.remote.recipients[0]])
  }
}
