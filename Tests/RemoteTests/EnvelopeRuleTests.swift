// Rules by sender and recipient in deliveries of the built program.
import Support
import Testing

@Suite struct EnvelopeRuleTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  @Test func `settings of the sender and of the recipient`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(["environment": "env >$ROOM/environment"], to: server)
    hooked.remote.environment["ENVRULES_REMOTE"] = "1"
    hooked.remote.control["fromd.envrules"] = "*@example.net:SIGNKEY=K,STEP=sender\n"
    hooked.remote.control["rcpt.envrules"] = "[ab]@*:STEP=a or b\nc@*:STEP=c\n"
    hooked.remote.recipients = ["a@example.com", "b@example.com", "c@example.com"]
    let waits = "sThis recipient takes another route than the first one, and waits for a delivery of its own. (#4.4.4)\n"
    expect(try hooked.run(), "r^@r^@\(waits)^@\(EnvelopeRuleTests.accepted)^@", verdict: "K")
    let lines = server.finish().flatMap(\.lines)
    #expect(lines.contains { $0.hasPrefix("MAIL FROM:<prvs=0") && $0.hasSuffix("=sender@example.net>") })
    #expect(lines.filter { $0.hasPrefix("RCPT") } == ["RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>"])
    // The program comes last, and sees what the rules did.
    #expect(try hooked.left("environment").split(separator: "\n").filter { $0.hasPrefix("STEP=") } == ["STEP=a or b"])
    let edits = try hooked.explain().filter { $0.hasPrefix("edit: ") }
    #expect(
      edits == [
        "edit: SIGNKEY set (control/fromd.envrules:1)", "edit: STEP set (control/fromd.envrules:1)",
        "edit: STEP set (control/rcpt.envrules:1)",
      ])
  }

  @Test func `a rule that can't be followed`() throws {
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:1\n"
    remote.control["rcpt.envrules"] = "user@*:PATH=/tmp\n"
    remote.environment["ENVRULES_REMOTE"] = ""
    expect(try remote.run(), "ZUnable to use control/rcpt.envrules:1: PATH may not be edited. (#4.3.5)\n^@")
  }
}
