import Support
import Testing

@testable import Agent

/// A constant database in the memory of a test.
func constantDatabase(_ records: [(String, String)]) throws -> [UInt8] {
  let file = try #require(TemporaryDatabase())
  let maker = try ConstantDatabaseMaker(descriptor: file.descriptor)
  for (key, value) in records { try maker.add(bytes(key), bytes(value)) }
  try maker.finish()
  return file.content()
}

@Suite struct RouteSourcesTests {
  /// What decides, as `transport relay port (source)`.
  private func route(
    _ host: String, _ files: [String: String] = [:], _ environment: [String: String] = [:], sender: String = "s@x.example",
    recipient: String = "r@h.example", database: [(String, String)] = [], dialect: Dialect = .stock
  ) throws -> String {
    var contents = files.mapValues(bytes)
    if !database.isEmpty { contents[environment["MORESMTPROUTESCDB"] ?? "moresmtproutes.cdb"] = try constantDatabase(database) }
    let control = ControlDirectory(files: contents)
    let start = Environment(environment)
    let routers: [any Router] = [
      MoreRoutes(control, dialect: dialect, environment: start), AuthenticatedSenders(control, dialect: dialect),
      RouteTable(control, dialect: dialect, environment: start),
    ]
    let question = RouteQuestion(
      host: Domain(bytes(host)), sender: Address(bytes(sender)), recipients: [Address(bytes(recipient))])
    var choice = RouteChoice(routers, question)
    guard let route = try choice.route() else { return "none" }
    let relay = route.line.relay?.text.text ?? "MX"
    return "\(route.transport.rawValue) \(relay)\(route.line.port.map { " \($0)" } ?? "") (\(route.source))"
  }

