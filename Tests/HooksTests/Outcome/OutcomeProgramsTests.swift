// Programs of an outcome without a delivery: which one runs, what it is told, and what its end means.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

/// A program that notes what it gets.
private final class OutcomeScene {
  let folder: TemporaryFolder
  let marker = ProcessMarker()
  var environment: [String: String]
  var control: [String: String] = [:]
  var arguments = ["name", "host", "", "r@y", "() { :; }"]
  private(set) var duration = Duration.zero

  static let names = ["ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE"]

  init(_ script: String, names: [String] = names) throws {
    folder = try TemporaryFolder()
    environment = ["PATH": "/usr/bin:/bin", ProcessMarker.name: marker.value, "ROOM": folder.path]
    for name in names { environment[name] = try folder.install(name, "#!/bin/sh\n\(script)\n") }
  }

  func run(_ outcome: Outcome) -> Int32? {
    let programs = OutcomePrograms(
      ControlDirectory(files: control.mapValues(bytes)), Environment(environment), Circumstances.ofProcess(),
      arguments: arguments.map(bytes))
    let start = ContinuousClock.now
    defer { duration = ContinuousClock.now - start }
    return programs.run(outcome)
  }

  func noted(_ name: String) -> String? { (try? folder.read(name)).map { String(decoding: $0, as: UTF8.self) } }

  func expectNobodyLeft(at location: SourceLocation = #_sourceLocation) throws {
    #expect(try marker.survivors() == [], sourceLocation: location)
  }
}

@Suite struct OutcomeProgramsTests {
  static let success = Outcome(reports: Reports(message: Report(.success, "fine\n")), ending: .exhausted(nil))
  private static let failure = Outcome(.improperInvocation)
  private static let deferral = Outcome(.messageUnreadable)
  private static let deferredRecipient = Outcome(
    reports: Reports(recipients: [Report(.recipientDeferred, "x\n")], message: Report(.failure, "Giving up\n")),
    ending: .exhausted(nil))

  // MARK: which one

