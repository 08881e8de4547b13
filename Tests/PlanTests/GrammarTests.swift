// One meaning, however it is written: the route grammars of the families side by side, in every dialect, and the lines that two of them
// would read in two ways.
import Support
import Testing

@testable import Agent

/// A meaning and the ways to write it: what stands after the key's colon.
struct RouteMeaning: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let spellings: [String]
  var environment: [String] = []

  init(_ description: String, _ spellings: [String], environment: [String] = []) {
    testDescription = description
    self.spellings = spellings
    self.environment = environment
  }

  static let zone = """
    a.example MX 10 mx.example
    mx.example A 192.0.2.1
    relay.example A 192.0.2.60
    relay.example AAAA 2001:db8::60
    cafe A 192.0.2.61
    """

  static let all = [
    RouteMeaning("the exchangers", ["", ":", ";", "||", " /none"]),
    RouteMeaning(
      "a relay",
      [
        "relay.example", "relay.example:", "relay.example;", "relay.example::", "relay.example:::", "relay.example:25",
        "relay.example;25", "relay.example||", "relay.example||0.0.0.0",
        "relay.example /none", "relay.example:: u p",
      ]),
    RouteMeaning(
      "a relay and a port",
      [
        "relay.example:26", "relay.example;26", "relay.example:26:", "relay.example:26::",
        "relay.example;26||", "relay.example:26 u p", "relay.example:26: /s", "relay.example:26||",
      ]),
    RouteMeaning(
      "a relay, a penalty and a tolerance",
      ["relay.example::3600:120", "relay.example:25:3600:120", "relay.example:25:3600:120 u p", "relay.example::3600:120||"]),
    RouteMeaning("a relay without back-off", ["relay.example::0", "relay.example:25:0", "relay.example::0:"]),
    RouteMeaning("a port of the exchangers", [":26", ";26", ";26||", ":26 u p"]),
    RouteMeaning(
      "an IPv6 relay",
      ["[2001:db8::60]", "2001:db8::60", "2001:db8::60;", "[2001:db8::60]:", "[2001:db8::60];25", "2001:db8::60||"]),
    RouteMeaning(
      "an IPv6 relay and a port",
      ["[2001:db8::60]:26", "[2001:db8::60];26", "2001:db8::60;26", "[2001:db8::60]:26::", "[2001:db8::60];26||"]),
    RouteMeaning(
      "TLS from the first byte",
      [
        "relay.example:465", "relay.example;465", "relay.example;s", "relay.example;s465", "relay.example:465::",
        "relay.example;s||",
      ]),
    RouteMeaning(
      "user and password, with AUTH_SMTP",
      ["relay.example u p", "relay.example|u|p", "relay.example:25:: u p A=1", "relay.example;25|u|p", "relay.example:25|u|p"],
      environment: ["AUTH_SMTP="]),
    RouteMeaning(
      "an address to connect from",
      ["relay.example||192.0.2.250", "relay.example;25||192.0.2.250", "relay.example:25||192.0.2.250"]),
  ]
}

@Suite("Route grammars")
struct GrammarTests {
  /// The plan without what a dialect or the kind of spelling may change: its name, its features, and warnings.
  private func plan(
    _ routes: String, _ dialect: Dialect, host: String = "a.example", sender: String = "s@x", environment: [String] = []
  ) -> [String] {
    let input = PlanInput(
      operands: [host, sender, "r@y"].map { Array($0.utf8) },
      environment: (environment + ["QMAILREMOTE_DIALECT=\(dialect.rawValue)"]).map { Array($0.utf8) },
      control: ["me": Array("me.test".utf8), "smtproutes": Array(routes.utf8)], zone: RouteMeaning.zone)
    // The form of the operands goes with the dialect.
    var fitting = input
    if dialect == .indimail { fitting.operands.insert(contentsOf: [[], Array("0".utf8)], at: 2) }
    // A port that was written is shown even if it is the usual one.
    return fitting.result().lines.map {
      $0.text.replacing(", an IPv6 address without brackets", with: "").replacing(", port 25 (", with: " (")
    }.filter { line in !["dialect: ", "smtputf8: ", "edit: ", "tls: "].contains { line.hasPrefix($0) } }
  }

