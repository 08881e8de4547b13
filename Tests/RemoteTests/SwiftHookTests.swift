// Hooks in Swift, as a site adds them: a copy of the sources with one more file (contrib/hooks/ExampleHooks.swift, which sees nothing but
// what is public) and one line for each hook in Site.swift; and what each of them does to the plan and to the delivery.
import Foundation
import Support
import Testing

/// The programs with the examples in them, built once.
private enum SiteBuild {
  /// The folder of the programs.
  static let shared = Result { try make() }

  private static let project = URL(filePath: #filePath).appending(path: "../../..").standardized.path
  /// It stays, so that the next build is a short one.
  private static let folder = "\(project)/.build/site"

  /// One line of Site.swift for each point: as it is, and as a site writes it.
  private static let lines = [
    ("routers: programs.routers + [", "routers: programs.routers + [ExampleRouter(environment, choice.dialect),"),
    ("programs.credentialSources + [", "[ExampleCredentials(choice.control)] + programs.credentialSources + ["),
    ("mechanismSelectors: ", "mechanismSelectors: [ExampleSelector(environment)] + "),
    ("mechanisms: Mechanisms.all", "mechanisms: [ExampleMechanism()] + Mechanisms.all"),
    ("environmentEditors: [", "environmentEditors: [ExampleEditor()] + ["),
    ("envelopeRewriters: [", "envelopeRewriters: [ExampleRewriter(), "),
    ("candidateFilters: ", "candidateFilters: [ExampleFilter()] + "),
    ("tlsPolicySources: [", "tlsPolicySources: [ExamplePolicy(),"),
    ("messageFilters: ", "messageFilters: [ExampleMessageFilter(environment)] + "),
    (
      "TimeoutBackOff(choice.dialect, environment, circumstances)",
      "ExampleBackOff(TimeoutBackOff(choice.dialect, environment, circumstances), environment)"
    ),
    ("+ programs.observers", "+ programs.observers + [ExampleObserver(environment)]"),
    ("outcomeHooks: [", "outcomeHooks: [ExampleOutcome(environment),"),
  ]

  private static func make() throws -> String {
    let files = FileManager.default
    let tree = "\(folder)/tree"
    try files.createDirectory(atPath: tree, withIntermediateDirectories: true)
    try copy("Package.swift", to: tree)
    for name in try files.subpathsOfDirectory(atPath: "\(project)/Sources") { try copy("Sources/\(name)", to: tree) }
    // The package names the folders of its tests, which nobody builds here.
    if !files.fileExists(atPath: "\(tree)/Tests") {
      try files.createSymbolicLink(atPath: "\(tree)/Tests", withDestinationPath: "\(project)/Tests")
    }
    try copy("contrib/hooks/ExampleHooks.swift", to: tree, as: "Sources/Hooks/ExampleHooks.swift")
    try write(try site(), "\(tree)/Sources/Site/Site.swift")
    try forget("\(tree)/Sources", besides: "\(project)/Sources")
    try build(tree)
    return "\(folder)/build/debug"
  }

  private static func site() throws -> [UInt8] {
    var text = try String(contentsOfFile: "\(project)/Sources/Site/Site.swift", encoding: .utf8)
    for (old, new) in lines {
      try #require(text.components(separatedBy: old).count == 2, "Site.swift has not one place like this: \(old)")
      text = text.replacingOccurrences(of: old, with: new)
    }
    return Array(text.utf8)
  }

  /// A file that hasn't changed is left alone: it would be compiled again.
  private static func copy(_ name: String, to tree: String, as other: String? = nil) throws {
    // The one that is changed.
    guard !name.hasSuffix("/Site.swift"), let content = FileManager.default.contents(atPath: "\(project)/\(name)") else {
      return
    }
    try write(Array(content), "\(tree)/\(other ?? name)")
  }

  private static func write(_ content: [UInt8], _ path: String) throws {
    if FileManager.default.contents(atPath: path).map(Array.init) == content { return }
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(content).write(to: URL(filePath: path))
  }

  /// Removes what an earlier copy has and the sources have no more.
  private static func forget(_ copy: String, besides original: String) throws {
    for name in try FileManager.default.subpathsOfDirectory(atPath: copy)
    where name != "Hooks/ExampleHooks.swift" && !FileManager.default.fileExists(atPath: "\(original)/\(name)") {
      try? FileManager.default.removeItem(atPath: "\(copy)/\(name)")
    }
  }

  private static func build(_ tree: String) throws {
    for product in ["qmail-remote", "qmail-remote-explain"] {
      var start = ProgramStart(
        "/usr/bin/env", ["swift", "build", "--package-path", tree, "--scratch-path", "\(folder)/build", "--product", product])
      start.environment = ProcessInfo.processInfo.environment
      start.errors = .sameAsOutput
      let finished = try SpawnedProcess(start).finish(within: 900)
      try #require(finished.ending == .exited(0), "\(String(decoding: finished.output, as: UTF8.self))")
    }
  }
}

@Suite struct SwiftHookTests {
  private static let accepted = "r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n\0"

