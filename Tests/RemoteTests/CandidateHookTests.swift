// The program `candidates` in deliveries of the built program: who is asked, in which order, and who isn't.
import Foundation
import Support
import Testing

@Suite struct CandidateHookTests {
  private static let zone = """
    farthest.example MX 10 a.example
    farthest.example MX 20 b.example
    farthest.example MX 30 c.example
    a.example A 192.0.2.11
    b.example A 192.0.2.12
    c.example A 192.0.2.13
    """
  private static let busy = SMTPScript(replies: [.greeting: "421 busy\r\n"])
  private static let noConnection = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"

  /// - Returns: who was connected to, and the reports.
  private func deliver(_ commands: String, folder: TemporaryFolder? = nil) throws -> ([String], String) {
    let folder = try folder ?? TemporaryFolder()
    var remote = Remote()
    remote.host = "farthest.example"
    try folder.install("hooks/candidates", "#!/bin/sh\n\(commands)\n")
    remote.environment = ["HOOKDIR": "\(folder.path)/hooks", "ROOM": folder.path, "PATH": "/usr/bin:/bin"]
    let servers = ["192.0.2.11", "192.0.2.12", "192.0.2.13"].map { ($0, CandidateHookTests.busy) }
    let outcome = try TwoNetworks().deliver(
      zone: CandidateHookTests.zone, servers: Dictionary(uniqueKeysWithValues: servers), remote)
    #expect(outcome.finished.ending == .exited(0))
    return (outcome.contacts, String(decoding: outcome.finished.output.dropLast(), as: UTF8.self))
  }

  @Test(arguments: [
    ("true", ["11", "12", "13"]), ("printf 'keep=1\\nkeep=2\\nkeep=3\\n'", ["11", "12", "13"]),
    ("printf 'keep=3\\nkeep=1\\n'", ["13", "11"]), ("echo keep=2", ["12"]),
    ("grep ^candidate= | grep -v ' b.example ' | sed 's/^candidate=/keep=/; s/ .*//' | tac", ["13", "11"]),
  ])
  func `in its order`(_ commands: String, _ contacts: [String]) throws {
    let (asked, report) = try deliver(commands)
    #expect(asked == contacts.map { "192.0.2.\($0)" })
    #expect(report.hasPrefix("ZConnected to 192.0.2.\(contacts.last ?? "") but greeting failed.\n"))
  }

  @Test func `none of them`() throws {
    let (asked, report) = try deliver("echo keep=none")
    #expect(asked == [])
    #expect(report == "\(CandidateHookTests.noConnection)dropped by hooks/candidates\n")
  }

  @Test(arguments: [
    ("echo keep=4", "its answer keeps 4, and there is no such candidate"),
    ("echo keep=1; echo keep=1", "its answer keeps candidate 1 twice"),
    ("echo candidate=1", "its answer has the unknown key candidate"), ("exit 2", "its exit status is 2"),
  ])
  func `no answer`(_ commands: String, _ words: String) throws {
    let (asked, report) = try deliver(commands)
    #expect(asked == [])
    #expect(report == "ZUnable to use hooks/candidates: \(words). (#4.3.0)\n")
  }

  @Test func `its question`() throws {
    let folder = try TemporaryFolder()
    _ = try deliver("cat >$ROOM/question", folder: folder)
    #expect(
      String(decoding: try folder.read("question"), as: UTF8.self) == """
        host=farthest.example
        sender=sender@example.net
        recipient=user@example.com
        route=
        candidate=1 a.example 192.0.2.11 25
        candidate=2 b.example 192.0.2.12 25
        candidate=3 c.example 192.0.2.13 25

        """)
  }

  @Test func `the plan says whom it dropped`() throws {
    var hooked = try HookedRemote(["candidates": "echo keep=none"])
    hooked.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    #expect(try hooked.explain() == ["report: \(CandidateHookTests.noConnection.dropLast())", "dropped by hooks/candidates"])
    let kept = try HookedRemote(["candidates": "echo keep=1"])
    var remote = kept
    remote.remote.control["smtproutes"] = ":127.0.0.1:1\n"
    #expect(try remote.explain().contains("candidate 1: 127.0.0.1 port 1, the relay 127.0.0.1"))
  }
}