  /// What a plan doesn't show of its route: back-off, TLS, and the secret.
  private func rest(_ spelling: String, _ dialect: Dialect, _ meaning: RouteMeaning) throws -> [String] {
    let line = try RouteLine(Array(spelling.utf8), dialect: dialect, place: "control/smtproutes:1")
    var words = ["\(line.port ?? 25)", "\(line.implicitTLS)", "\(line.penalty ?? -1)", "\(line.maxTolerance ?? -1)"]
    words.append(line.localAddress?.text ?? "")
    switch line.credentials {
    case .pipe(let user, let password): words += [user.text, password.bytes.text]
    case .space(let user, let password) where !meaning.environment.isEmpty: words += [user.text, password.bytes.text]
    case .space, .sender, .recipient, .token, nil: break
    }
    return words
  }

  @Test("every way to write a route gives the same plan, in every dialect", arguments: RouteMeaning.all)
  func spellings(_ meaning: RouteMeaning) throws {
    let first = plan(":\(try #require(meaning.spellings.first))", .stock, environment: meaning.environment)
    for spelling in meaning.spellings {
      for dialect in Dialect.allCases {
        #expect(plan(":\(spelling)", dialect, environment: meaning.environment) == first, "\(spelling) in \(dialect)")
        #expect(
          try rest(spelling, dialect, meaning) == rest(meaning.spellings[0], .stock, meaning), "\(spelling) in \(dialect)")
      }
    }
  }

  @Test("no two meanings are one: the comparison above can fail")
  func distinct() throws {
    let all = try RouteMeaning.all.map {
      plan(":\($0.spellings[0])", .stock, environment: $0.environment) + (try rest($0.spellings[0], .stock, $0))
    }
    #expect(Set(all).count == all.count)
  }

  @Test(
    "one table, written for dotted keys and for skarnet's",
    arguments: ["b.example", "x.b.example", "x.y.b.example", "xb.example", "c.example", "d.example", "x.d.example", ""])
  func keys(_ host: String) {
    let dotted = """
      b.example:192.0.2.60:26
      .b.example:192.0.2.60:26
      c.example:192.0.2.61
      .c.example:192.0.2.61
      d.example:
      .d.example:
      :192.0.2.62
      """
    let bare = "b.example:192.0.2.60:26\nc.example:[192.0.2.61]\nd.example:\n:192.0.2.62\n"
    func shown(_ lines: [String]) -> [String] {
      lines.map { $0.replacing(/\ \(control\/smtproutes:\d+\)/, with: "").replacing("[192.0.2.61]", with: "192.0.2.61") }
    }
    #expect(shown(plan(dotted, .stock, host: host)) == shown(plan(bare, .skarnet, host: host)))
  }

  @Test("bounces in every grammar", arguments: ["!@:192.0.2.60;27", "!@:192.0.2.60:27", "!@:192.0.2.60:27:3600 u p"])
  func bounces(_ line: String) {
    for dialect in Dialect.allCases {
      #expect(plan("\(line)\n:192.0.2.62", dialect, sender: "").contains("route: 192.0.2.60, port 27 (control/smtproutes:1)"))
    }
  }
}

/// A line that two families read in two ways, and how it is read here.
struct AmbiguousLine: Sendable, CustomTestStringConvertible {
  let line: String
  let dialects: [Dialect]
  let host: String
  /// The words of the route, or of the fault.
  let decision: String

  init(_ line: String, _ decision: String, host: String = "d", in dialects: [Dialect] = Dialect.allCases) {
    self.line = line
    self.dialects = dialects
    self.host = host
    self.decision = decision
  }

  var testDescription: String { "\(line) \(dialects.map(\.rawValue).joined(separator: ","))" }

  private static let bare = ", an IPv6 address without brackets"
  private static let others: [Dialect] = [.stock, .sqmail, .skarnet]
  private static let dotted: [Dialect] = [.stock, .sqmail, .indimail]

