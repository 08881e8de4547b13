import Support
import Testing

@testable import Agent

/// Knows everybody.
private struct AnyCredentials: CredentialSource {
  func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    route.line.credentials == nil ? nil : CredentialIdentity(user: bytes("u"), source: "x")
  }

  func credentials(for request: CredentialRequest, environment: Environment) throws(DeliveryFailure) -> Credentials? {
    Credentials(user: bytes("u"), secret: Secret(bytes("p")), kind: .password)
  }
}

@Suite struct PlanTests {
  private static let zone = """
    three.example MX 20 second.example
    three.example MX 10 first.example
    three.example MX 30 third.example
    first.example A 192.0.2.1
    first.example AAAA 2001:db8::1
    second.example A 192.0.2.2
    third.example A 192.0.2.3
    direct.example A 192.0.2.9
    direct.example AAAA 2001:db8::9
    null.example MX 0
    literal.example MX 5 192.0.2.50
    half.example MX 10 broken.example
    half.example MX 20 second.example
    broken.example A SERVFAIL
    broken.example AAAA NODATA
    dead.example MX 10 nowhere.example
    dead.example MX 20 gone.example
    soft.example MX 10 broken.example
    soft.example MX 20 gone.example
    servfail.example MX SERVFAIL
    servfail.example A 192.0.2.8
    noaddress.example CNAME x.example
    softaddress.example A SERVFAIL
    """

  /// The plan as candidates, or the report.
  private func plan(
    _ host: String, _ files: [String: String] = [:], own: [String] = [], sender: String = "s@x", dialect: Dialect = .stock,
    environment: [String: String] = [:], zone: String = zone, seed: UInt64 = 1
  ) -> String {
    let control = memoryControl(["me": "me.test"].merging(files) { $1 })
    let delivery = Delivery(
      hooks: HookSet(
        routers: [RouteTable(control, dialect: dialect, environment: Environment())], credentialSources: [AnyCredentials()]),
      resolver: FakeResolver(zone: zone),
      interfaces: FakeInterfaces(own), network: FakeNetwork([:], clock: TestClock()), lastWords: RecordedLastWords(),
      circumstances: Circumstances(clock: TestClock(), wallSeconds: 0, seed: seed, processID: 1))
    let envelope = Envelope(host: Domain(bytes(host)), sender: Address(bytes(sender)), recipients: [Address(bytes("r@y"))])
    do {
      var variables = environment
      variables["QMAILREMOTE_DIALECT"] = dialect.rawValue
      let start = Environment(variables)
      let choice = try DialectChoice(operands: [], environment: start) { _ in control }
      let plan = try delivery.plan(envelope, choice, start)
      return plan.candidates.map { "\($0.exchanger.text)=\($0.address.text)/\($0.port)" }.joined(separator: " ")
    } catch {
      return "\(error.status)"
    }
  }

