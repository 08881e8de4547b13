// Programs in front of qmail-remote: a wrapper that qmail-rspawn starts by QMAILREMOTE, ctrlenv, spawn-filter, and at the end qmail-remote
// itself, all of them as they were built.
import Foundation
import Support
import Testing

/// A chain, and the message that goes through it.
private final class Chain {
  let folder: TemporaryFolder
  let marker = ProcessMarker()
  var environment: [String: String]
  var sender = "joe@example.net"
  var size = "22"
  var message = "Subject: x\n\nhello\nbye\n"
  private let program: String

  /// - Parameter last: instead of qmail-remote.
  init(to server: ScriptedServer? = nil, last: String? = nil) throws {
    folder = try TemporaryFolder()
    try folder.write("control/me", "me.example.net\n")
    try folder.write("control/smtproutes", ":127.0.0.1:\(server?.port ?? 1)\n")
    program = try folder.install(
      "wrapper",
      "#!/bin/sh\nexec \(try Binary.path("ctrlenv")) -f senders.cdb -a \"$2\" \(try Binary.path("spawn-filter")) \"$@\"\n")
    environment = [
      "CONTROLDIR": "\(folder.path)/control", "ROOM": folder.path, "TMPDIR": folder.path, "PATH": "/usr/bin:/bin",
      "QREMOTE": try Binary.path(), "SWIFT_BACKTRACE": "enable=no", ProcessMarker.name: marker.value,
    ]
    if let last { environment["QREMOTE"] = try folder.install("last", "#!/bin/sh\n\(last)\n") }
  }

  /// Makes senders.cdb from its text.
  func write(senders: String) throws {
    try folder.write("control/senders", senders)
    var start = ProgramStart(try Binary.path("cdb-database"), ["senders"])
    start.environment = ["CONTROLDIR": "\(folder.path)/control"]
    let finished = try SpawnedProcess(start).finish()
    #expect(finished.ending == .exited(0), "\(String(decoding: finished.errors, as: UTF8.self))")
  }

  func start() throws -> SpawnedProcess {
    var start = ProgramStart(program, ["example.com", sender, "X-QQEH: v\n", size, "user@example.com"])
    start.environment = environment
    start.input = .file(try folder.write("message", message))
    start.errors = .sameAsOutput
    return try SpawnedProcess(start)
  }

  func run(at location: SourceLocation = #_sourceLocation) throws -> FinishedProcess {
    let finished = try start().finish()
    #expect(try marker.survivors() == [], sourceLocation: location)
    return finished
  }

  func left(_ name: String) throws -> [String] {
    String(decoding: try folder.read(name), as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

@Suite struct ChainTests {
  private static let accepted =
    "rFrom: <joe@example.net> RCPT: <user@example.com> ^@K127.0.0.1 accepted message - Protocol SMTP.\nRemote host said: 250 ok 1\n^@"
  private static let acceptedVerdict = "KFrom: <joe@example.net> RCPT: <user@example.com> "

  /// Reports byte for byte, exit status 0, and what qmail-rspawn makes of both.
  private func expect(
    _ finished: FinishedProcess, _ reports: String, _ verdict: Character, at location: SourceLocation = #_sourceLocation
  ) {
    let wire = reports.replacingOccurrences(of: "^@", with: "\0")
    #expect(String(decoding: finished.output, as: UTF8.self) == wire, sourceLocation: location)
    #expect(finished.ending == .exited(0), sourceLocation: location)
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == verdict, sourceLocation: location)
    // The recipient's text has no line end in indimail's words.
    guard reports != ChainTests.accepted else { return }
    #expect(throws: Never.self, sourceLocation: location) { _ = try StrictReports(finished.output) }
  }

  @Test func `a message goes through unchanged`() throws {
    let server = try ScriptedServer(SMTPScript())
    expect(try Chain(to: server).run(), ChainTests.accepted, "K")
    #expect(
      server.finish().flatMap(\.bodies).map { String(decoding: $0, as: UTF8.self) } == [
        "X-QQEH: v\r\nSubject: x\r\n\r\nhello\r\nbye\r\n.\r\n"
      ])
  }

  @Test func `a filter rewrites the message`() throws {
    let server = try ScriptedServer(SMTPScript())
    let chain = try Chain(to: server)
    try chain.folder.write(
      "control/filterargs", "example.com:false\nexample.net:remote:sed 's/hello/good day/'; echo $_SENDER\n")
    expect(try chain.run(), ChainTests.accepted, "K")
    #expect(
      server.finish().flatMap(\.bodies).map { String(decoding: $0, as: UTF8.self) } == [
        "X-QQEH: v\r\nSubject: x\r\n\r\ngood day\r\nbye\r\njoe@example.net\r\n.\r\n"
      ])
  }

