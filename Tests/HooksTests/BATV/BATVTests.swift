// Which senders get a tag, from which key and in which format, and what the plan says of it.
import Agent
import Support
import Testing

@testable import Hooks

/// What the rewriter says in a site with one key.
private func decision(
  _ sender: String, recipients: [String] = ["r@a.example"], host: String = "a.example", relay: String? = nil,
  files: [String: String] = [:], environment: [String: String] = [:]
) throws -> String {
  let control = ControlDirectory(files: ["batvkey": "1632203830\n"].merging(files) { $1 }.mapValues(bytes))
  let circumstances = Circumstances(clock: SystemClock(), wallSeconds: 1_632_203_830, seed: 1, processID: 1)
  let question = RouteQuestion(
    host: Domain(bytes(host)), sender: Address(bytes(sender)), recipients: recipients.map { Address(bytes($0)) })
  let route = try relay.map { Route(line: try RouteLine(bytes($0), dialect: .stock, place: "x"), source: "x") }
  do {
    let decision = try BATV(control, circumstances).sender(
      Address(bytes(sender)), for: question, route: route, environment: Environment(environment))
    guard let decision else { return "nothing" }
    return "\(String(decoding: decision.sender.mailbox, as: UTF8.self)), \(decision.reason)"
  } catch {
    return String(decoding: error.report.wire.dropLast(2), as: UTF8.self)
  }
}

@Suite struct BATVTests {
  private static let tagged = "prvs=0891a9abd5=test@example.com, tagged (control/batvkey)"

  @Test(
    arguments: [
      ("test@example.com", tagged), ("", "nothing"),
      // Lists and senders without a domain are senders too.
      ("list-@l.test-@[]", "\"prvs=089193c936=list-@l.test-\"@[], tagged (control/batvkey)"),
      ("joe", "prvs=089155b8c7=joe, tagged (control/batvkey)"),
      ("bounces+x@b.test", "prvs=0891547b12=bounces+x@b.test, tagged (control/batvkey)"),
      // The tag goes into the quotes: a server sees the address that the quotes stand for, and so does a check.
      ("a b@b.test", "\"prvs=0891b8d8c7=a b\"@b.test, tagged (control/batvkey)"),
      // The domain comes back as it went out.
      ("test@b\u{fc}cher.example", "prvs=0891daf3d3=test@xn--bcher-kva.example, tagged (control/batvkey)"),
      ("prvs=0891a9abd5=test@example.com", "prvs=0891a9abd5=test@example.com, not tagged: it is tagged already"),
      ("prvs=x", "prvs=x, not tagged: it is tagged already"),
      ("sb*-joe@b.test", "joe@b.test, not tagged, as its beginning sb*- asked for"),
      ("sb*-", "prvs=0891ad27ac=sb*-, tagged (control/batvkey)"),
      (
        "SRS0=aaaa=bb=x.test=joe@b.test",
        "SRS0=aaaa=bb=x.test=joe@b.test, not tagged: its local part has a =, behind which its tag could not be checked"
      ),
      ("joe@b.test=", "prvs=089138c9e7=joe@b.test=, tagged (control/batvkey)"),
      ("joe=", "joe=, not tagged: its local part has a =, behind which its tag could not be checked"),
    ])
  func `senders`(_ sender: String, _ expected: String) throws { #expect(try decision(sender) == expected) }

  @Test func `a sender that is too long with a tag`() throws {
    let sender = "\(String(repeating: "x", count: 970))@b.test"
    #expect(try decision(sender) == "\(sender), not tagged: with a tag it is longer than a command line")
  }

  @Test(
    arguments: [
      (["batvkey": "1632203830  \t\nsecond line\n"], [:], tagged), (["batvkey": "1632203830"], [:], tagged),
      (["batvkey": ""], [:], "nothing"), (["batvkey": "\n1632203830\n"], [:], "nothing"),
      (["batvkey": " \t\n"], [:], "nothing"),
      (["batvkey": "x\n"], ["SIGNKEY": "1632203830"], "prvs=0891a9abd5=test@example.com, tagged (the variable SIGNKEY)"),
      ([:], ["SIGNKEY": ""], tagged),
      (
        ["batvkey": "", "k": "1632203830\n"], ["BATVKEY": "k"], "prvs=0891a9abd5=test@example.com, tagged (control/k)"
      ),
      ([:], ["BATVKEY": "none"], "nothing"), ([:], ["BATVKEY": ""], tagged),
      (["batvformat": "md5\n"], [:], tagged), (["batvformat": "\n"], [:], tagged),
      (["batvformat": "draft\n"], [:], "prvs=089845144e=test@example.com, tagged (control/batvkey)"),
      (["batvformat": "draft 4\n"], [:], "prvs=4898c00c78=test@example.com, tagged (control/batvkey)"),
      (["batvformat": "sha1\n"], [:], "ZUnable to use control/batvformat:1: sha1 is no format of tags. (#4.3.5)"),
      // Without a key nobody asks what the rest says.
      (["batvkey": "", "batvformat": "sha1\n"], [:], "nothing"),
    ] as [([String: String], [String: String], String)])
  func `keys and formats`(_ files: [String: String], _ environment: [String: String], _ expected: String) throws {
    #expect(try decision("test@example.com", files: files, environment: environment) == expected)
  }

  @Test func `the draft's tags may stand before a sign like their own`() throws {
    #expect(
      try decision("SRS0=aaaa=bb=x.test=joe@b.test", files: ["batvformat": "draft\n"])
        == "prvs=08985aae18=SRS0=aaaa=bb=x.test=joe@b.test, tagged (control/batvkey)")
  }

