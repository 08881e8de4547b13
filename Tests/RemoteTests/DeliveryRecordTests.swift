// Records of deliveries of the built program: what they hold for each way in which a delivery ends, where they go, and what never stands
// in them.
import Foundation
import Support
import Testing

/// A delivery whose record is kept.
private struct RecordedRemote {
  var remote: Remote
  let folder: TemporaryFolder

  init(to server: ScriptedServer? = nil) throws {
    remote = server.map(Remote.init(to:)) ?? Remote()
    folder = try TemporaryFolder()
    remote.control["deliverylog"] = "\(folder.path)/log\n"
  }

  func record(at location: SourceLocation = #_sourceLocation) throws -> RecordObject {
    let finished = try remote.run()
    #expect(finished.ending == .exited(0), sourceLocation: location)
    let records = try Records.read(folder.read("log"), at: location)
    let record = try #require(records.last)
    #expect(records.count == 1, sourceLocation: location)
    let verdict = SpawnVerdict(output: finished.output, ending: finished.ending)
    #expect(record.text("letter") == String(verdict.letter), sourceLocation: location)
    let reports = try StrictReports(finished.output)
    let words = reports.message.dropFirst()
    #expect(record.text("report") == String(words.hasSuffix("\n") ? words.dropLast() : words), sourceLocation: location)
    return record
  }
}

@Suite struct DeliveryRecordTests {
  @Test(arguments: [[], ["PIPELINING"], ["PIPELINING", "CHUNKING"]])
  func `a message that is accepted`(_ extensions: [String]) throws {
    let server = try ScriptedServer(SMTPScript(extensions: extensions))
    let record = try RecordedRemote(to: server).record()
    server.finish()
    #expect(record.text("result") == "success" && record.number("code") == 250 && record.text("text") == "250 ok 1")
    #expect(record.text("dialect") == "stock" && record.text("host") == "example.com")
    #expect(record.text("sender") == "sender@example.net" && record.text("outgoing_sender") == "sender@example.net")
    #expect(record.text("route.text") == "127.0.0.1:\(server.port)" && record.text("route.source") == "control/smtproutes:1")
    #expect(record.text("route.transport") == "SMTP" && record.value("authentication") == nil)
    let recipients = try record.objects("recipients")
    #expect(recipients.map { $0.text("address") } == ["user@example.com"])
    #expect(recipients.first?.text("result") == "accepted" && recipients.first?.number("code") == 250)
    let candidates = try record.objects("candidates")
    #expect(candidates.map { $0.text("result") } == ["used"])
    #expect(candidates.first?.text("policy.level") == "may")
    #expect(candidates.first?.text("address") == "127.0.0.1" && candidates.first?.number("port") == Int(server.port))
    #expect(record.number("bytes") == (extensions.contains("CHUNKING") ? 24 : 27))
    #expect(record.number("round_trips") == (extensions.isEmpty ? 7 : extensions.contains("CHUNKING") ? 4 : 5))
    for phase in ["total", "plan", "connect", "greeting", "hello", "envelope", "message"] {
      #expect(record.value("times.\(phase)") is NSNumber, "\(phase)")
    }
  }

  @Test func `recipients one by one`() throws {
    let script = SMTPScript(
      extensions: ["PIPELINING"], replies: [.recipient(1): "550-no\r\n550 never\r\n", .recipient(2): "450 later\r\n"])
    let server = try ScriptedServer(script)
    var recorded = try RecordedRemote(to: server)
    recorded.remote.recipients = ["a@x", "b@x", "c@x"]
    let record = try recorded.record()
    server.finish()
    let recipients = try record.objects("recipients")
    #expect(recipients.map { $0.text("result") } == ["accepted", "refused", "deferred"])
    #expect(recipients.map { $0.text("letter") } == ["r", "h", "s"])
    #expect(recipients.map { $0.number("code") } == [250, 550, 450])
    #expect(recipients.map { $0.text("text") } == ["250 recipient ok", "550-no\n550 never", "450 later"])
    #expect(record.number("code") == 450)
  }