  /// A delivery and an explanation by the programs with the examples in them.
  private struct Run {
    let report: String
    let plan: [String]
    let folder: TemporaryFolder

    init(_ environment: [String: String], _ control: [String: String] = [:], to server: ScriptedServer) throws {
      let programs = try SiteBuild.shared.get()
      let folder = try TemporaryFolder()
      self.folder = folder
      try folder.write("control/me", "me.example.net\n")
      try folder.write("control/smtproutes", ":127.0.0.1:\(server.port)\n")
      for (name, content) in control { try folder.write("control/\(name)", content) }
      let message = try folder.write("message", "Subject: test\n\nhello\n")
      var outputs: [String] = []
      for program in ["qmail-remote", "qmail-remote-explain"] {
        var start = ProgramStart("\(programs)/\(program)", ["example.com", "sender@example.net", "user@example.com"])
        start.environment = ["CONTROLDIR": "\(folder.path)/control", "SWIFT_BACKTRACE": "enable=no"]
        start.environment.merge(environment.mapValues { $0.replacingOccurrences(of: "ROOM", with: folder.path) }) { $1 }
        start.input = .file(message)
        let finished = try SpawnedProcess(start).finish()
        #expect(finished.ending == .exited(0))
        outputs.append(String(decoding: finished.output, as: UTF8.self))
      }
      report = outputs[0]
      plan = outputs[1].split(separator: "\n").map(String.init)
    }
  }

  /// A server, and what it was told.
  private func served(_ script: SMTPScript = SMTPScript(), _ body: (ScriptedServer) throws -> Void) throws -> [Dialogue] {
    let server = try ScriptedServer(script)
    try body(server)
    return server.finish()
  }

  @Test func `without settings nothing is otherwise`() throws {
    let dialogues = try served { server in
      let run = try Run([:], to: server)
      #expect(run.report == Self.accepted)
    }
    #expect(dialogues.flatMap(\.lines).contains("MAIL FROM:<sender@example.net>"))
  }

  @Test func `a router`() throws {
    let dialogues = try served { server in
      let run = try Run(
        ["EXAMPLE_ROUTE": "127.0.0.1:\(server.port)"], ["smtproutes": ":127.0.0.1:1\n"], to: server)
      #expect(run.report == Self.accepted)
      #expect(run.plan.contains("route: 127.0.0.1, port \(server.port) (the example)"))
    }
    #expect(dialogues.count == 1)
  }