  /// Domains in batvnosignremote, and where one of the names of the other side stands in it.
  @Test(
    arguments: [
      ("", nil), ("b.example\n", nil), ("example\n.example\nx.a.example\n", nil), ("# no\nA.Example\n", 2),
      ("b.example\n\n", nil), ("other.example\n", 1), ("relay.example\n", 1), ("host.example\n", 1), ("example.com\n", nil),
      ("192.0.2.1\n", nil), ("b.example \n other.example\nother.example \n", 3),
    ] as [(String, Int?)])
  func `remote domains that are left out`(_ list: String, _ line: Int?) throws {
    let found = try decision(
      "test@example.com", recipients: ["r@a.example", "s@other.example", "t"], host: "host.example", relay: "relay.example:26",
      files: ["batvnosignremote": list])
    let reason = "not tagged: the remote host is in control/batvnosignremote"
    #expect(found == line.map { "test@example.com, \(reason):\($0)" } ?? BATVTests.tagged)
  }

  @Test(
    arguments: [
      ("", nil), ("example.com\n", 1), ("EXAMPLE.com\n", 1), ("com\n.com\n", nil), ("a.example\n", nil), ("#x\nexample.com", 2),
    ] as [(String, Int?)])
  func `local domains that are left out`(_ list: String, _ line: Int?) throws {
    let found = try decision("test@example.com", files: ["batvnosignlocals": list])
    let reason = "not tagged: its domain is in control/batvnosignlocals"
    #expect(found == line.map { "test@example.com, \(reason):\($0)" } ?? BATVTests.tagged)
    let other = try decision(
      "test@example.com", files: ["x": list], environment: ["BATVNOSIGNLOCALS": "x", "BATVNOSIGNREMOTE": "none"])
    #expect(other == line.map { "test@example.com, not tagged: its domain is in control/x:\($0)" } ?? BATVTests.tagged)
  }

  @Test func `variables name the lists`() throws {
    let files = ["batvnosignremote": "a.example\n", "batvnosignlocals": "example.com\n", "x": "A.EXAMPLE\n", "empty": ""]
    #expect(
      try decision(
        "test@example.com", files: files, environment: ["BATVNOSIGNREMOTE": "x", "BATVNOSIGNLOCALS": "empty"])
        == "test@example.com, not tagged: the remote host is in control/x:1")
    #expect(
      try decision(
        "test@example.com", files: files, environment: ["BATVNOSIGNREMOTE": "empty", "BATVNOSIGNLOCALS": "empty"])
        == BATVTests.tagged)
  }

  /// Whatever rewrote the sender before: exclusions go by the original one.
  @Test func `look-ups by the original sender`() throws {
    let control = ControlDirectory(files: ["batvkey": bytes("k"), "batvnosignlocals": bytes("original.example\n")])
    let batv = BATV(control, Circumstances(clock: SystemClock(), wallSeconds: 0, seed: 1, processID: 1))
    let question = RouteQuestion(
      host: Domain(bytes("h")), sender: Address(bytes("s@original.example")), recipients: [Address(bytes("r@h"))])
    let decision = try batv.sender(Address(bytes("t@other.example")), for: question, route: nil, environment: Environment())
    #expect(decision?.reason == "not tagged: its domain is in control/batvnosignlocals:1")
  }

  @Test func `no program is shown the key`() {
    let entries = HookEnvironment(
      Environment(["SIGNKEY": "secret", "SIGNKEYS": "shown", "BATVKEY": "file"]), .sender, control: bytes("/c"), dialect: .stock
    ).entries.map { String(decoding: $0, as: UTF8.self) }
    #expect(!entries.contains { $0.contains("secret") })
    #expect(entries.contains("SIGNKEYS=shown") && entries.contains("BATVKEY=file"))
  }
}