  @Test("the sources in their order")
  func order() throws {
    let files = ["authsenders": "s@x.example:auth|u|p\n", "qmtproutes": "h.example:q\n", "smtproutes": "h.example:s\n"]
    let variables = ["QMTPROUTE": "h.example:Q", "SMTPROUTE": "h.example:S"]
    let database = [("r@h.example", "cdb")]
    #expect(
      try route("h.example", files, variables, database: database) == "SMTP cdb (control/moresmtproutes.cdb, key r@h.example)")
    #expect(try route("h.example", files, variables) == "SMTP auth (control/authsenders:1)")
    let rest = files.filter { $0.key != "authsenders" }
    #expect(try route("h.example", rest, variables) == "QMTP Q (the variable QMTPROUTE)")
    #expect(try route("h.example", rest, ["SMTPROUTE": "h.example:S"]) == "SMTP S (the variable SMTPROUTE)")
    #expect(try route("h.example", rest) == "QMTP q (control/qmtproutes:1)")
    #expect(try route("h.example", ["smtproutes": "h.example:s\n"]) == "SMTP s (control/smtproutes:1)")
    #expect(try route("h.example") == "none")
  }

  @Test(
    "position by position: the more specific key wins, whatever its source",
    arguments: [
      (["qmtproutes": ".example:q\n", "smtproutes": "h.example:s\n"], [:], "SMTP s (control/smtproutes:1)"),
      (["qmtproutes": ":q\n", "smtproutes": ".example:s\n"], [:], "SMTP s (control/smtproutes:1)"),
      (["smtproutes": "h.example:s\n"], ["QMTPROUTE": ":Q"], "SMTP s (control/smtproutes:1)"),
      (["qmtproutes": "h.example:q\n"], ["SMTPROUTE": ":S"], "QMTP q (control/qmtproutes:1)"),
      (["qmtproutes": "h.example:q\n"], ["SMTPROUTE": "h.example:S"], "SMTP S (the variable SMTPROUTE)"),
      (["smtproutes": "h.example:s\n"], ["SMTPROUTE": ":S"], "SMTP S (the variable SMTPROUTE)"),
      (["smtproutes": "h.example:s\n"], ["SMTPROUTE": "other:S"], "none"),
      (["smtproutes": ":s"], ["X-SMTPROUTES": ":X"], "SMTP X (the variable X-SMTPROUTES)"),
      ([:], ["X-SMTPROUTES": ":X", "SMTPROUTE": ":S"], "SMTP S (the variable SMTPROUTE)"),
      (["smtproutes": ":s"], ["X_SMTPROUTES": ":X"], "SMTP s (control/smtproutes:1)"),
      (["qmtproutes": ":\n", "smtproutes": ":s\n"], [:], "QMTP MX (control/qmtproutes:1)"),
      (["q2": ":q", "qmtproutes": ":no"], ["QMTPROUTESFILE": "q2"], "QMTP q (control/q2:1)"),
      (["s2": ":s", "smtproutes": ":no"], ["SMTPROUTESFILE": "s2"], "SMTP s (control/s2:1)"),

      ([:], ["SMTPROUTE": "#x"], "none"), ([:], ["SMTPROUTE": ""], "none"),
    ] as [([String: String], [String: String], String)])
  func positions(_ files: [String: String], _ environment: [String: String], _ expected: String) throws {
    #expect(try route("h.example", files, environment) == expected)
  }

  @Test("a variable is one line, whatever it holds")
  func oneLine() {
    #expect(throws: DeliveryFailure.self) { try route("h.example", [:], ["SMTPROUTE": "h.example:S\n:T"]) }
    #expect(throws: DeliveryFailure.self) { try route("x", [:], ["SMTPROUTE": "x:S:T"]) }
  }

  @Test("bounces take the first bounce route that says something")
  func bounces() throws {
    let files = ["qmtproutes": "!@:q\n", "smtproutes": "!@:s\n:all\n"]
    #expect(try route("h", files, sender: "") == "QMTP q (control/qmtproutes:1)")
    #expect(try route("h", ["smtproutes": "!@:s\n:all\n"], sender: "") == "SMTP s (control/smtproutes:1)")
    #expect(try route("h", ["smtproutes": "!@:\n:all\n"], sender: "") == "SMTP all (control/smtproutes:2)")
    #expect(try route("h", files, sender: "", database: [("!@", "cdb")]) == "SMTP cdb (control/moresmtproutes.cdb, key !@)")
    #expect(try route("h", files, sender: "", database: [("x", "y")]) == "QMTP q (control/qmtproutes:1)")
    #expect(
      try route("h", ["authsenders": ":relay|u|p\n", "smtproutes": "!@:s\n"], sender: "")
        == "SMTP relay (control/authsenders:1)")
  }

  @Test(
    "authsenders by the sender's parts",
    arguments: [
      ("info@example.com", "SMTP relay.example.com 26 (control/authsenders:2)"),
      ("x@example.com", "SMTP relay.example.com (control/authsenders:1)"),
      ("X@Example.COM", "SMTP relay.example.com (control/authsenders:1)"),
      ("x@sub.example.com", "SMTP dot (control/authsenders:3)"),
      ("x@other", "SMTP mailrelay.example.com (control/authsenders:4)"),
      ("", "SMTP mailrelay.example.com (control/authsenders:4)"),
    ])
  func senders(_ sender: String, _ expected: String) throws {
    let content =
      "@example.com:relay.example.com|user|passwd\ninfo@example.com:relay.example.com;26|infouser|infopasswd\n.example.com:dot|u|p\n:mailrelay.example.com|e=mc2|testpass\n"
    #expect(try route("h", ["authsenders": content], sender: sender) == expected)
  }

  @Test("an empty entry of authsenders or of the database is none")
  func empty() throws {
    #expect(try route("h", ["authsenders": "s@x.example:\n", "smtproutes": ":s"]) == "SMTP s (control/smtproutes:1)")
    #expect(try route("h", ["smtproutes": ":s"], database: [("r@h.example", "")]) == "SMTP s (control/smtproutes:1)")
  }

  @Test("the database by recipient and by domain, in small letters")
  func database() throws {
    let database = [("r@h.example", "user:26"), (".example", "domain"), ("", "all")]
    #expect(
      try route("h.example", recipient: "R@H.example", database: database)
        == "SMTP user 26 (control/moresmtproutes.cdb, key r@h.example)")
    #expect(
      try route("H.Example", recipient: "q@h.example", database: database)
        == "SMTP domain (control/moresmtproutes.cdb, key .example)")
    #expect(try route("h", recipient: "q@h", database: database) == "SMTP all (control/moresmtproutes.cdb, key (empty))")
    #expect(
      try route("h", [:], ["MORESMTPROUTESCDB": "m.cdb"], recipient: "q@h", database: database)
        == "SMTP all (control/m.cdb, key (empty))")
  }

  @Test("what is no database defers", arguments: ["", "x", String(repeating: "x", count: 2_000)])
  func noDatabase(_ content: String) {
    #expect(throws: DeliveryFailure.self) { try route("h", ["moresmtproutes.cdb": content]) }
  }

  @Test("a damaged database is a deferral or no entry, never a trap", arguments: 0..<20)
  func damaged(_ seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let whole = try constantDatabase([("r@h.example", "relay"), ("x", "y")])
    for _ in 0..<50 {
      var content = Array(whole.prefix(Int.random(in: 2_040...whole.count, using: &generator)))
      for _ in 0..<3 {
        content[Int.random(in: 0..<content.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      let control = ControlDirectory(files: ["moresmtproutes.cdb": content])
      let router = MoreRoutes(control, dialect: .stock, environment: Environment())
      let question = RouteQuestion(
        host: Domain(bytes("h.example")), sender: Address([]), recipients: [Address(bytes("r@h.example"))])
      do { _ = try router.route(for: question) } catch { #expect(error.status.disposition == .temporary) }
    }
  }

  @Test("recipients that would take another route wait for a delivery of their own")
  func deferred() throws {
    let database = try constantDatabase([("a@h", "one"), ("b@h", "two"), ("c@h", "one")])
    let control = ControlDirectory(files: ["moresmtproutes.cdb": database, "smtproutes": bytes(":one")])
    let routers: [any Router] = [
      MoreRoutes(control, dialect: .stock, environment: Environment()),
      RouteTable(control, dialect: .stock, environment: Environment()),
    ]
    let recipients = ["a@h", "b@h", "c@h", "d@h"].map { Address(bytes($0)) }
    var choice = RouteChoice(
      routers, RouteQuestion(host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: recipients))
    let route = try choice.route()
    let same = RecipientSettings(user: nil, edits: [])
    #expect(try choice.deferred(from: route, settingsDiffer: false, { _ in same }).map(\.position) == [1])
    let deferred = [DeferredRecipient(position: 1, address: recipients[1])]
    let accepted = TransactionResult(
      recipients: [reply("250 a"), reply("550 c"), reply("250 d")], end: .answered(reply("250 ok")))
    let letters = { (reports: Reports) in
      reports.recipients.map { String(UnicodeScalar($0.kind.rawValue)) }.joined()
        + String(UnicodeScalar(reports.message.kind.rawValue))
    }
    #expect(letters(Verdict.reports(accepted, from: address("192.0.2.1"), deferred: deferred)) == "rshrK")
    let refused = TransactionResult(recipients: [], end: .senderRefused(reply("550 no")))
    #expect(letters(Verdict.reports(refused, from: address("192.0.2.1"), deferred: deferred)) == "hsD")
    var failure = DeliveryFailure.noSuchHost(bytes("one"))
    failure.deferred = deferred
    #expect(letters(failure.reports) == "hsD")
  }
}