  @Test func `an environment editor`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_EDITS": "IPPREFER=6only"], to: server)
      #expect(run.report.contains("the variable IPPREFER says 6only"))
      #expect(run.plan.contains("the variable IPPREFER says 6only"))
    }
    #expect(dialogues.isEmpty)
  }

  @Test func `an envelope rewriter`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_PREFIX": "x-"], to: server)
      #expect(run.report == Self.accepted)
      #expect(run.plan.contains("sender: <x-sender@example.net>") && run.plan.contains("rewriting: prefixed by the example"))
    }
    #expect(dialogues.flatMap(\.lines).contains("MAIL FROM:<x-sender@example.net>"))
  }

  @Test func `a candidate filter`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_EXCLUDED": "127.0.0.1"], to: server)
      #expect(run.report.hasPrefix("Z") && run.report.contains("dropped by the example"))
      #expect(run.plan.contains("dropped by the example"))
    }
    #expect(dialogues.isEmpty)
  }

  @Test func `a source of TLS policies`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_LEVEL": "encrypt"], to: server)
      // The server has no TLS.
      #expect(run.report.hasPrefix("Z"))
      #expect(run.plan.contains("tls: encrypt (the example)"))
    }
    #expect(dialogues.flatMap(\.bodies).isEmpty)
  }

  /// A source of credentials, a mechanism, and who selects it among those of the server.
  @Test(arguments: [("PLAIN", "LOGIN", ""), ("PLAIN", "LOGIN", "PLAIN"), ("X-EXAMPLE", "PLAIN", "X-EXAMPLE")])
  func `credentials and mechanisms`(_ first: String, _ second: String, _ wanted: String) throws {
    let server = try ScriptedServer { peer in try AuthenticatingScript("\(first) \(second)").serve(peer) }
    var environment: [String: String] = [:]
    if wanted == "X-EXAMPLE" {
      environment["AUTH_SMTP"] = wanted
    } else if !wanted.isEmpty {
      environment["EXAMPLE_MECHANISM"] = wanted
    }
    let run = try Run(environment, ["examplesecret": "user\ns3kr3t\n"], to: server)
    #expect(run.report == Self.accepted)
    #expect(run.plan.contains("credentials: user user (the example)"))
    let auth = try #require(run.plan.first { $0.hasPrefix("auth: ") })
    #expect(auth.hasSuffix(", as the example says") == (wanted == "PLAIN"))
    #expect(auth.contains("X-EXAMPLE (the variable AUTH_SMTP)") == (wanted == "X-EXAMPLE"))
    let lines = server.finish().flatMap(\.lines)
    let start = Data("user:s3kr3t".utf8).base64EncodedString()
    let plain = Data("\0user\0s3kr3t".utf8).base64EncodedString()
    let commands = ["": "AUTH LOGIN", "PLAIN": "AUTH PLAIN \(plain)", "X-EXAMPLE": "AUTH X-EXAMPLE \(start)"]
    #expect(lines.filter { $0.hasPrefix("AUTH ") } == [commands[wanted]])
  }

  @Test func `a message filter`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_LINE": "X-Example: yes"], to: server)
      #expect(run.report == Self.accepted)
      #expect(run.plan.contains("message: filtered by the example"))
    }
    #expect(dialogues.flatMap(\.bodies).map(visible) == ["X-Example: yes\\r\\nSubject: test\\r\\n\\r\\nhello\\r\\n.\\r\\n"])
  }

  /// It is asked at the connection, and no plan knows what it will say.
  @Test func `a memory of failures`() throws {
    let dialogues = try served { server in
      let run = try Run(["EXAMPLE_FAILING": "127.0.0.1"], to: server)
      #expect(run.report.hasPrefix("Z"))
      #expect(run.plan.contains { $0.hasPrefix("candidate 1: 127.0.0.1 ") })
    }
    #expect(dialogues.isEmpty)
  }

  @Test func `an observer`() throws {
    try _ = served { server in
      let run = try Run(["EXAMPLE_LOG": "ROOM/log"], to: server)
      #expect(run.report == Self.accepted)
      #expect(run.plan.contains("observed: \(run.folder.path)/log (the example)"))
      let lines = String(decoding: try run.folder.read("log"), as: UTF8.self).split(separator: "\n")
      #expect(lines == ["connected to 127.0.0.1"] + [220, 250, 250, 250, 354, 250].map { "reply \($0)" })
    }
  }

  @Test(arguments: [("250 ok 1", "success"), ("554 no", "permanent"), ("452 full", "temporary")])
  func `an outcome hook`(_ reply: String, _ word: String) throws {
    try _ = served(SMTPScript(replies: [.message: "\(reply)\r\n"])) { server in
      let run = try Run(["EXAMPLE_OUTCOMES": "ROOM/outcomes"], to: server)
      #expect(run.plan.last == "afterwards: \(run.folder.path)/outcomes (the example)")
      #expect(String(decoding: try run.folder.read("outcomes"), as: UTF8.self) == "example.com: \(word)\n")
    }
  }
}
