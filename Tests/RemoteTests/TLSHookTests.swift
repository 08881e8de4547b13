// The program `tls` of a site, in explanations and deliveries of the built programs.
import Support
import Testing

@Suite struct TLSHookTests {
  @Test func `a program raises what the control files demand, for all candidates`() throws {
    var hooked = try HookedRemote(["tls": #"cat >"$ROOM/asked"; echo level=verify; echo cafile=/site.pem"#])
    hooked.remote.host = "[192.0.2.1]"
    hooked.remote.control["tlsdestinations"] = "*:||3\n"
    let lines = try hooked.explain()
    #expect(lines.contains("tls: verify by /site.pem (hooks/tls)"), "\(lines)")
    let recipients = hooked.remote.recipients.map { "recipient=\($0)\n" }.joined()
    #expect(
      try hooked.left("asked")
        == "host=[192.0.2.1]\nsender=\(hooked.remote.sender)\n\(recipients)name=[192.0.2.1]\naddress=192.0.2.1\nport=25\nlevel=may\n"
    )
  }

  @Test(
    arguments: [
      ("level=may", "tls: encrypt (control/tlsdestinations:1)"),
      ("level=none", "tls: encrypt (control/tlsdestinations:1)"),
      ("level=none\noverride=1", "tls: none (hooks/tls)"),
      ("level=may\noverride=1\nport=2525", "tls: may (hooks/tls)"),
      ("level=name\nname=site.example", "tls: name site.example by the system's authorities (hooks/tls)"),
      ("level=encrypt\nimplicit=1\noverride=1", "tls: encrypt, from the first byte (hooks/tls)"),
      ("", "tls: encrypt (control/tlsdestinations:1)"),
    ])
  func `it lowers them only on purpose`(_ answer: String, _ expected: String) throws {
    var hooked = try HookedRemote(["tls": "printf '\(answer)'"])
    hooked.remote.host = "[192.0.2.1]"
    hooked.remote.control["tlsdestinations"] = "[192.0.2.1]:\n"
    let lines = try hooked.explain()
    #expect(lines.contains(expected), "\(lines)")
    let port = answer.contains("port=") ? 2_525 : 25
    #expect(lines.contains("candidate 1: 192.0.2.1 port \(port), [192.0.2.1], preference 0"), "\(lines)")
  }

  @Test(
    arguments: [
      ("echo level=high", "its answer has the level high"), ("echo level=pin", "its answer has no fingerprint"),
      ("echo fingerprint=aa", "its answer has no level"), ("kill -9 $$", "signal 9 ended it"),
      ("echo level=dane", nil),
    ])
  func `what is no answer defers, and nothing is sent`(_ commands: String, _ fault: String?) throws {
    let server = try ScriptedServer(SMTPScript())
    let hooked = try HookedRemote(["tls": commands], to: server)
    let report =
      fault.map { "ZUnable to use hooks/tls: \($0). (#4.3.0)\n" }
      ?? "ZSorry, there are no TLSA records for 127.0.0.1. (#4.7.5)\nhooks/tls demands them\n"
    let finished = try hooked.run()
    expect(finished, "\(report)^@")
    #expect(server.dialogues.isEmpty)
    server.finish()
  }
}
