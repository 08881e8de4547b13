// ctrlenv(8): which value a file has for an address, and what comes of it.
import Agent
import Support
import Testing

@testable import Hooks

/// What ctrlenv comes to: the environment's new entries and the command, or what it writes and its status.
private func step(
  _ arguments: [String], files: [String: String] = [:], environment: [String: String] = ["PATH": "/bin", "OLD": "1"],
  database: [String: String] = [:]
) throws -> String {
  let folder = try TemporaryFolder()
  for (name, content) in files { try folder.write(name, content) }
  let chain = ControlEnvironment { _, name, address throws(DeliveryFailure) in
    if name == "damaged.cdb" { throw .unusable(name, "it is damaged") }
    return database["\(name) \(address.text)"].map(bytes)
  }
  let start = environment.merging(["CONTROLDIR": folder.path]) { $1 }
  switch chain.step(arguments.map(bytes), Environment(start)) {
  case .end(let ending): return "\((ending.output + ending.errors).text)\(ending.status)"
  case .become(let program):
    let entries = program.environment.all.map(\.text).filter { !$0.hasPrefix("CONTROLDIR=") }.sorted()
    return (entries + ["-", program.program.text] + program.arguments.map(\.text)).joined(separator: " ")
  }
}

@Suite struct ControlEnvironmentTests {
  private static let usage = "usage: ctrlenv [-c] -f filename [-e env] -a address child\n100"

  @Test(
    arguments: [
      ([], usage), (["-f", "x", "-a", "y"], usage), (["-f", "x", "prog"], usage), (["-a", "x", "prog"], usage),
      (["-f"], usage), (["-f", "x", "-a", "y", "-z", "prog"], usage), (["-f", "", "-a", "y", "prog"], usage),
      (["-f", "x", "-a", "y", ""], usage),
      (["-f", "none", "-a", "y", "prog", "-c", "z"], "OLD=1 PATH=/bin - prog prog -c z"),
      (["-fnone", "-ay", "--", "-prog"], "OLD=1 PATH=/bin - -prog -prog"), (["-cf", "none", "-a", "", "prog"], "- prog prog"),
      (
        ["-f", "x.sql", "-a", "y", "prog"],
        "ctrlenv: fatal: Unable to use x.sql: values in an SQL database are not supported. (#4.3.5)\n111"
      ),
      (["-f", "damaged.cdb", "-a", "y", "prog"], "ctrlenv: fatal: Unable to use damaged.cdb: it is damaged. (#4.3.5)\n111"),
      (["-f", "none.cdb", "-a", "y", "prog"], "OLD=1 PATH=/bin - prog prog"),
      (["-f", ".", "-a", "y", "prog"], "ctrlenv: fatal: Unable to read control files. (#4.3.0)\n.: not a file\n111"),
    ])
  func `command lines`(_ arguments: [String], _ expected: String) throws { #expect(try step(arguments) == expected) }

  /// The file's lines, an address, and what is in the environment besides PATH; nil for what it was.
  @Test(
    arguments: [
      ("=a@b:FOO=1,BAR=2:\n", "a@b", "BAR=2 FOO=1 OLD=1"), ("=a@b:FOO=1:\n", "A@B", "FOO=1 OLD=1"), ("=a@b:FOO=1:", "a@c", nil),
      ("=A@B:OLD=:\n", "a@b", ""), ("=a@b:OLD=2,NEW=x\\,y:\n", "a@b", "NEW=x,y OLD=2"), ("=a@b::\n", "a@b", nil),
      ("+joe-:FOO=1:\n", "joe-direct@x", "FOO=1 OLD=1"), ("+joe-:FOO=1:\n", "JOE-", "FOO=1 OLD=1"),
      ("+joe-:FOO=1:\n", "joe", nil),
      ("+:FOO=1:\n", "", "FOO=1 OLD=1"), ("=:FOO=1:\n", "", "FOO=1 OLD=1"), ("=:FOO=1:\n", "a", nil),
      // The first line that matches, not the longest.
      ("+j:FOO=1:\n+joe:FOO=2:\n=joe:FOO=3:\n", "joe", "FOO=1 OLD=1"), ("a@b:FOO=1:\n#=a@b:FOO=2:\n\n", "a@b", nil),
      ("=a@b:FOO=a:b:\n", "a@b", "FOO=a:b OLD=1"), ("=a@b:FOO=1: \t\n", "a@b", "FOO=1 OLD=1"),
      (".\n=a@b:FOO=1:\n", "a@b", "FOO=1 OLD=1"),
      // Names that the agent's own edits may not have.
      ("=a@b:CONTROLDIR=,QREMOTE=/x,SMTPROUTE=\\:y:", "a@b", nil),
    ] as [(String, String, String?)])
  func `lines`(_ file: String, _ address: String, _ expected: String?) throws {
    let found = try step(["-f", "x", "-a", address, "prog"], files: ["x": file])
    let others = ["=a@b:CONTROLDIR=,QREMOTE=/x,SMTPROUTE=\\:y:": "OLD=1 PATH=/bin QREMOTE=/x SMTPROUTE=\\:y - prog prog"]
    let standard = expected ?? "OLD=1"
    #expect(
      found == others[file] ?? (standard.split(separator: " ") + ["PATH=/bin"]).joined(separator: " ") + " - prog prog")
  }

  @Test(
    arguments: [
      ("=a@b:FOO=1\n", "control/x:1: its value has no colon behind it"),
      ("\n=c@d:x\n=a@b:FOO:\n", "control/x:3: an edit of the environment has no ="),
      ("=a@b:=1:\n", "control/x:1: an edit of the environment has no name"),
    ])
  func `what can't be followed`(_ file: String, _ words: String) throws {
    #expect(
      try step(["-f", "x", "-a", "a@b", "prog"], files: ["x": file])
        == "ctrlenv: fatal: Unable to use \(words). (#4.3.5)\n111")
  }

  @Test func `a variable for the whole value`() throws {
    let files = ["x": "=a@b:u p,q\\,=:\n=c@d::\n"]
    #expect(
      try step(["-f", "x", "-e", "OLD", "-a", "a@b", "prog"], files: files) == "OLD=u p,q\\,= PATH=/bin - prog prog")
    #expect(try step(["-f", "x", "-e", "NEW", "-a", "c@d", "prog"], files: files) == "NEW= OLD=1 PATH=/bin - prog prog")
    #expect(try step(["-c", "-f", "x", "-e", "NEW", "-a", "a@b", "prog"], files: files) == "NEW=u p,q\\,= - prog prog")
  }

  @Test func `a database`() throws {
    let database = ["x.cdb a@b": "FOO=1,OLD=", "x.cdb c@d": "FOO=1\02"]
    #expect(try step(["-f", "x.cdb", "-a", "a@b", "prog"], database: database) == "FOO=1 PATH=/bin - prog prog")
    #expect(
      try step(["-f", "x.cdb", "-a", "c@d", "prog"], database: database)
        == "ctrlenv: fatal: Unable to use x.cdb, key c@d: its value has a null byte. (#4.3.5)\n111")
  }
}
