// Tags in deliveries of the built program, and batv(1) on what came over the wire.
import Foundation
import Support
import Testing

@Suite struct BATVTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
  private static let unavailable = "ZSystem resources temporarily unavailable. (#4.3.0)\n"

  private func expectAccepted(_ finished: FinishedProcess, at location: SourceLocation = #_sourceLocation) {
    expect(finished, "r^@\(BATVTests.accepted)^@", verdict: BATVTests.accepted, at: location)
  }

  private func batv(_ operands: [String], _ environment: [String: String] = [:]) throws -> FinishedProcess {
    var start = ProgramStart(try Binary.path("batv"), operands)
    start.environment = environment
    return try SpawnedProcess(start).finish()
  }

  @Test(arguments: ["md5", "draft 3"]) func `a tag that the receiver of a bounce can check`(_ format: String) throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.sender = "Joe.Shmoe@example.net"
    remote.control["batvkey"] = "a key of the site\n"
    remote.control["batvformat"] = "\(format)\n"
    expectAccepted(try remote.run())
    let mail = try #require(server.finish().flatMap(\.lines).first { $0.hasPrefix("MAIL FROM:<prvs=") })
    let tagged = String(mail.dropFirst("MAIL FROM:<".count).dropLast())
    #expect(tagged.hasSuffix("=Joe.Shmoe@example.net") && tagged.count == "prvs=0000aaaaaa=Joe.Shmoe@example.net".count)

    let checked = try batv(["-k", "a key of the site", "-f", format, "-v", tagged])
    #expect(String(decoding: checked.output, as: UTF8.self) == "Joe.Shmoe@example.net\n" && checked.ending == .exited(0))
    let control = try TemporaryFolder()
    try control.write("batvkey", "another\n")
    try control.write("batvformat", format)
    let refused = try batv(["-v", tagged], ["CONTROLDIR": control.path])
    #expect(refused.ending == .exited(2) && refused.output.isEmpty)
    #expect(String(decoding: refused.errors, as: UTF8.self) == "batv: could not verify \(tagged): bad BATV address encoding\n")
  }

  @Test func `the site's program comes after it and sees the tag`() throws {
    let server = try ScriptedServer(SMTPScript())
    var hooked = try HookedRemote(
      ["sender": #"cat >$ROOM/question; env >$ROOM/environment; sed -n 's/^outgoing=/sender=x-/p' $ROOM/question"#], to: server)
    hooked.remote.environment["SIGNKEY"] = "1632203830"
    expectAccepted(try hooked.run())
    let question = try hooked.left("question")
    #expect(question.contains("\nsender=sender@example.net\n"))
    let tagged = try #require(question.firstMatch(of: /\noutgoing=(prvs=0[0-9]{3}[0-9a-f]{6}=sender@example\.net)\n/)).1
    #expect(server.finish().flatMap(\.lines).contains("MAIL FROM:<x-\(tagged)>"))
    #expect(!(try hooked.left("environment").contains("1632203830")))
    let plan = try hooked.explain()
    #expect(plan.contains("original sender: <sender@example.net>"))
    #expect(
      plan.filter { $0.hasPrefix("rewriting:") } == [
        "rewriting: tagged (the variable SIGNKEY)", "rewriting: as hooks/sender says",
      ])
  }

  /// Nor does ps(1): the supervisor of a program is a copy of the process, its environment included.
  @Test func `nobody sees the key`() throws {
    let server = try ScriptedServer(SMTPScript())
    let dump = "cat /proc/$PPID/environ >$ROOM/parent; env >$ROOM/own"
    var hooked = try HookedRemote(["environment": dump], to: server)
    hooked.remote.environment["SIGNKEY"] = "1632203830"
    expectAccepted(try hooked.run())
    server.finish()
    for name in ["parent", "own"] {
      let seen = try hooked.left(name)
      #expect(seen.contains("ROOM=") && !seen.contains("1632203830"), "\(name)")
    }
  }

  // MARK: without the library

  /// A library that is none, which the loader finds first.
  private func broken() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("libcrypto.so.3", "no library")
    return folder
  }

  @Test func `no library, no unsigned mail`() throws {
    let folder = try broken()
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:1\n"
    remote.environment["LD_LIBRARY_PATH"] = folder.path
    remote.control["batvkey"] = "k\n"
    expect(try remote.run(), "\(BATVTests.unavailable)libcrypto can't be loaded (MD5)\n^@")
    let tool = try batv(["-k", "k", "-s", "a@b"], ["LD_LIBRARY_PATH": folder.path])
    #expect(tool.ending == .exited(111) && tool.output.isEmpty)
    #expect(
      String(decoding: tool.errors, as: UTF8.self)
        == "batv: fatal: \(BATVTests.unavailable.dropFirst())libcrypto can't be loaded (MD5)\n")
  }

  @Test func `a delivery that tags nothing doesn't need it`() throws {
    let folder = try broken()
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.environment["LD_LIBRARY_PATH"] = folder.path
    expectAccepted(try remote.run())
    remote.control["batvkey"] = "k\n"
    remote.control["batvnosignremote"] = "example.com\n"
    expectAccepted(try remote.run())
    #expect(server.finish().flatMap(\.lines).filter { $0 == "MAIL FROM:<sender@example.net>" }.count == 2)
  }

  /// As on a machine whose policy allows no weak digests.
  @Test func `a digest that is forbidden`() throws {
    let folder = try TemporaryFolder()
    let configuration = try folder.write(
      "openssl.cnf", "openssl_conf = init\n[init]\nalg_section = algorithms\n[algorithms]\ndefault_properties = fips=yes\n")
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:1\n"
    remote.environment["OPENSSL_CONF"] = configuration
    remote.control["batvkey"] = "k\n"
    expect(
      try remote.run(),
      "\(BATVTests.unavailable)libcrypto, as it is configured, doesn't have the digest (MD5)\n^@")
  }
}