  @Test func `a message of many blocks`() throws {
    let server = try ScriptedServer(SMTPScript())
    let chain = try Chain(to: server)
    chain.message = "Subject: x\n\n" + String(repeating: "0123456789abcdef\n", count: 200_000)
    chain.environment["FILTERARGS"] = "tr a-f A-F"
    expect(try chain.run(), ChainTests.accepted, "K")
    #expect(server.finish().flatMap(\.bodies).map(\.count) == [11 + 14 + 3_600_000 + 3])
  }

  // MARK: settings

  /// The route and AUTH of one sender, the same for all senders that begin so, and none for the others.
  @Test(arguments: [
    ("joe@example.net", "LOGIN", "1"), ("Joe@Example.Net", "LOGIN", "1"), ("list-return-7@example.net", "PLAIN", "2"),
    ("jane@example.net", "", ""), ("", "", ""),
  ])
  func `settings of senders`(_ sender: String, _ mechanism: String, _ user: String) throws {
    let chain = try Chain(last: "env >$ROOM/environment; exec \(try Binary.path("qmail-remote-explain")) \"$@\"")
    try chain.write(
      senders: """
        =joe@example.net:SMTPROUTE=:127.0.0.1:26 user1 hunter2,AUTH_SMTP=LOGIN,UNWANTED=:
        +list-:SMTPROUTE=:127.0.0.1:26 user2 hunter2,AUTH_SMTP=PLAIN:
        .

        """)
    chain.sender = sender
    chain.environment["UNWANTED"] = "1"
    let explanation = String(decoding: try chain.run().output, as: UTF8.self)
    let environment = try chain.left("environment")
    #expect(environment.contains("AUTH_SMTP=\(mechanism)") == !mechanism.isEmpty)
    #expect(environment.filter { $0.hasPrefix("AUTH_SMTP=") }.count == (mechanism.isEmpty ? 0 : 1))
    #expect(environment.contains("SMTPROUTE=:127.0.0.1:26 user\(user) hunter2") == !mechanism.isEmpty)
    #expect(environment.contains("UNWANTED=1") == (mechanism != "LOGIN"))
    #expect(explanation.contains("the variable SMTPROUTE") == !mechanism.isEmpty, "\(explanation)")
    #expect(explanation.contains("control/smtproutes:1") == mechanism.isEmpty, "\(explanation)")
    #expect(!explanation.contains("hunter2"))
  }

