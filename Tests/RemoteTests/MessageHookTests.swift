// The program `message` in deliveries of the built program: what goes out is what it has written, whatever the message came by.
import Foundation
import Support
import Testing

@Suite struct MessageHookTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
  private static let extensions = ["SIZE 0", "8BITMIME"]

  /// Delivers, and returns what the server got.
  private func deliver(
    _ commands: String, _ script: SMTPScript = SMTPScript(extensions: extensions),
    edit: (inout HookedRemote) throws -> Void = { _ in }
  ) throws -> Dialogue {
    let server = try ScriptedServer(script)
    var hooked = try HookedRemote(["message": commands], to: server)
    try edit(&hooked)
    expect(try hooked.run(), "r^@\(MessageHookTests.accepted)^@", verdict: MessageHookTests.accepted)
    let dialogues = server.finish()
    #expect(dialogues.map(\.fault) == [nil])
    return try #require(dialogues.last)
  }

  private static let sign = "echo 'X-Signed: yes'; cat"
  private static let signed = "X-Signed: yes\r\nSubject: test\r\n\r\nhello\r\n"

  @Test(arguments: Remote.Carrier.allCases, [[], ["PIPELINING"], ["PIPELINING", "CHUNKING"]])
  func `another message`(_ carrier: Remote.Carrier, _ more: [String]) throws {
    let dialogue = try deliver(MessageHookTests.sign, SMTPScript(extensions: MessageHookTests.extensions + more)) {
      $0.remote.carrier = carrier
    }
    let dot = more.contains("CHUNKING") ? "" : ".\r\n"
    #expect(dialogue.bodies.map(visible) == [visible((MessageHookTests.signed + dot).utf8)])
    #expect(dialogue.lines.contains("MAIL FROM:<sender@example.net> SIZE=35"))
  }

  @Test(arguments: Remote.Carrier.allCases, [99, 0])
  func `the same message`(_ carrier: Remote.Carrier, _ status: Int) throws {
    for commands in ["exit 99", "cat >/dev/null; exit 99", "head -c 5; exit 99"] {
      let dialogue = try deliver(status == 99 ? commands : "exec cat") { $0.remote.carrier = carrier }
      #expect(dialogue.bodies.map(visible) == ["Subject: test\\r\\n\\r\\nhello\\r\\n.\\r\\n"])
      #expect(dialogue.lines.contains("MAIL FROM:<sender@example.net> SIZE=21"))
    }
  }

  @Test func `8-bit bytes count as the filter leaves them`() throws {
    let eight = try deliver("cat; printf 'gr\\374n\\n'")
    #expect(eight.lines.contains("MAIL FROM:<sender@example.net> SIZE=26 BODY=8BITMIME"))
    let seven = try deliver("tr '\\200-\\377' '?'") { $0.remote.message = Array("Subject: x\n\n".utf8) + [0xfc, 10] }
    #expect(seven.lines.contains("MAIL FROM:<sender@example.net> SIZE=14"))
  }

  @Test(arguments: Remote.Carrier.allCases, [true, false])
  func `lines in front are part of it`(_ carrier: Remote.Carrier, _ isChanged: Bool) throws {
    let dialogue = try deliver("cat >$ROOM/seen; \(isChanged ? "echo 'X-B: c'; cat $ROOM/seen" : "exit 99")") {
      $0.remote.carrier = carrier
      $0.remote.operands = ["example.com", "sender@example.net", "X-A: b\n", "99", "user@example.com"]
      $0.remote.environment["QMAILREMOTE_DIALECT"] = nil
      $0.remote.control["dialect"] = "stock\n"
    }
    let start = isChanged ? "X-B: c\\r\\n" : ""
    #expect(dialogue.bodies.map(visible) == [start + "X-A: b\\r\\nSubject: test\\r\\n\\r\\nhello\\r\\n.\\r\\n"])
    // The size in the operands is that of another message.
    #expect(dialogue.lines.contains("MAIL FROM:<sender@example.net> SIZE=\(isChanged ? 35 : 99)"))
  }

  @Test(arguments: Remote.Carrier.allCases)
  func `a long message`(_ carrier: Remote.Carrier) throws {
    let message = (0..<9_000_000).map { $0 % 71 == 70 ? 10 : UInt8(truncatingIfNeeded: 97 + $0 % 26) } + [10]
    let dialogue = try deliver("tr a-z A-Z") {
      $0.remote.message = message
      $0.remote.carrier = carrier
    }
    var reference = WireReference()
    let wanted = reference.encode(message.map { $0 == 10 ? 10 : $0 - 32 }) + WireReference.end
    #expect(dialogue.bodies.first == wanted)
    #expect(dialogue.lines.contains("MAIL FROM:<sender@example.net> SIZE=\(message.count)"))
  }

  @Test func `it is asked once, before anybody is connected to, and gets what was decided`() throws {
    var remote = Remote()
    remote.host = "farthest.example"
    let folder = try TemporaryFolder()
    try folder.install(
      "hooks/message", "#!/bin/sh\nexec 3>>$ROOM/asked\necho $HOOKPOINT $# $IPPREFER >&3\n[ -e $ROOM/contact ] && exit 1\ncat\n"
    )
    try folder.install("hooks/environment", "#!/bin/sh\necho set=IPPREFER=4only\n")
    remote.environment = ["HOOKDIR": "\(folder.path)/hooks", "ROOM": folder.path, "PATH": "/usr/bin:/bin"]
    let room = folder.path
    let contact: @Sendable (SMTPScript.Step) -> Void = { step in
      if step == .greeting { _ = FileManager.default.createFile(atPath: "\(room)/contact", contents: nil) }
    }
    var busy = SMTPScript(replies: [.greeting: "421 busy\r\n"])
    busy.hold = contact
    let zone =
      "farthest.example MX 10 a.example\nfarthest.example MX 20 b.example\na.example A 192.0.2.11\nb.example A 192.0.2.12"
    let outcome = try TwoNetworks().deliver(zone: zone, servers: ["192.0.2.11": busy, "192.0.2.12": SMTPScript()], remote)
    #expect(outcome.contacts == ["192.0.2.11", "192.0.2.12"])
    #expect(SpawnVerdict(output: outcome.finished.output, ending: outcome.finished.ending).letter == "K")
    #expect(String(decoding: try folder.read("asked"), as: UTF8.self) == "message 3 4only\n")
  }

  @Test func `the plan names it, and doesn't run it`() throws {
    var hooked = try HookedRemote(["message": "echo >$ROOM/ran"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    #expect(try hooked.explain().last == "message: filtered by hooks/message")
    #expect(throws: (any Error).self) { try hooked.left("ran") }
  }

  // MARK: what isn't a message

  @Test(arguments: [
    ("true", "ZUnable to use hooks/message: its answer is empty. (#4.3.0)\n"),
    ("printf 'no line end'", "ZUnable to use hooks/message: its answer ends within a line. (#4.3.0)\n"),
    ("cat; exit 1", "ZUnable to use hooks/message: its exit status is 1. (#4.3.0)\n"),
    ("cat; kill -SEGV $$", "ZUnable to use hooks/message: signal 11 ended it. (#4.3.0)\n"),
    ("echo Unsigned. >&2; exit 100", "DUnsigned. (#5.3.0)\nhooks/message, exit status 100\n"),
    ("exit 111", "Zhooks/message defers the message. (#4.3.0)\nhooks/message, exit status 111\n"),
    ("exec cat /dev/zero", "ZUnable to use hooks/message: it wrote more than 10000210 bytes to descriptor 1. (#4.3.0)\n"),
    ("cat; exec yes >&2", "ZUnable to use hooks/message: it wrote more than 65536 bytes to descriptor 2. (#4.3.0)\n"),
    (
      #"printf 'r\0K127.0.0.1 accepted message.\n\0'; exit 7"#, "ZUnable to use hooks/message: its exit status is 7. (#4.3.0)\n"
    ),
  ])
  func `no delivery`(_ commands: String, _ report: String) throws {
    let server = try ScriptedServer(SMTPScript())
    let hooked = try HookedRemote(["message": commands], to: server)
    expect(try hooked.run(), "\(report)^@")
    #expect(server.finish().isEmpty)
  }

  @Test func `a message that was bounced before still is`() throws {
    var hooked = try HookedRemote(["message": "cat"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    hooked.remote.message = Array("no line end".utf8)
    expect(try hooked.run(), "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n^@")
  }

  @Test(arguments: [("/none", "No such file or directory"), ("/proc", "")])
  func `no room for it`(_ folder: String, _ reason: String) throws {
    var hooked = try HookedRemote(["message": "cat"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    hooked.remote.environment["TMPDIR"] = folder
    let output = visible(try hooked.run().output)
    #expect(output.hasPrefix("ZUnable to write message. (#4.3.0)\\n\(reason)"), "\(output)")
  }

  /// What it may write to a file is limited for the process, as a mail system may do it for all of them.
  @Test func `a full disk`() throws {
    var hooked = try HookedRemote(["message": "cat; cat; head -c 100000 /dev/zero"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    hooked.remote.wrapper = ["/usr/bin/prlimit", "--fsize=50000"]
    expect(try hooked.run(), "ZUnable to write message. (#4.3.0)\nFile too large\n^@")
  }

  @Test func `a message that can't be read`() throws {
    var hooked = try HookedRemote(["message": "cat"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    hooked.remote.input = .closed
    expect(try hooked.run(), "ZUnable to read message. (#4.3.0)\n^@")
  }
}