  static let all = [
    // The one true collision.
    AmbiguousLine("d:cafe::3600", "[cafe::3600]\(bare)", in: others),
    AmbiguousLine("d:cafe::3600", "cafe", in: [.indimail]),
    AmbiguousLine("d:10.0.0.1:25:0", "10.0.0.1, port 25"), AmbiguousLine("d:2001:db8::1", "[2001:db8::1]\(bare)"),
    AmbiguousLine("d:1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]\(bare)"), AmbiguousLine("d:::1", "[::1]\(bare)"),
    AmbiguousLine("d:[2001:db8::1]:26", "[2001:db8::1], port 26"),
    AmbiguousLine("d:[2001:db8::1];26", "[2001:db8::1], port 26"), AmbiguousLine("d:2001:db8::1;26", "[2001:db8::1], port 26"),
    AmbiguousLine("d:10.0.0.1;26", "10.0.0.1, port 26"), AmbiguousLine("d:10.0.0.1|u|p", "10.0.0.1"),
    // A key without a dot matches subdomains at skarnet's only; one with a dot matches nothing there.
    AmbiguousLine("af.mil:10.0.0.1", "10.0.0.1", host: "af.mil"),
    AmbiguousLine("af.mil:10.0.0.1", "", host: "x.af.mil", in: dotted),
    AmbiguousLine("af.mil:10.0.0.1", "10.0.0.1", host: "x.af.mil", in: [.skarnet]),
    AmbiguousLine(".af.mil:10.0.0.1", "10.0.0.1", host: "x.af.mil", in: dotted),
    AmbiguousLine(".af.mil:10.0.0.1", "", host: "x.af.mil", in: [.skarnet]),
    AmbiguousLine("d:", "mail exchangers"), AmbiguousLine("d::26", "mail exchangers, port 26"),
    AmbiguousLine("d:10.0.0.1:465", "10.0.0.1, port 465"), AmbiguousLine("d:10.0.0.1;465", "10.0.0.1, port 465"),
    AmbiguousLine("d:10.0.0.1:587", "10.0.0.1, port 587"), AmbiguousLine("d:10.0.0.1:6209", "10.0.0.1, port 6209"),
  ]
}

@Suite("Ambiguous routes")
struct AmbiguousRouteTests {
  @Test("a line of two readings has the one that was decided", arguments: AmbiguousLine.all)
  func decision(_ line: AmbiguousLine) {
    for dialect in line.dialects {
      var input = PlanInput(
        operands: [line.host, "s@x", "r@y"].map { Array($0.utf8) },
        control: [
          "me": Array("me.test".utf8), "dialect": Array(dialect.rawValue.utf8), "smtproutes": Array(line.line.utf8),
        ],
        zone: "d A 192.0.2.1\naf.mil A 192.0.2.1\nx.af.mil A 192.0.2.1\ncafe A 192.0.2.61\n")
      let result = input.result()
      let expected =
        switch line.decision.first {
        case nil: "route: none, so the mail exchangers of the host"
        case "!":
          "report: ZUnable to use control/smtproutes:1: it asks for \(line.decision.dropFirst()), which this version doesn't do. (#4.3.5)"
        default: "route: \(line.decision) (control/smtproutes:1)"
        }
      #expect(result.text.split(separator: "\n").contains { $0 == expected }, "\(dialect): \(result.text)")
      // The same line for another host says nothing.
      input.operands[0] = Array("192.0.2.9".utf8)
      #expect(input.result().text.contains("route: none"))
    }
  }

  @Test("6209 in qmtproutes is QMTPS, and !@ is a bounce route in every dialect", arguments: Dialect.allCases)
  func others(_ dialect: Dialect) {
    var input = PlanInput(
      operands: ["d", "", "r@y"].map { Array($0.utf8) },
      control: [
        "me": Array("me.test".utf8), "dialect": Array(dialect.rawValue.utf8), "qmtproutes": Array("d:10.0.0.1;6209".utf8),
      ])
    #expect(input.result().text.contains("candidate 1: 10.0.0.1 port 6209, the relay 10.0.0.1, QMTPS"))
    input.control["qmtproutes"] = nil
    input.control["smtproutes"] = Array("!@:10.0.0.2\n:10.0.0.1\n".utf8)
    #expect(input.result().text.contains("route: 10.0.0.2 (control/smtproutes:1)"))
  }
}
