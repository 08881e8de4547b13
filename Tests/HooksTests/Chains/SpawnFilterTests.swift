// spawn-filter(8): settings, filters, and what qmail-rspawn is told.
import Agent
import Foundation
import Support
import Testing

@testable import Hooks

/// A message on its way.
private struct Passage {
  var arguments = ["qmail-remote", "y.test", "s@x.test", "X-QQEH: v\n", "99", "r@y.test"]
  var files: [String: String] = [:]
  var environment: [String: String] = [:]
  var message = "Subject: x\n\nbody\n"
  var isPipe = false

  init(_ change: (inout Passage) -> Void = { _ in }) { change(&self) }

  /// What comes of it: the next program with its environment's entries, and the message; or the reports, and the exit status.
  func result() throws -> String {
    let folder = try TemporaryFolder()
    for (name, content) in files { try folder.write(name, content) }
    let number = try open(folder)
    defer { close(number) }
    let start = ["PATH": "/usr/bin:/bin", "CONTROLDIR": folder.path, "TMPDIR": folder.path].merging(environment) { $1 }
    let filter = SpawnFilter(arguments.map(bytes), Environment(start), input: number)
    let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
    #expect(left == Set(files.keys).union(["message"]))
    switch filter.step() {
    case .end(let ending): return "\(shown(ending.output))\(ending.errors.text)\(ending.status)"
    case .become(let program):
      let hidden = ["PATH=", "CONTROLDIR=", "TMPDIR="]
      let entries = program.environment.all.map(\.text).filter { entry in !hidden.contains(where: entry.hasPrefix) }.sorted()
      #expect(program.arguments == arguments.map(bytes))
      let message = try program.input.map { try " < " + $0.read(at: 0, limit: 100_000).text } ?? ""
      return ([program.program.text] + entries).joined(separator: " ") + message
    }
  }

  private func open(_ folder: TemporaryFolder) throws -> Int32 {
    let path = try folder.write("message", message)
    guard isPipe else { return Foundation.open(path, O_RDONLY | O_CLOEXEC) }
    let ends = try SpawnedProcess.pipe()
    _ = bytes(message).withUnsafeBytes { write(ends.writing, $0.baseAddress, $0.count) }
    close(ends.writing)
    return ends.reading
  }

  private func shown(_ output: [UInt8]) -> String { output.text.replacingOccurrences(of: "\0", with: "^@") }
}

@Suite struct SpawnFilterTests {
  private static let program = "/usr/sbin/qmail-remote"

  // MARK: operands and programs

  @Test(arguments: ["qmail-remote", "/usr/sbin/qmail-remote", "/x/spawn-filter", "anything"])
  func `whatever it is called, it is for remote mail`(_ name: String) throws {
    #expect(try Passage { $0.arguments[0] = name }.result() == SpawnFilterTests.program)
  }