  @Test(
    "mail exchangers",
    arguments: [
      (
        "three.example",
        "first.example=2001:db8::1/25 first.example=192.0.2.1/25 second.example=192.0.2.2/25 third.example=192.0.2.3/25"
      ),
      ("direct.example", "direct.example=2001:db8::9/25 direct.example=192.0.2.9/25"),
      ("192.0.2.77", "192.0.2.77=192.0.2.77/25"),
      ("[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]=2001:db8::7/25"), ("literal.example", "192.0.2.50=192.0.2.50/25"),
      ("half.example", "second.example=192.0.2.2/25"), ("null.example", "5.1.10"), ("nowhere.example", "5.1.2"), ("", "5.1.2"),
      ("noaddress.example", "5.1.2"), ("dead.example", "5.4.4"), ("soft.example", "4.1.2"), ("servfail.example", "4.1.2"),
      ("softaddress.example", "4.1.2"), ("256.1.1.1", "5.1.2"),
    ])
  func exchangers(_ host: String, _ expected: String) { #expect(plan(host) == expected) }

  @Test(
    "ourselves and everything behind us are cut",
    arguments: [
      (["192.0.2.2"], "first.example=2001:db8::1/25 first.example=192.0.2.1/25"), (["192.0.2.1"], "5.4.6"),
      (["2001:db8::1"], "5.4.6"),
      (["192.0.2.3"], "first.example=2001:db8::1/25 first.example=192.0.2.1/25 second.example=192.0.2.2/25"),
      (["::ffff:192.0.2.2"], "first.example=2001:db8::1/25 first.example=192.0.2.1/25"),
    ])
  func own(_ own: [String], _ expected: String) { #expect(plan("three.example", own: own) == expected) }

  @Test("loopback is ourselves, unless a route or notipme says otherwise")
  func loopback() {
    #expect(plan("[127.0.0.1]") == "5.4.6")
    #expect(plan("[::1]") == "5.4.6")
    #expect(plan("0.0.0.0") == "5.4.6")
    #expect(plan("[127.0.0.1]", ["notipme": "127.0.0.0/8"]) == "[127.0.0.1]=127.0.0.1/25")
    #expect(plan("x", ["smtproutes": ":127.0.0.1:26"]) == "127.0.0.1=127.0.0.1/26")
  }

  @Test(
    "routes",
    arguments: [
      (":relay.example:26", "x", "s@x", "5.1.2"),
      (":direct.example:26", "x", "s@x", "direct.example=2001:db8::9/26 direct.example=192.0.2.9/26"),
      (":three.example", "x", "s@x", "5.1.2"),
      (":;26", "direct.example", "s@x", "direct.example=2001:db8::9/26 direct.example=192.0.2.9/26"),
      ("direct.example:\n:192.0.2.60", "direct.example", "s@x", "direct.example=2001:db8::9/25 direct.example=192.0.2.9/25"),
      (":[2001:db8::60]", "", "s@x", "[2001:db8::60]=2001:db8::60/25"),
      ("!@:192.0.2.61\n:192.0.2.60", "x", "", "192.0.2.61=192.0.2.61/25"),
      ("x:relay:0", "x", "s@x", "4.3.5"), ("x:192.0.2.1;s", "x", "s@x", "192.0.2.1=192.0.2.1/465"),
      ("x:192.0.2.1:465", "x", "s@x", "192.0.2.1=192.0.2.1/465"),
      ("x:192.0.2.1|u|p", "x", "s@x", "192.0.2.1=192.0.2.1/25"),
      ("x:192.0.2.60 u p", "x", "s@x", "192.0.2.60=192.0.2.60/25"),
      ("x:192.0.2.60||192.0.2.1", "x", "s@x", "192.0.2.60=192.0.2.60/25"),
      ("x:192.0.2.60:26:10:20", "x", "s@x", "192.0.2.60=192.0.2.60/26"),
    ])
  func routes(_ routes: String, _ host: String, _ sender: String, _ expected: String) {
    #expect(plan(host, ["smtproutes": routes], sender: sender) == expected)
  }

  @Test("a relay with credentials is like any other", arguments: ["u p", "/s", "/r", "/token"])
  func credentials(_ credentials: String) {
    let routes = ["smtproutes": ":192.0.2.60 \(credentials)"]
    #expect(plan("x", routes) == "192.0.2.60=192.0.2.60/25")
    #expect(plan("x", routes, environment: ["AUTH_SMTP": ""]) == "192.0.2.60=192.0.2.60/25")
  }

  @Test("exchangers of one preference take turns, and a plan with the same seed is the same")
  func shuffle() {
    let zone = (1...4).map { "h MX 5 m\($0)\nm\($0) A 192.0.2.\($0)\n" }.joined()
    let plans = (0..<64).map { plan("h", zone: zone, seed: UInt64($0)) }
    #expect(plans == (0..<64).map { plan("h", zone: zone, seed: UInt64($0)) })
    for first in 1...4 { #expect(plans.contains { $0.hasPrefix("m\(first)=") }) }
    #expect(Set(plans).count > 10)
  }

  @Test("two rounds of questions, each asked at once")
  func rounds() throws {
    let resolver = FakeResolver(zone: Self.zone)
    let limits = LookupLimits(round: nil, overall: .never, clock: TestClock())
    let lookup = ExchangerLookup(resolver: resolver, limits: limits, seed: 1) { _ in 25 }
    _ = try lookup.lookUp(.host(Domain(bytes("three.example"))), aliasesOf: [])
    #expect(resolver.rounds.map(\.count) == [1, 6])
  }

  @Test("without a name nothing is planned")
  func noName() {
    #expect(throws: DeliveryFailure.self) { try Config(memoryControl([:]), dialect: .stock) }
  }
}