  @Test(arguments: [
    (success, "ONSUCCESS_REMOTE", "K"), (failure, "ONFAILURE_REMOTE", "D"), (deferral, "ONTEMPORARY_REMOTE", "Z"),
    (deferredRecipient, "ONTEMPORARY_REMOTE", "Z"),
  ])
  func `the one of the outcome`(_ outcome: Outcome, _ name: String, _ letter: String) throws {
    let scene = try OutcomeScene(#"echo "${0##*/} $SMTPSTATUS" >>$ROOM/ran; env | grep ^ON | cut -d= -f1 >$ROOM/names; exit 7"#)
    #expect(scene.run(outcome) == 7)
    #expect(scene.noted("ran") == "\(name) \(letter)\n")
    #expect(scene.noted("names") == "\(name)\n")
    try scene.expectNobodyLeft()
  }

  @Test(arguments: [success, failure, deferral])
  func `none without a name`(_ outcome: Outcome) throws {
    let scene = try OutcomeScene("exit 7", names: [])
    #expect(scene.run(outcome) == nil)
    for name in OutcomeScene.names { scene.environment[name] = "" }
    #expect(scene.run(outcome) == nil)
  }

  @Test func `names that an edit has set or unset`() throws {
    let scene = try OutcomeScene("exit 7", names: ["ONFAILURE_REMOTE"])
    let path = try #require(scene.environment["ONFAILURE_REMOTE"])
    var failed = DeliveryFailure.noExchanger
    failed.decided = Decisions(route: nil, environment: Environment(["PATH": "/bin"]))
    #expect(scene.run(Outcome(failed)) == nil)
    failed.decided = Decisions(route: nil, environment: Environment(["ONFAILURE_REMOTE": path]))
    scene.environment["ONFAILURE_REMOTE"] = "/none"
    #expect(scene.run(Outcome(failed)) == 7)
    failed.decided = nil
    #expect(scene.run(Outcome(failed)) == 0)
  }

  // MARK: what it gets

  @Test func `operands, descriptors and variables`() throws {
    let scene = try OutcomeScene(
      #"""
      for word; do printf '%s\n' "$word"; done >$ROOM/operands
      targets=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)
      echo "$targets" >$ROOM/descriptors
      ls /proc/self/fd >$ROOM/numbers
      env -0 >$ROOM/environment
      """#)
    for name in ["SMTPTEXT", "SMTPCODE", "SMTPHOST", "SMTPSTATUS"] { scene.environment[name] = "inherited" }
    scene.environment["SMTPROUTE"] = ":relay user secret"
    #expect(scene.run(Self.failure) == 0)
    #expect(scene.noted("operands") == "host\n\nr@y\n() { :; }\n")
    #expect(scene.noted("descriptors") == "/dev/null\n/dev/null\n/dev/null\n")
    #expect(scene.noted("numbers") == "0\n1\n2\n3\n")
    let environment = try #require(scene.noted("environment")).split(separator: "\0").map(String.init)
    #expect(environment.contains("SMTPTEXT=I (qmail-remote) was invoked improperly. (#5.3.5)"))
    #expect(environment.contains("SMTPCODE=0") && environment.contains("SMTPSTATUS=D"))
    #expect(environment.contains("SMTPROUTE=:relay"))
    #expect(environment.allSatisfy { !$0.hasPrefix("SMTPHOST=") && !$0.hasPrefix("HOOK") && !$0.contains("secret") })
  }

  /// A script's first operand is the name in its first line; an interpreter's is ours.
  @Test func `the name of the process`() throws {
    let scene = try OutcomeScene("")
    let script = try scene.folder.write("script", #"tr '\0' '\n' </proc/$$/cmdline >$ROOM/line"#)
    scene.environment["ONFAILURE_REMOTE"] = "/bin/bash"
    scene.arguments = ["name", script, "", "x"]
    #expect(scene.run(Self.failure) == 0)
    #expect(scene.noted("line") == "name\n\(script)\n\nx\n")
  }

  /// Words that somebody else has chosen.
  @Test(arguments: [
    ("() { :; }; touch pwned", " () { :; }; touch pwned"), ("(){ :;}", "(){ :;}"), ("a\0b\u{1b}[2J\r\u{7f}", "a?b?[2J??"),
    ("two\nlines\tand a tab", "two\nlines\tand a tab"), ("$(touch pwned) `touch pwned`", "$(touch pwned) `touch pwned`"),
    ("gr\u{fc}\u{df}e", "gr\u{fc}\u{df}e"), (String(repeating: "x", count: 5_000), String(repeating: "x", count: 4_096)),
    ("() {" + String(repeating: "x", count: 5_000), " () {" + String(repeating: "x", count: 4_091)), ("", ""),
  ])
  func `remote words in a variable`(_ words: String, _ expected: String) {
    let reply = Reply(code: 250, text: bytes(words))
    let outcome = Outcome(
      reports: Reports(message: Report(.success, "")),
      ending: .transaction(TransactionResult(recipients: [], end: .answered(reply))))
    let entries = OutcomePrograms.environment(outcome, Environment(["SMTPTEXT": "inherited"])).entries.map(\.text)
    #expect(entries == ["SMTPTEXT=\(expected)", "SMTPCODE=250", "SMTPSTATUS=K"])
  }

  // MARK: its end

  @Test(
    "exit status",
    arguments: [
      ("exit 0", 0), ("exit 7", 7), ("exit 100", 100), ("exit 111", 111), ("exit 255", 255), ("kill -KILL $$", 0),
      ("kill -SEGV $$", 0), ("kill -KILL $PPID; exec sleep 1000", 0), ("kill -STOP $$", 0), ("sleep 1000", 0),
      ("setsid sleep 1000 & exit 3", 3), ("exec head -c 100000000 /dev/zero", 0), ("exec 0<&- 1>&- 2>&-; exit 4", 4),
    ])
  func status(_ commands: String, _ status: Int32) throws {
    let scene = try OutcomeScene(commands)
    scene.environment["OUTCOMETIMEOUT"] = "2"
    #expect(scene.run(Self.success) == status)
    #expect(scene.duration < .seconds(15))
    #expect(try eventually { try scene.marker.survivors().isEmpty })
  }

  @Test func `what can't be run`() throws {
    let scene = try OutcomeScene("exit 7")
    try scene.folder.write("plain", "#!/bin/sh\nexit 7\n")
    try scene.folder.install("strange", "#!/no/such/interpreter\n")
    for path in [
      "/none", scene.folder.path, "\(scene.folder.path)/plain", "\(scene.folder.path)/strange", "ONSUCCESS_REMOTE", " ",
    ] {
      scene.environment["ONSUCCESS_REMOTE"] = path
      #expect(scene.run(Self.success) == 0)
    }
  }

  @Test(
    arguments: [
      (nil, nil, 7), ("ignore", nil, 0), (nil, "ignore\n", 0), ("pass", "ignore\n", 7), ("", "ignore\n", 0), ("x", nil, 7),
      (nil, "x\n", 7), (nil, "", 7), (nil, "ignore  \nmore\n", 0),
    ] as [(String?, String?, Int32)])
  func `a status that is to be ignored`(_ variable: String?, _ file: String?, _ status: Int32) throws {
    let scene = try OutcomeScene("exit 7")
    scene.environment["OUTCOME_STATUS"] = variable
    scene.control["outcomestatus"] = file
    #expect(scene.run(Self.success) == status)
  }

  @Test func intentions() throws {
    let scene = try OutcomeScene("", names: [])
    let programs = OutcomePrograms(
      ControlDirectory(files: [:]), Environment(), Circumstances.ofProcess(), arguments: [])
    #expect(programs.intentions(Environment(scene.environment)) == [])
    let environment = Environment(["ONTEMPORARY_REMOTE": "/b c", "ONSUCCESS_REMOTE": "/a", "ONFAILURE_REMOTE": ""])
    #expect(
      programs.intentions(environment) == [
        "afterwards: /a (the variable ONSUCCESS_REMOTE)", "afterwards: /b?c (the variable ONTEMPORARY_REMOTE)",
      ])
  }
}
