// The examples of contrib/hooks, each as a site would install it, in deliveries of the built program.
import Foundation
import Support
import Testing

/// A control directory with examples in it.
struct ExampleSite {
  let control: TemporaryFolder
  var remote = Remote()

  static let folder = (#filePath as NSString).deletingLastPathComponent + "/../../contrib/hooks"

  /// - Parameters:
  ///   - examples: by point.
  ///   - files: control files.
  init(_ examples: [String: String], _ files: [String: String] = [:], to server: ScriptedServer? = nil) throws {
    control = try TemporaryFolder()
    try control.write("me", "me.example.net\n")
    try control.write("smtproutes", ":127.0.0.1:\(server?.port ?? 1)\n")
    for (name, content) in files { try control.write(name, content) }
    for (point, example) in examples { try install(example, as: "hooks/\(point)") }
    remote.environment = ["CONTROLDIR": control.path, "PATH": "/usr/bin:/bin"]
  }

  @discardableResult
  func install(_ example: String, as name: String) throws -> String {
    let content = try #require(FileManager.default.contents(atPath: "\(ExampleSite.folder)/\(example)"))
    return try control.install(name, content)
  }

  /// - Returns: what was accepted, byte for byte the report of that; else the reports.
  func deliver() throws -> String { visible(try remote.run().output) }

  func explain() throws -> [String] {
    var start = ProgramStart(try Binary.path("qmail-remote-explain"), [remote.host, remote.sender] + remote.recipients)
    start.environment = remote.environment
    start.input = .file("/dev/null")
    return String(decoding: try SpawnedProcess(start).finish().output, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func read(_ name: String) throws -> String { String(decoding: try control.read(name), as: UTF8.self) }
}

@Suite struct ExampleHookTests {
  private static let accepted = visible("r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n\0".utf8)

  /// Every example is run by a test: by one here, or by its own.
  @Test func `all examples are known`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: ExampleSite.folder)
    #expect(
      names.sorted() == [
        "ExampleHooks.swift", "dkim-sign", "exclude-exchangers", "masquerade", "no-clear-password", "notify", "oauth-token",
        "settings-by-domain",
        "smarthost-by-sender", "statistics", "tls-by-sender", "trace-hosts",
      ])
  }

  // MARK: what decides

  @Test(
    arguments: [
      ("joe@example.org", "route=relay.example.net:587\n"), ("JOE@Example.ORG", "route=relay.example.net:587\n"),
      ("jane@example.org", "route=127.0.0.2\n"), ("a\\b@example.org", "route=127.0.0.2\n"), ("", "route=\n"),
      ("joe", "route=\n"),
      ("x@example.com", ""), ("joe@example.org.example.com", ""),
    ])
  func `a smarthost for each sender`(_ sender: String, _ answer: String) throws {
    let table = "# a comment\njoe@example.org:relay.example.net:587\n@example.org:127.0.0.2\n@:\n"
    var site = try ExampleSite(["route": "smarthost-by-sender"], ["smarthosts": table])
    site.remote.sender = sender
    #expect(try site.asked("route") == answer)
  }

  @Test func `a smarthost is where the mail goes`() throws {
    let server = try ScriptedServer(SMTPScript())
    var site = try ExampleSite(["route": "smarthost-by-sender"], ["smarthosts": "@example.net:127.0.0.1:\(server.port)\n"])
    #expect(try site.deliver() == Self.accepted)
    #expect(try site.explain().contains("route: 127.0.0.1, port \(server.port) (hooks/route)"))
    site.remote.sender = "joe@elsewhere.example"
    #expect(try site.explain().contains("route: 127.0.0.1, port 1 (control/smtproutes:1)"))
    #expect(server.finish().count == 1)
  }

