// Programs of a site in deliveries of the built program: what they decide shows on the wire and in the explanation, and nothing that
// they write gets into the reports.
import Foundation
import Support
import Testing

/// A delivery with programs in it.
struct HookedRemote {
  var remote: Remote
  let folder: TemporaryFolder
  let marker = ProcessMarker()

  /// - Parameter programs: commands of the shell, by point.
  init(_ programs: [String: String], to server: ScriptedServer? = nil) throws {
    remote = server.map(Remote.init(to:)) ?? Remote()
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: "\(folder.path)/hooks", withIntermediateDirectories: false)
    for (point, commands) in programs { try folder.install("hooks/\(point)", "#!/bin/sh\n\(commands)\n") }
    remote.environment = [
      "HOOKDIR": "\(folder.path)/hooks", "ROOM": folder.path, "PATH": "/usr/bin:/bin", ProcessMarker.name: marker.value,
    ]
  }

  /// Delivers, and looks for what is left.
  func run(at location: SourceLocation = #_sourceLocation) throws -> FinishedProcess {
    let finished = try remote.run()
    #expect(try marker.survivors() == [], sourceLocation: location)
    return finished
  }

  /// The lines of qmail-remote-explain.
  func explain() throws -> [String] {
    let control = try TemporaryFolder()
    for (name, content) in remote.control { try control.write(name, content) }
    var start = ProgramStart(
      try Binary.path("qmail-remote-explain"), [remote.host, remote.sender] + remote.recipients)
    start.environment = ["CONTROLDIR": control.path].merging(remote.environment) { $1 }
    start.input = .file("/dev/null")
    let finished = try SpawnedProcess(start).finish()
    return String(decoding: finished.output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What a program has written to a file beside its folder.
  func left(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }
}

@Suite struct HookTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  private func expectAccepted(_ finished: FinishedProcess, at location: SourceLocation = #_sourceLocation) {
    expect(finished, "r^@\(HookTests.accepted)^@", verdict: HookTests.accepted, at: location)
  }

  // MARK: what they decide

  @Test func `a route, before every other`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(["route": "echo route=127.0.0.1:\(server.port)"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    expectAccepted(try hooked.run())
    #expect(server.finish().map(\.fault) == [nil])
    #expect(try hooked.explain().contains("route: 127.0.0.1, port \(server.port) (hooks/route)"))
  }

  @Test(arguments: ["", "exit 0"])
  func `without an opinion the search goes on`(_ commands: String) throws {
    let server = try ScriptedServer(SMTPScript())
    let hooked = try HookedRemote(["route": commands, "environment": commands, "sender": commands], to: server)
    expectAccepted(try hooked.run())
    let lines = server.finish().flatMap(\.lines)
    #expect(lines.contains("MAIL FROM:<sender@example.net>"))
    #expect(try hooked.explain().contains("route: 127.0.0.1, port \(server.port) (control/smtproutes:1)"))
  }

  @Test func `settings of a delivery`() throws {
    let server = try ScriptedServer(SMTPScript())
    let four = try HookedRemote(["environment": "echo set=IPPREFER=4only"], to: server)
    expectAccepted(try four.run())
    #expect(try four.explain().contains("family: 4only (the variable IPPREFER)"))
    server.finish()

    var six = try HookedRemote(["environment": "echo unset=IPPREFER; echo set=IPPREFER=6only"], to: server)
    six.remote.environment["IPPREFER"] = "4only"
    let report = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nthe variable IPPREFER says 6only\n"
    expect(try six.run(), "\(report)^@")
    #expect(try six.explain().joined(separator: "\n") == "report: \(report.dropLast())")
    #expect(server.dialogues.count == 1)
  }

  @Test func `a sender`() throws {
    let server = try ScriptedServer(SMTPScript())
    let hooked = try HookedRemote(["sender": "sed -n 's/^outgoing=/sender=signed-/p'"], to: server)
    expectAccepted(try hooked.run())
    #expect(server.finish().flatMap(\.lines).contains("MAIL FROM:<signed-sender@example.net>"))
    #expect(try hooked.explain().contains("sender: <signed-sender@example.net>"))
  }

  @Test func `no sender`() throws {
    let server = try ScriptedServer(SMTPScript())
    let hooked = try HookedRemote(["sender": "echo sender="], to: server)
    expectAccepted(try hooked.run())
    #expect(server.finish().flatMap(\.lines).contains("MAIL FROM:<>"))
    #expect(try hooked.explain().contains("sender: <>"))
  }

  // MARK: what they get

  @Test(arguments: Remote.Carrier.allCases)
  func `each gets its question and what was decided before, but no secret and no message`(_ carrier: Remote.Carrier) throws {
    let server = try ScriptedServer(SMTPScript())
    let dump = "cat >$ROOM/$HOOKPOINT.question; env >$ROOM/$HOOKPOINT.environment"
    var hooked = try HookedRemote([
      "route": "\(dump); echo 'route=127.0.0.1:\(server.port):5:6 user secret STEP=route'",
      "environment": "\(dump); echo set=STEP=environment; echo set=HOOKTIMEOUT=9", "sender": dump,
    ])
    hooked.remote.environment["SMTPROUTE"] = ":relay.example user secret"
    hooked.remote.recipients = ["a@example.com", "b@example.com"]
    hooked.remote.carrier = carrier
    expect(try hooked.run(), "r^@r^@\(HookTests.accepted)^@", verdict: "K")
    #expect(server.finish().flatMap(\.bodies).map(visible) == ["Subject: test\\r\\n\\r\\nhello\\r\\n.\\r\\n"])

    let common = "host=example.com\nsender=sender@example.net\nrecipient=a@example.com\nrecipient=b@example.com\n"
    let route = "route=127.0.0.1:\(server.port):5:6\n"
    #expect(try hooked.left("route.question") == common)
    #expect(try hooked.left("environment.question") == common + route)
    #expect(try hooked.left("sender.question") == common + route + "outgoing=sender@example.net\n")
    for (point, step) in [("route", ""), ("environment", "STEP=route"), ("sender", "STEP=environment")] {
      let environment = try hooked.left("\(point).environment").split(separator: "\n").map(String.init)
      #expect(environment.contains("HOOKPOINT=\(point)") && environment.contains("SMTPROUTE=:relay.example"))
      #expect(environment.filter { $0.hasPrefix("STEP=") } == (step.isEmpty ? [] : [step]))
      #expect(environment.allSatisfy { !$0.contains("secret") })
      #expect(environment.contains("HOOKTIMEOUT=9") == (point == "sender"))
    }
  }

  @Test func `control or hooks, without a variable`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(["route": "echo route=127.0.0.1:\(server.port)"])
    try hooked.folder.write("me", "me.example.net\n")
    hooked.remote.environment["HOOKDIR"] = nil
    hooked.remote.environment["CONTROLDIR"] = hooked.folder.path
    expectAccepted(try hooked.run())
    server.finish()
  }

  // MARK: what doesn't reach the reports

  @Test(arguments: ["route", "environment", "sender"])
  func `nothing that they write`(_ point: String) throws {
    let server = try ScriptedServer(SMTPScript())
    let forged = #"printf 'r\0K127.0.0.1 accepted message.\n\0'"#
    let cases = [
      ("\(forged)", "its answer has a line without ="), ("\(forged); exit 1", "its exit status is 1"),
      ("\(forged) >&2; kill -SEGV $$", "signal 11 ended it"), ("\(forged); \(forged) >&2; exit 255", "its exit status is 255"),
      ("printf 'K=\\0\\nr=\\0'", "its answer has the unknown key K"),
      ("exec yes", "it wrote more than 65536 bytes to descriptor 1"),
    ]
    for (commands, words) in cases {
      let hooked = try HookedRemote([point: commands], to: server)
      expect(try hooked.run(), "ZUnable to use hooks/\(point): \(words). (#4.3.0)\n^@")
      #expect(try hooked.explain() == ["report: ZUnable to use hooks/\(point): \(words). (#4.3.0)"])
    }
    let silent = try HookedRemote([point: "\(forged) >&2"], to: server)
    expectAccepted(try silent.run())
    #expect(server.finish().count == 1)
  }

  @Test(arguments: [(100, "D", "5.3.0"), (111, "Z", "4.3.0")])
  func `but for the line of a refusal`(_ status: Int, _ letter: String, _ code: String) throws {
    let hooked = try HookedRemote(["sender": #"printf 'Not \0Kfrom here.\nmore' >&2; exit \#(status)"#])
    var direct = hooked
    direct.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    expect(try direct.run(), "\(letter)Not ?Kfrom here. (#\(code))\nhooks/sender, exit status \(status)\n^@")
  }

  @Test(arguments: [
    ("environment", "echo set=HOOKDIR=/tmp", "HOOKDIR may not be edited"),
    ("environment", "echo set=LD_PRELOAD=x", "LD_PRELOAD may not be edited"),
    ("environment", "echo unset=PATH", "PATH may not be edited"),
    ("environment", "echo set=A", "its answer has no = in the value of set"),
    ("environment", "echo set==x", "an edit of the environment has no name"),
    ("route", "echo route=relay:0", "0 is no port"),
    ("sender", "printf 'sender=%01000d@x\\n' 1", "the sender in its answer is longer than a command line"),
  ])
  func `answers that can't be followed`(_ point: String, _ commands: String, _ words: String) throws {
    var hooked = try HookedRemote([point: commands])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    expect(try hooked.run(), "ZUnable to use hooks/\(point): \(words). (#4.3.0)\n^@")
  }

  @Test func `a folder that was named and isn't there`() throws {
    var hooked = try HookedRemote([:])
    hooked.remote.environment["HOOKDIR"] = "\(hooked.folder.path)/none"
    expect(
      try hooked.run(), "ZUnable to use hooks/route: its folder can't be opened: No such file or directory. (#4.3.0)\n^@")
  }

  // MARK: who lives how long

  @Test func `a program that doesn't end`() throws {
    var hooked = try HookedRemote(["route": "setsid sleep 1000 & sleep 1000"])
    hooked.remote.environment["HOOKTIMEOUT"] = "1"
    expect(try hooked.run(), "ZUnable to use hooks/route: it ran for more than 1 s. (#4.3.0)\n^@")
  }

  @Test(arguments: [SIGKILL, SIGTERM, SIGSEGV])
  func `a delivery that is ended takes them along`(_ signal: Int32) throws {
    let hooked = try HookedRemote(["route": "setsid sleep 1000 & echo >$ROOM/started; sleep 1000"])
    let running = try hooked.remote.start()
    try #require(eventually { FileManager.default.fileExists(atPath: "\(hooked.folder.path)/started") })
    running.process.send(signal: signal)
    let finished = running.finish()
    #expect(
      String(decoding: finished.output, as: UTF8.self) == (signal == SIGSEGV ? "Zqmail-remote crashed. (#4.3.0)\n\0" : ""))
    #expect(try eventually { try hooked.marker.survivors().isEmpty })
  }

  @Test func `a signal to the process group of a delivery doesn't save them`() throws {
    var hooked = try HookedRemote(["route": "setsid sleep 1000 & echo >$ROOM/started; sleep 1000"])
    hooked.remote.wrapper = ["setsid"]
    let running = try hooked.remote.start()
    try #require(eventually { FileManager.default.fileExists(atPath: "\(hooked.folder.path)/started") })
    #expect(kill(-running.process.pid, SIGKILL) == 0)
    #expect(running.finish().ending == .killed(signal: SIGKILL))
    #expect(try eventually { try hooked.marker.survivors().isEmpty })
  }

  /// Those of a shell that has become qmail-remote, for example.
  @Test func `other children of the process live on`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(["route": "sleep 1000 &"], to: server)
    let commands = #"sleep 1000 <&- >&- 2>&- & echo $! >"$ROOM/bystander"; exec "$@""#
    hooked.remote.wrapper = ["/bin/sh", "-c", commands, "sh"]
    expectAccepted(try hooked.remote.run())
    server.finish()
    let bystander = try #require(Int32(hooked.left("bystander").dropLast()))
    #expect(try hooked.marker.survivors().map { $0.split(separator: " ").first.map(String.init) } == ["\(bystander)"])
    #expect(kill(bystander, SIGKILL) == 0)
  }

  @Test(arguments: [true, false], [true, false])
  func `descriptors that were closed at the start`(_ hasOutput: Bool, _ hasErrors: Bool) throws {
    var hooked = try HookedRemote(["route": "cat >$ROOM/question; ls /proc/self/fd >$ROOM/descriptors; exit 100"])
    hooked.remote.input = .closed
    hooked.remote.output = hasOutput ? .collected : .closed
    hooked.remote.errors = hasErrors ? .collected : .closed
    let finished = try hooked.run()
    #expect(
      String(decoding: finished.output, as: UTF8.self)
        == (hasOutput ? "Dhooks/route refuses the message. (#5.3.0)\nhooks/route, exit status 100\n\0" : ""))
    #expect(try hooked.left("question") == "host=example.com\nsender=sender@example.net\nrecipient=user@example.com\n")
    #expect(try hooked.left("descriptors") == "0\n1\n2\n3\n")
  }

  /// Without descriptors and without control files, the question's file gets number 0.
  @Test func `descriptors that were closed at the start of an explanation`() throws {
    let hooked = try HookedRemote(["route": "cat >$ROOM/question; echo Not there. >&2; exit 100"])
    var start = ProgramStart(
      try Binary.path("qmail-remote-explain"), ["example.com", "sender@example.net", "user@example.com"])
    start.environment = hooked.remote.environment.merging(["CONTROLDIR": "\(hooked.folder.path)/none"]) { $1 }
    start.input = .closed
    start.errors = .closed
    let finished = try SpawnedProcess(start).finish()
    #expect(String(decoding: finished.output, as: UTF8.self) == "report: DNot there. (#5.3.0)\nhooks/route, exit status 100\n")
    #expect(try hooked.left("question") == "host=example.com\nsender=sender@example.net\nrecipient=user@example.com\n")
  }
}