  @Test func `but not where it is called as the program for local mail`() throws {
    #expect(
      try Passage { $0.arguments[0] = "/var/qmail/bin/qmail-local" }.result()
        == "spawn-filter: fatal: local mail is not supported\n111")
  }

  @Test(
    arguments: [
      ["q", "h", "s", "", "1"], ["q", "h", "s", "", "1", "r", "t"], ["q", "h", "s", "", "x", "r"], ["q", "h", "s"], ["q"], [],
      ["q", "h", "s", "r", "t"],
    ])
  func `other operands than those of one recipient`(_ arguments: [String]) throws {
    #expect(
      try Passage { $0.arguments = arguments }.result()
        == "hI (spawn-filter) was invoked improperly. (#5.3.5)\n^@Drefusing to run filter\n^@0")
  }

  @Test func `the operands of stock qmail`() throws {
    #expect(try Passage { $0.arguments = ["q", "y.test", "s@x.test", "r@y.test"] }.result() == "/var/qmail/bin/qmail-remote")
    #expect(SpawnFilter(["q", "h", "s", "r"].map(bytes), Environment()).home == bytes("/var/qmail"))
    #expect(SpawnFilter(["q", "h", "s", "", "1", "r"].map(bytes), Environment()).home == bytes("/var/indimail"))
  }

  @Test func `another program, and what it isn't told`() throws {
    let environment = ["QREMOTE": "/x", "QMAILREMOTE": "/y", "QMAILLOCAL": "/z", "FILTERARGS": "", "SPAMFILTER": "", "A": "1"]
    #expect(try Passage { $0.environment = environment }.result() == "/x A=1 QREMOTE=/x")
    // A filter may want to know for which kind of mail it is run, and so it stays.
    #expect(
      try Passage { $0.environment = environment.merging(["FILTERARGS": "cat"]) { $1 } }.result()
        == "/x A=1 QMAILREMOTE=/y QREMOTE=/x < Subject: x\n\nbody\n")
  }

  // MARK: rules

  @Test func `rules for sender and recipient, with any names`() throws {
    let files = [
      "fromd.envrules": "*@x.test:A=1,QMAILLOCAL=no\n*@z.test:A=9\n*:CONTROLDIR=/nowhere,RCPTRULES=other\n",
      "rcpt.envrules": "*:A=2\n", "other": "r@*:B=2,QREMOTE=/opt/other\n",
    ]
    #expect(
      try Passage { $0.files = files }.result()
        == "/opt/other A=1 B=2 QMAILLOCAL=no QREMOTE=/opt/other RCPTRULES=other")
  }

  @Test func `a rule that can't be followed`() throws {
    #expect(
      try Passage { $0.files = ["rcpt.envrules": "*:A\n"] }.result()
        == "ZUnable to use control/rcpt.envrules:1: an edit of the environment has no =. (#4.3.5)\n^@0")
  }

  // MARK: sizes

  @Test(
    arguments: [
      ("99", nil, "99", true), ("100", nil, "99", false), ("1000", "2000\n", nil, true),
      ("1000", "2000\n", "10", false), ("1000", "0\n", nil, true), ("1000", nil, "0", true), ("1000", "10\n", "0", true),
      ("1000", "x\n", nil, true), ("99999999999999999999999", "9999\n", nil, false), ("1000", "999\n", nil, false),
    ] as [(String, String?, String?, Bool)])
  func `the operand`(_ size: String, _ file: String?, _ variable: String?, _ isSmall: Bool) throws {
    let found = try Passage {
      $0.arguments[4] = size
      if let file { $0.files["databytes"] = file }
      if let variable { $0.environment["DATABYTES"] = variable }
    }.result()
    #expect(found.hasPrefix("/usr/sbin") == isSmall)
    if !isSmall {
      #expect(found == "hsorry, that message size exceeds my databytes limit (#5.3.4)\n^@Drefusing to run filter\n^@0")
    }
  }

  @Test func `the file, without an operand`() throws {
    let stock = ["q", "y.test", "s@x.test", "r@y.test"]
    #expect(try Passage { ($0.arguments, $0.environment["DATABYTES"]) = (stock, "17") }.result().hasPrefix("/var"))
    #expect(try Passage { ($0.arguments, $0.environment["DATABYTES"]) = (stock, "16") }.result().hasPrefix("hsorry"))
  }

  // MARK: which filter

  /// Lines of filterargs, and what the filter that they name writes; nil for no filter.
  @Test(
    arguments: [
      ("x.test:echo one\n", "one"), ("X.Test:echo one\n", "one"), ("y.test:echo one\n", nil), ("*.test:echo one\n", "one"),
      ("x.test:remote:echo one\n", "one"), ("x.test:local:echo one\n", nil), ("x.test:local:echo one\n*:echo two\n", "two"),
      ("x.test:echo one\n*:echo two\n", "one"), ("*:echo two\nx.test:echo one\n", "two"), ("x.test:\n*:echo two\n", nil),
      ("x.test:echo $A:A=1\\,2\n", "1,2"), ("a.test:echo no:A=1\nx.test:echo a$A\n", "a"), ("nonsense\n#*:echo\n", nil),
      ("x.test:remote:echo $B:A=1,B=2\n", "2"),
    ] as [(String, String?)])
  func `domains`(_ file: String, _ expected: String?) throws {
    let found = try Passage { $0.files = ["filterargs": file] }.result()
    #expect(found.split(separator: " < ").dropFirst().first.map(String.init) == expected.map { "\($0)\n" })
    #expect(found.hasPrefix(SpawnFilterTests.program))
  }

  @Test func `whose domain it is`() throws {
    let file = ["filterargs": "x.test:echo sender\ny.test:echo recipient\nd.test:echo variable\nf.test:echo file\n"]
    func filter(_ sender: String, _ files: [String: String] = [:], _ environment: [String: String] = [:]) throws -> String {
      try Passage {
        $0.arguments[2] = sender
        $0.files = file.merging(files) { $1 }
        $0.environment = environment
      }.result().split(separator: " < ").last.map(String.init) ?? ""
    }
    #expect(try filter("s@x.test") == "sender\n")
    #expect(try filter("s@x.test", [:], ["MATCH_RECIPIENT_DOMAIN": ""]) == "recipient\n")
    for sender in ["", "s", "s@"] {
      #expect(try filter(sender) == SpawnFilterTests.program)
      #expect(try filter(sender, ["defaultdomain": "f.test\n"]) == "file\n")
      #expect(try filter(sender, ["defaultdomain": "f.test\n"], ["DEFAULT_DOMAIN": "d.test"]) == "variable\n")
    }
  }

  @Test func `the variable before the file, by rule too`() throws {
    let files = ["filterargs": "*:echo file\n"]
    #expect(
      try Passage { ($0.files, $0.environment) = (files, ["FILTERARGS": "echo variable"]) }.result().hasSuffix(" < variable\n"))
    #expect(
      try Passage { $0.files = files.merging(["rcpt.envrules": "r@*:FILTERARGS=echo rule\n"]) { $1 } }.result()
        .hasSuffix(" < rule\n"))
    #expect(
      try Passage {
        ($0.files, $0.environment) = (["filterargs": "^x\\.test$:echo regex\n"], ["QREGEX": "1", "USE_FNMATCH": ""])
      }.result().hasSuffix(" < regex\n"))
  }

  @Test(
    arguments: [
      (["spamfilter": "*:true\n"], [:], "control/spamfilter:1"), ([:], ["SPAMFILTER": "true"], "the variable SPAMFILTER"),
    ] as [([String: String], [String: String], String)])
  func `a filter for spam is not passed by`(_ files: [String: String], _ environment: [String: String], _ place: String) throws
  {
    #expect(
      try Passage { ($0.files, $0.environment) = (files, environment) }.result()
        == "ZUnable to use \(place): filters for spam are not supported. (#4.3.5)\n^@0")
    #expect(try Passage { $0.files = ["spamfilter": "*:local:true\n"] }.result() == SpawnFilterTests.program)
  }
}