  @Test func `settings by the sender's domain`() throws {
    let server = try ScriptedServer(SMTPScript())
    let settings = "# four\nIPPREFER=4only\nAUTH_SMTP=\nSIGNKEY=a=b\n"
    var site = try ExampleSite(["environment": "settings-by-domain"], ["settings/example.net": settings], to: server)
    site.remote.environment["AUTH_SMTP"] = "PLAIN"
    #expect(try site.deliver() == Self.accepted)
    #expect(
      try site.explain().filter { $0.hasPrefix("edit:") || $0.hasPrefix("family:") } == [
        "edit: IPPREFER set (hooks/environment)", "edit: AUTH_SMTP unset (hooks/environment)",
        "edit: SIGNKEY set (hooks/environment)", "family: 4only (the variable IPPREFER)",
      ])
    for sender in ["x@example.com", "x@../settings/example.net", "x@.", ""] {
      site.remote.sender = sender
      #expect(try site.explain().contains { $0.hasPrefix("edit:") } == false, "\(sender)")
    }
    try site.control.write("settings/example.com", "PATH=/tmp\n")
    site.remote.sender = "x@example.com"
    #expect(try site.deliver() == visible("ZUnable to use hooks/environment: PATH may not be edited. (#4.3.0)\n\0".utf8))
    #expect(server.finish().flatMap(\.lines).contains { $0.hasPrefix("MAIL FROM:<prvs=") })
  }

  @Test(
    arguments: [
      ("joe@printer.example.org", "joe@example.org"), ("joe@a.b.EXAMPLE.org", "joe@example.org"), ("joe@example.org", nil),
      ("joe@notexample.org", nil), ("joe@x.example.com", nil), ("a@b@x.example.org", "a@b@example.org"), ("", nil),
      ("joe", nil),
      ("prvs=0123456789=joe@x.example.org", nil), ("%s\\n@x.example.org", "%s\\n@example.org"),
    ] as [(String, String?)])
  func `senders at machines of the site`(_ sender: String, _ expected: String?) throws {
    var site = try ExampleSite(["sender": "masquerade"], ["masquerade": "# ours\nother.example\nexample.org\n"])
    site.remote.sender = sender
    #expect(try site.asked("sender", "outgoing=\(sender)\n") == (expected.map { "sender=\($0)\n" } ?? ""))
    if let expected, !expected.contains("\\"), !expected.contains("a@b") {
      #expect(try site.explain().contains("sender: <\(expected)>"))
      #expect(try site.explain().contains("original sender: <\(sender)>"))
    }
  }

  @Test func `exchangers that are never connected to`() throws {
    let zone = """
      farthest.example MX 10 mx1.parked.example
      farthest.example MX 20 b.example
      farthest.example MX 30 c.example
      mx1.parked.example A 192.0.2.11
      b.example A 192.0.2.12
      c.example A 192.0.2.13
      """
    var site = try ExampleSite(["candidates": "exclude-exchangers"])
    try FileManager.default.removeItem(atPath: "\(site.control.path)/smtproutes")
    site.remote.host = "farthest.example"
    let servers = ["192.0.2.11": SMTPScript(), "192.0.2.12": SMTPScript(), "192.0.2.13": SMTPScript()]
    for (table, contacts) in [
      ("*.parked.example\n192.0.2.12\n", ["192.0.2.13"]), ("# none\n", ["192.0.2.11"]), ("*.parked.example", ["192.0.2.12"]),
      ("*\n", []),
    ] {
      try site.control.write("mxexclude", table)
      let outcome = try TwoNetworks().deliver(zone: zone, servers: servers, site.remote)
      #expect(outcome.contacts == contacts)
      let letter = SpawnVerdict(output: outcome.finished.output, ending: outcome.finished.ending).letter
      #expect(letter == (contacts.isEmpty ? "Z" : "K"))
    }
  }

  @Test(
    arguments: [
      ("joe@accounts.example.org", true), ("jane@Accounts.example.org", true), ("x@example.net", false), ("", false),
    ])
  func `mail of some senders never goes in clear`(_ sender: String, _ isDemanded: Bool) throws {
    let table = "# ours\njoe@accounts.example.org encrypt\n@accounts.example.org encrypt\n"
    let server = try ScriptedServer(SMTPScript())
    var site = try ExampleSite(["tls": "tls-by-sender"], ["tlssenders": table], to: server)
    site.remote.sender = sender
    #expect(try site.explain().contains("tls: encrypt (hooks/tls)") == isDemanded)
    // The server has no TLS.
    #expect(try site.deliver().hasPrefix(isDemanded ? "Z" : Self.accepted))
    #expect(server.finish().flatMap(\.bodies).count == (isDemanded ? 0 : 1))
  }

  @Test(
    arguments: [
      ("CRAM-MD5 PLAIN LOGIN", false, "CRAM-MD5"), ("PLAIN LOGIN", false, nil), ("CRAM-MD5 PLAIN LOGIN", true, "CRAM-MD5"),
      ("PLAIN", true, "PLAIN"),
    ] as [(String, Bool, String?)])
  func `no password in clear`(_ mechanisms: String, _ isSecured: Bool, _ wanted: String?) throws {
    let pki = try TestPKI.shared.get()
    var behaviour = isSecured ? TLSBehaviour(pki[.ec]) : TLSBehaviour()
    if isSecured {
      behaviour.secureKeywords = ["AUTH \(mechanisms)"]
    } else {
      behaviour.clearKeywords = ["AUTH \(mechanisms)"]
    }
    behaviour.accounts = ["user": "s3kr3t"]
    let server = try TLSServers.shared.get().start(behaviour)
    let site = try ExampleSite(["mechanism": "no-clear-password"], ["smtproutes": ":127.0.0.1:\(server.port)|user|s3kr3t\n"])
    #expect(try site.deliver().hasPrefix("r^@K"))
    let logins = try server.finish().flatMap(\.logins).map(\.mechanism)
    #expect(logins == [wanted].compactMap(\.self))
    #expect(try site.explain().contains { $0.hasPrefix("auth:") && $0.hasSuffix(", as hooks/mechanism says") })
  }

  // MARK: what watches

  @Test func `events of some hosts`() throws {
    let server = try ScriptedServer(SMTPScript())
    var site = try ExampleSite(["trace": "trace-hosts"], ["tracehosts": "Example.com\n", "traces/.keep": ""], to: server)
    #expect(try site.deliver() == Self.accepted)
    site.remote.host = "other.example"
    #expect(try site.deliver() == Self.accepted)
    server.finish()
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(site.control.path)/traces").filter { $0 != ".keep" }
    #expect(files.count == 1 && files[0].hasPrefix("example.com."))
    let lines = try site.read("traces/\(files[0])").split(separator: "\n")
    let events = try lines.map { try RecordObject(JSONSerialization.jsonObject(with: Data($0.utf8))).text("event") }
    #expect(events.first == "planned" && events.last == "reported" && events.contains("connected"))
    #expect(try site.explain().contains("trace: hooks/trace"))
  }

  @Test func `a line for each delivery`() throws {
    let script = SMTPScript(replies: [.recipient(1): "550 no\r\n"])
    let server = try ScriptedServer(script)
    var site = try ExampleSite(["record": "statistics"], ["statistics": ""], to: server)
    #expect(try site.deliver() == Self.accepted)
    site.remote.recipients = ["a@x", "b@x"]
    _ = try site.deliver()
    try site.control.write("smtproutes", ":127.0.0.1:1\n")
    site.remote.host = "a b\tc.example"
    _ = try site.deliver()
    server.finish()
    let lines = try site.read("statistics").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.map(\.count) == [9, 9, 9])
    #expect(
      lines.map { Array($0[1...6]) } == [
        ["success", "example.com", "127.0.0.1", "250", "1", "27"], ["success", "example.com", "127.0.0.1", "550", "2", "27"],
        ["deferral", "a?b?c.example", "-", "-", "2", "-"],
      ])
    #expect(lines.allSatisfy { (Int($0[0]) ?? 0) > 1_700_000_000 && (Double($0[7]) ?? -1) >= 0 && $0[8] == "-" })
  }
}

extension ExampleSite {
  /// What an example answers, with the question that every program gets.
  func asked(_ point: String, _ more: String = "") throws -> String {
    var start = ProgramStart("\(control.path)/hooks/\(point)", [remote.host, remote.sender] + remote.recipients)
    start.environment = ["CONTROLDIR": control.path, "HOOKPOINT": point]
    start.input = .pipe(
      Array("host=\(remote.host)\nsender=\(remote.sender)\nrecipient=\(remote.recipients[0])\n\(more)".utf8))
    let finished = try SpawnedProcess(start).finish()
    #expect(finished.ending == .exited(0) && finished.errors.isEmpty, "\(visible(finished.errors))")
    return String(decoding: finished.output, as: UTF8.self)
  }
}