  @Test func `candidates and why they were left`() throws {
    var recorded = try RecordedRemote()
    recorded.remote.host = "farthest.example"
    recorded.remote.control["ipprefer"] = ":4only\n"
    let zone = """
      farthest.example MX 10 a.example
      farthest.example MX 20 b.example
      farthest.example MX 30 c.example
      farthest.example MX 40 d.example
      a.example A 192.0.2.11
      a.example AAAA 2001:db8::11
      b.example A 192.0.2.12
      c.example A 192.0.2.13
      d.example A 192.0.2.14
      """
    let outcome = try TwoNetworks().deliver(
      zone: zone, servers: ["192.0.2.12": SMTPScript(replies: [.greeting: "421 busy\r\n"]), "192.0.2.13": SMTPScript()],
      recorded.remote)
    #expect(SpawnVerdict(output: outcome.finished.output, ending: outcome.finished.ending).letter == "K")
    let record = try #require(Records.read(recorded.folder.read("log")).first)
    let candidates = try record.objects("candidates")
    #expect(
      candidates.map { "\($0.text("name") ?? "") \($0.text("address") ?? "") \($0.text("result") ?? "")" } == [
        "a.example 192.0.2.11 left", "b.example 192.0.2.12 left", "c.example 192.0.2.13 used", "d.example 192.0.2.14 not tried",
        "a.example 2001:db8::11 left out",
      ])
    let failures = try candidates.map { try $0.objects("failures") }
    #expect(failures.map(\.count) == [1, 1, 0, 0, 0])
    #expect(failures[0].first?.text("stage") == "connect" && failures[0].first?.text("text") == "Connection refused")
    #expect(failures[1].first?.text("stage") == "greeting" && failures[1].first?.number("code") == 421)
    #expect(failures[1].first?.text("text") == "421 busy")
    #expect(candidates[4].text("reason") == "control/ipprefer:1 says 4only")
    #expect(record.value("route") == nil)
  }

  @Test func `deliveries that come to no server`() throws {
    let cases: [(edit: (inout Remote) -> Void, host: String?, recipients: [String], code: String)] = [
      ({ $0.operands = ["one"] }, nil, [], "5.3.5"), ({ $0.environment["QMAILREMOTE_DIALECT"] = "x" }, nil, [], "4.3.5"),
      (
        {
          $0.control["smtproutes"] = ":127.0.0.1:1\n"
          $0.control["me"] = nil
        }, "example.com", ["user@example.com"], "4.3.0"
      ),
      (
        {
          $0.control["smtproutes"] = ":127.0.0.1:1\n"
          $0.message = Array("no line end".utf8)
        }, "example.com", ["user@example.com"], "5.6.2"
      ), ({ $0.control["smtproutes"] = ":127.0.0.1:1\n" }, "example.com", ["user@example.com"], "4.4.1"),
    ]
    for (edit, host, recipients, code) in cases {
      var recorded = try RecordedRemote()
      edit(&recorded.remote)
      let record = try recorded.record()
      #expect(record.text("host") == host)
      #expect(try record.objects("recipients").map { $0.text("address") } == recipients)
      #expect(record.text("text")?.contains("(#\(code))") == true && record.number("code") == nil)
      #expect(record.number("bytes") == nil)
    }
  }

  @Test func `addresses and words that are not UTF-8`() throws {
    let server = try ScriptedServer { peer in
      try peer.send("220 x\r\n")
      while let line = try peer.lineOrEnd() {
        if line.hasPrefix("MAIL") { try peer.send(Array("550 ".utf8) + [0xfc, 0x22, 0x5c, 0x1b, 0] + Array("\r\n".utf8)) }
        if line.hasPrefix("EHLO") { try peer.send("250 x\r\n") }
        if line.hasPrefix("QUIT") { return }
      }
    }
    var recorded = try RecordedRemote(to: server)
    // An operand with a byte that is no text: the shell writes it.
    recorded.remote.wrapper = ["/bin/sh", "-c", #"program=$1; shift; exec "$program" "$1" "$(printf 's\374@x')" "$3""#, "sh"]
    let record = try recorded.record()
    server.finish()
    #expect(record.text("sender") == "s\u{fffd}@x" && record.text("sender_hex") == "73fc4078")
    #expect(record.text("text") == "550 \u{fffd}\"\\??" && record.text("text_hex") == "35353020fc225c3f3f")
    #expect(record.text("result") == "failure" && record.number("code") == 550)
  }

  /// The manual names every member, and no other.
  @Test func `the manual has the same members`() throws {
    var start = ProgramStart("/usr/bin/python3", [TestScripts.path("record.py"), "--names"])
    start.input = .file("/dev/null")
    let names = Set(
      String(decoding: try SpawnedProcess(start).finish().output, as: UTF8.self).split(separator: "\n").map(String.init))
    #expect(names.count > 25)
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").path
    let page = try String(contentsOfFile: "\(root)/contrib/man/qmail-remote-record.5", encoding: .utf8)
    let start5 = try #require(page.range(of: ".Ss Members of a record"))
    let end5 = try #require(page.range(of: ".Ss Events"))
    let items = page[start5.upperBound..<end5.lowerBound].split(separator: "\n").filter { $0.hasPrefix(".It Li ") }
    let words = items.flatMap { $0.dropFirst(7).split(separator: " ") }.map(String.init)
    let values = ["used", "left", "passed", "over", "not", "tried", "out", "No", "*", ",", "Li"]
    #expect(Set(words.filter { !values.contains($0) }) == names)
  }

  // MARK: secrets

  @Test func `no password, wherever it stands`() throws {
    let secret = "hunter2"
    let routes: [(inout Remote, UInt16) -> Void] = [
      { $0.control["smtproutes"] = ":127.0.0.1:\($1) user \(secret)\n" },
      { $0.control["smtproutes"] = ":127.0.0.1:\($1)|user|\(secret)\n" },
      { $0.environment["SMTPROUTE"] = ":127.0.0.1:\($1) user \(secret)" },
      { $0.environment["X-SMTPROUTES"] = ":127.0.0.1:\($1) user \(secret) A=b" },
    ]
    for edit in routes {
      let server = try ScriptedServer(SMTPScript())
      var hooked = try HookedRemote(
        ["trace": "cat >$ROOM/trace; env >>$ROOM/trace", "record": "cat >$ROOM/record; env >>$ROOM/record"], to: server)
      hooked.remote.control["deliverylog"] = "\(hooked.folder.path)/log\n"
      edit(&hooked.remote, server.port)
      _ = try hooked.run()
      server.finish()
      for name in ["trace", "record", "log"] {
        let text = try hooked.left(name)
        #expect(!text.isEmpty && !text.contains(secret), "\(name)")
      }
    }
  }

  // MARK: where they go

  @Test func `the program record gets what the file gets`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(["record": "cat >$ROOM/record; echo forged; echo forged >&2; exit 100"], to: server)
    hooked.remote.control["deliverylog"] = "\(hooked.folder.path)/log\n"
    expect(
      try hooked.run(), "r^@K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n^@",
      verdict: "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n")
    server.finish()
    #expect(try hooked.left("record") == hooked.left("log"))
    #expect(try Records.read(hooked.folder.read("record")).count == 1)
    #expect(
      try hooked.explain().suffix(2) == [
        "record: \(hooked.folder.path)/log (control/deliverylog)", "record: hooks/record",
      ])
    // The explanation delivers nothing, and records nothing.
    #expect(try Records.read(hooked.folder.read("log")).count == 1)
  }

  @Test(arguments: [true, false])
  func `an outcome program gets it if it is wanted`(_ isWanted: Bool) throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote([:], to: server)
    hooked.remote.environment["ONSUCCESS_REMOTE"] = try hooked.folder.install("done", "#!/bin/sh\ncat >$ROOM/record\n")
    if isWanted { hooked.remote.environment["HOOKRECORD"] = "" }
    #expect(try hooked.run().ending == .exited(0))
    server.finish()
    #expect(try Records.read(hooked.folder.read("record")).count == (isWanted ? 1 : 0))
  }

  @Test func `many deliveries, one file, whole lines`() throws {
    let server = try ScriptedServer(SMTPScript())
    var recorded = try RecordedRemote(to: server)
    recorded.remote.recipients = (0..<200).map { "recipient-number-\($0)@example.com" }
    let remote = recorded.remote
    let endings = inParallel(Array(0..<40), width: 8) { _ in (try? remote.run())?.ending }
    server.finish()
    #expect(endings == Array(repeating: .exited(0), count: 40))
    let records = try Records.read(recorded.folder.read("log"))
    #expect(records.count == 40)
    #expect(Set(records.map { $0.number("pid") }).count == 40)
    var status = stat()
    #expect(stat("\(recorded.folder.path)/log", &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func `a file below the control directory`() throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    let folder = try TemporaryFolder()
    try folder.write("me", "me.example.net\n")
    try folder.write("smtproutes", ":127.0.0.1:\(server.port)\n")
    try folder.write("deliverylog", "log\n")
    remote.environment["CONTROLDIR"] = folder.path
    #expect(try remote.run().ending == .exited(0))
    server.finish()
    #expect(try Records.read(folder.read("log")).count == 1)
  }
}