  @Test(arguments: [("joe@example.net", "user1", "LOGIN"), ("list-return-7@example.net", "user2", "CRAM-MD5")])
  func `each sender logs in as somebody else`(_ sender: String, _ user: String, _ mechanism: String) throws {
    var behaviour = TLSBehaviour()
    behaviour.clearKeywords = ["AUTH LOGIN PLAIN CRAM-MD5"]
    behaviour.accounts = ["user1": "hunter2", "user2": "hunter3"]
    behaviour.needsLogin = true
    let server = try TLSServers.shared.get().start(behaviour)
    let chain = try Chain()
    try chain.write(
      senders: """
        =joe@example.net:SMTPROUTE=:127.0.0.1:\(server.port) user1 hunter2,AUTH_SMTP=LOGIN:
        +list-:SMTPROUTE=:127.0.0.1:\(server.port) user2 hunter3,AUTH_SMTP=CRAM-MD5:
        .

        """)
    chain.sender = sender
    let finished = try chain.run()
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == "K", "\(visible(finished.output))")
    let session = try #require(try server.finish().first)
    #expect(session.logins.map(\.mechanism) == [mechanism])
    #expect(session.messages.map(\.user) == [user])
  }

  @Test func `rules of spawn-filter reach qmail-remote`() throws {
    let server = try ScriptedServer(SMTPScript())
    let chain = try Chain(to: server)
    try chain.folder.write("control/rcpt.envrules", "user@*:SIGNKEY=K\n")
    let finished = try chain.run()
    let mail = server.finish().flatMap(\.lines).first { $0.hasPrefix("MAIL FROM:<prvs=0") }
    #expect(mail?.contains("=joe@example.net>") == true)
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == "K")
  }

  // MARK: what a filter's exit status comes to

  @Test(
    arguments: [
      ("exit 2", "r^@Kspawn accepted message.\n^@", "K"),
      ("exit 100", "hMail Rejected by FILTER (#5.7.1)\n^@Drefusing to run filter\n^@", "D"),
      (
        "cat; exit 1", "sFILTER: (spawn-filter) exit code: 1. (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@",
        "Z"
      ),
      (
        "echo Later. >&2; exit 111",
        "sFILTER: (spawn-filter) exit code: 111: Later.. (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@", "Z"
      ),
      (
        "kill -SEGV $$",
        "sFILTER: (spawn-filter) signal 11. (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@", "Z"
      ),
      (
        "sleep 1000 & printf 'K\\0'; exit 0",
        "sFILTER: (spawn-filter) the filter's message ends within a line. (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@",
        "Z"
      ),
    ] as [(String, String, Character)])
  func `no delivery`(_ filter: String, _ reports: String, _ verdict: Character) throws {
    let server = try ScriptedServer(SMTPScript())
    let chain = try Chain(to: server)
    chain.environment["FILTERARGS"] = filter
    expect(try chain.run(), reports, verdict)
    #expect(server.dialogues.isEmpty)
  }

  @Test func `every exit status`() throws {
    let server = try ScriptedServer(SMTPScript())
    let deferred = "sFILTER: (spawn-filter) exit code: #. (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@"
    let results = inParallel(Array(0...255), width: 4) { status -> String in
      guard let chain = try? Chain(to: server) else { return "no chain" }
      chain.environment["FILTERARGS"] = "cat; exit \(status)"
      guard let finished = try? chain.run(), finished.ending == .exited(0) else { return "no exit" }
      return visible(finished.output)
    }
    let expected = (0...255).map { status in
      let reports =
        switch status {
        case 0: ChainTests.accepted
        case 2: "r^@Kspawn accepted message.\n^@"
        case 100: "hMail Rejected by FILTER (#5.7.1)\n^@Drefusing to run filter\n^@"
        default: deferred.replacingOccurrences(of: "code: #", with: "code: \(status)")
        }
      return visible(reports.replacingOccurrences(of: "^@", with: "\0").utf8)
    }
    #expect(results == expected)
    #expect(server.finish().flatMap(\.bodies).count == 1)
  }

  @Test func `too large`() throws {
    let chain = try Chain()
    chain.size = "23"
    chain.environment["DATABYTES"] = "22"
    expect(
      try chain.run(), "hsorry, that message size exceeds my databytes limit (#5.3.4)\n^@Drefusing to run filter\n^@", "D")
  }

  @Test func `no program at the end`() throws {
    let chain = try Chain()
    chain.environment["QREMOTE"] = "/no/such/program"
    expect(try chain.run(), "ZUnable to run /no/such/program: No such file or directory. (#4.3.0)\n^@", "Z")
  }

  @Test func `settings that can't be read`() throws {
    let chain = try Chain()
    try chain.folder.write("control/senders.cdb", "no database")
    let finished = try chain.run()
    #expect(finished.ending == .exited(111))
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == "Z")
    let words = "ctrlenv: fatal: Unable to read control files. (#4.3.0)\ncontrol/senders.cdb: not a constant database\n"
    #expect(String(decoding: finished.output, as: UTF8.self) == words)
  }

  @Test func `a spawn-filter that is ended takes its filter along`() throws {
    let chain = try Chain()
    chain.environment["FILTERARGS"] = "echo >$ROOM/started; setsid sleep 1000 & sleep 1000"
    let process = try chain.start()
    try #require(eventually { FileManager.default.fileExists(atPath: "\(chain.folder.path)/started") })
    process.send(signal: SIGKILL)
    #expect(process.finish().ending == .killed(signal: SIGKILL))
    #expect(try eventually { try chain.marker.survivors().isEmpty })
  }

  // MARK: what the last program finds

  @Test(arguments: ["", "cat"]) func `descriptors, signals, operands`(_ filter: String) throws {
    let chain = try Chain(
      last: """
        ls /proc/self/fd >$ROOM/descriptors
        while read -r name value; do case $name in Sig[BI]*) echo $value;; esac; done </proc/self/status >$ROOM/signals
        for operand; do printf '<%s>' "$operand"; done >$ROOM/operands
        cat >$ROOM/input
        printf 'r\\0Kdone\\n\\0'
        """)
    chain.environment["FILTERARGS"] = filter
    chain.sender = "a b;$(x)'\"*\u{e4}@x"
    expect(try chain.run(), "r^@Kdone\n^@", "K")
    #expect(try chain.left("descriptors") == ["0", "1", "2", "3"])
    let masks = try chain.left("signals").map { UInt64($0.suffix(16), radix: 16) }
    // 32 and 33 are the C library's own; posix_spawn(3) ignores them for good.
    #expect(masks.map { $0.map { $0 & ~(3 << 31) } } == [0, 0])
    #expect(
      String(decoding: try chain.folder.read("operands"), as: UTF8.self)
        == "<example.com><\(chain.sender)><X-QQEH: v\n><22><user@example.com>")
    #expect(String(decoding: try chain.folder.read("input"), as: UTF8.self) == chain.message)
  }
}

