// Passwords in the variables of routes: nobody who looks at the processes of a delivery finds them, as ps(1) would.
import Foundation
import Support
import Testing

@Suite struct EnvironmentSecretTests {
  private static let secret = "hunter2"

  /// The environments that /proc shows of the program itself, of who runs it, and of the delivery.
  private static let look = """
    p=self
    for i in 1 2 3; do
      { echo "process $i:"; tr '\\0' '\\n' </proc/$p/environ; cat /proc/$p/cmdline | tr '\\0' ' '; echo; } >>$ROOM/seen
      [ $p = self ] && p=$PPID || p=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$p/status)
    done
    """

  private func expectNoSecret(_ seen: String, _ variable: String, _ count: Int, at location: SourceLocation = #_sourceLocation)
  {
    #expect(!seen.contains(Self.secret), "\(seen)", sourceLocation: location)
    // What is no secret is still there: so they are the environments that were meant.
    #expect(
      seen.components(separatedBy: "\n\(variable)=:relay.example").count == count + 1, "\(seen)", sourceLocation: location)
  }

  @Test(
    arguments: ["SMTPROUTE", "X-SMTPROUTES", "QMTPROUTE"], [" user hunter2", "|user|hunter2", ":26 user hunter2 A=hunter2"])
  func `in the delivery, its programs, and who runs them`(_ variable: String, _ credentials: String) throws {
    var hooked = try HookedRemote(["route": "\(Self.look)\necho 'No.' >&2; exit 111"])
    hooked.remote.environment[variable] = ":relay.example\(credentials)"
    expect(try hooked.run(), "ZNo. (#4.3.0)\nhooks/route, exit status 111\n^@")
    let seen = try hooked.left("seen")
    expectNoSecret(seen, variable, 3)
    #expect(seen.contains("process 3:\n") && seen.contains("qmail-remote example.com"))
  }

  @Test func `while a server is waited for, and in the program of the outcome`() throws {
    let running = Promise<Running>()
    let seen = Promise<String>()
    let server = try ScriptedServer(
      SMTPScript(hold: { step in
        guard step == .message, let pid = running.wait(seconds: 20)?.process.pid else { return }
        let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
        seen.keep("\n" + String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\0", with: "\n"))
      }))
    var hooked = try HookedRemote([:])
    hooked.remote.environment["HOOKDIR"] = nil
    hooked.remote.environment["SMTPROUTE"] = "example.com:127.0.0.1:\(server.port) user \(Self.secret)"
    hooked.remote.environment["X-SMTPROUTES"] = ":relay.example|user|\(Self.secret)"
    hooked.remote.environment["ONSUCCESS_REMOTE"] = try hooked.folder.install("success", "#!/bin/sh\n\(Self.look)\n")
    let process = try hooked.remote.start()
    running.keep(process)
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(process.finish(), "r^@\(accepted)^@", verdict: accepted)
    server.finish()
    expectNoSecret(try #require(seen.now), "X-SMTPROUTES", 1)
    #expect(seen.now?.contains("\nSMTPROUTE=example.com:127.0.0.1:\(server.port)\n") == true)
    let program = try hooked.left("seen")
    expectNoSecret(program, "X-SMTPROUTES", 3)
    #expect(program.components(separatedBy: "\nSMTPROUTE=example.com:127.0.0.1:\(server.port)\n").count == 4)
  }
}