@Suite struct FilterRunTests {
  private func result(_ command: String, _ change: (inout Passage) -> Void = { _ in }) throws -> String {
    var passage = Passage(change)
    passage.environment["FILTERARGS"] = command
    return try passage.result()
  }

  private static func deferred(_ words: String) -> String {
    "sFILTER: (spawn-filter) \(words). (#4.3.0)\n^@Zspawn-filter(remote): filter execution deferred\n^@0"
  }

  @Test(arguments: [false, true]) func `a new message`(_ isPipe: Bool) throws {
    #expect(
      try result("sed 's/body/new body/'") { $0.isPipe = isPipe } == "/usr/sbin/qmail-remote < Subject: x\n\nnew body\n")
    // Filters look at a message as often as they like.
    #expect(
      try result("head -c 3 >/dev/null; perl -e 'seek STDIN, 0, 0; print <STDIN>'") { $0.isPipe = isPipe }
        == "/usr/sbin/qmail-remote < Subject: x\n\nbody\n")
  }

  @Test(
    arguments: [
      ("exit 2", "r^@Kspawn accepted message.\n^@0"),
      ("exit 100", "hMail Rejected by FILTER (#5.7.1)\n^@Drefusing to run filter\n^@0"),
      ("exit 1", deferred("exit code: 1")), ("exit 111", deferred("exit code: 111")), ("exit 99", deferred("exit code: 99")),
      ("cat; exit 1", deferred("exit code: 1")), ("no-such-program 2>/dev/null", deferred("exit code: 127")),
      ("printf 'not now\\r\\nmore' >&2; exit 75", deferred("exit code: 75: not now")),
      ("printf 'K\\0K\\001' >&2; exit 3", deferred("exit code: 3: K?K?")), ("kill -9 $$", deferred("signal 9")),
      ("true", deferred("the filter wrote no message")), ("printf x", deferred("the filter's message ends within a line")),
      ("exec >&-", deferred("the filter wrote no message")), ("yes >&2", deferred("more than 65536 bytes to descriptor 2")),
    ])
  func `exit status`(_ command: String, _ expected: String) throws { #expect(try result(command) == expected) }

  @Test func `an empty message may stay empty`() throws {
    #expect(try result("cat") { $0.message = "" } == "/usr/sbin/qmail-remote < ")
    #expect(try result("cat") { $0.message = "no end" } == "/usr/sbin/qmail-remote < no end")
  }

  @Test func `a message without end`() throws {
    #expect(try result("yes") == FilterRunTests.deferred("more than \(17 * 10 + 10_000_000) bytes to descriptor 1"))
  }

  @Test func `what a filter is told`() throws {
    let found = try result("env | grep -E '^(DOMAIN|_[A-Z]+|SMTPROUTE|SIGNKEY|SPAM.*|FILTER.*|A)='") {
      $0.arguments[2] = "() { :;}; x@x.test"
      $0.arguments[5] = "a\u{7f}$(reboot)`x`@y.test"
      $0.environment = ["SMTPROUTE": ":relay user secret", "SIGNKEY": "secret", "A": "1", "DOMAIN": "other"]
    }
    let told = found.components(separatedBy: " < ").last?.split(separator: "\n").sorted() ?? []
    #expect(
      told == [
        "A=1", "DOMAIN=y.test", "SMTPROUTE=:relay", "_EXT=a?$(reboot)`x`@y.test", "_QQEH=X-QQEH: v",
        "_RECIPIENT=a?$(reboot)`x`@y.test", "_SENDER= () { :;}; x@x.test",
      ])
    // The next program is told none of it, and gets its secrets.
    #expect(found.hasPrefix("/usr/sbin/qmail-remote A=1 DOMAIN=other SIGNKEY=secret SMTPROUTE=:relay user secret < "))
  }

  @Test func `nothing of it is left`() throws {
    let marker = ProcessMarker()
    let found = try result("setsid sleep 1000 & cat") { $0.environment[ProcessMarker.name] = marker.value }
    #expect(found.hasSuffix(" < Subject: x\n\nbody\n"))
    #expect(try marker.survivors() == [])
  }
}