@Suite struct CtrlenvTests {
  private func run(_ operands: [String], in folder: TemporaryFolder, path: String? = "/usr/bin:/bin") throws -> FinishedProcess
  {
    var start = ProgramStart(try Binary.path("ctrlenv"), operands)
    start.environment = ["CONTROLDIR": folder.path]
    if let path { start.environment["PATH"] = path }
    return try SpawnedProcess(start).finish()
  }

  @Test func `the first program of that name that can be run`() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", "=a:FOO=1,PATH=/nowhere:\n")
    try folder.install("one/prog", "#!/bin/sh\necho one\n", mode: "644")
    try folder.install("two/prog", "#!/bin/sh\necho two $FOO $PATH $*; exit 7\n")
    try folder.install("three/prog", "#!/bin/sh\necho three\n")
    let path = "\(folder.path)/none:\(folder.path)/one:\(folder.path)/two:\(folder.path)/three"
    let found = try run(["-f", "x", "-a", "a", "prog", "-a", "b c"], in: folder, path: path)
    #expect(String(decoding: found.output + found.errors, as: UTF8.self) == "two 1 /nowhere -a b c\n")
    #expect(found.ending == .exited(7))
    let forbidden = try run(["-f", "x", "-a", "a", "prog"], in: folder, path: "\(folder.path)/one:\(folder.path)/none")
    #expect(
      String(decoding: forbidden.errors, as: UTF8.self) == "ctrlenv: fatal: unable to run prog: Permission denied\n")
    #expect(forbidden.ending == .exited(111))
  }

  @Test func `standard folders, and paths`() throws {
    let folder = try TemporaryFolder()
    let found = try run(["-c", "-f", "x", "-a", "a", "env"], in: folder, path: nil)
    #expect(found.ending == .exited(0) && found.output.isEmpty && found.errors.isEmpty)
    try folder.install("prog", "#!/bin/sh\necho \"$0\"\n")
    let direct = try run(["-f", "x", "-a", "a", "\(folder.path)/prog"], in: folder, path: nil)
    #expect(String(decoding: direct.output, as: UTF8.self) == "\(folder.path)/prog\n")
    let missing = try run(["-f", "x", "-a", "a", "\(folder.path)/none"], in: folder)
    #expect(
      String(decoding: missing.errors, as: UTF8.self)
        == "ctrlenv: fatal: unable to run \(folder.path)/none: No such file or directory\n")
  }
}
