// Relays in place of exchangers, and the family of addresses that is wanted.

enum RouteCases {
  static let all = relays + families

  private static func relay(_ words: String, _ route: String, _ zone: String = "", plan: [String]) -> LookupCase {
    LookupCase(words, "elsewhere.open.test", zone, plan: plan).control("smtproutes", ":\(route)\n")
  }

  private static func relay(_ words: String, _ route: String, _ zone: String = "", report: String) -> LookupCase {
    LookupCase(words, "elsewhere.open.test", zone, report: report).control("smtproutes", ":\(route)\n")
  }

  private static let relays = [
    relay(
      "a signed relay: TLSA at its port", "relay.signed.test:2525",
      """
      relay.signed.test A 203.0.113.1
      relay.signed.test AAAA 2001:db8:2::1
      _2525._tcp.relay.signed.test TLSA 3 1 1 aabb
      _2525._tcp.relay.signed.test TLSA 3 1 1 ccdd
      """, plan: ["0 relay.signed.test validated 203.0.113.1 2001:db8:2::1 TLSA 2"]
    ).port(2_525),
    relay(
      "an unsigned relay", "relay.open.test",
      """
      relay.open.test A 203.0.113.2
      relay.open.test MX 10 mx.both.signed.test
      """, plan: ["0 relay.open.test unvalidated 203.0.113.2 TLSA none"]),
    relay(
      "a relay that is an alias", "smart.signed.test",
      """
      smart.signed.test CNAME relay.signed.test
      _25._tcp.smart.signed.test TLSA 3 1 1 aabb
      """, plan: ["0 smart.signed.test validated 203.0.113.1 2001:db8:2::1 TLSA 1"]),
    relay("a relay that doesn't exist", "no-such.signed.test", report: LookupCase.noSuchHost("no-such.signed.test")),
    relay("a relay with exchangers only", "both.signed.test", report: LookupCase.noSuchHost("both.signed.test")),
    relay("a bogus relay", "bogus-alone.signed.test", report: LookupCase.lookupFailed),
    relay("a relay at a server that refuses", "mx.lame.test", report: LookupCase.lookupFailed),
    relay("a relay that is an address", "[2001:db8:2::3]:26", plan: ["0 [2001:db8:2::3] unvalidated 2001:db8:2::3"]).port(26),
    relay(
      "a relay that is this machine", "me.open.test:2525",
      plan: ["0 me.open.test unvalidated \(LookupCase.ownAddresses[0]) TLSA none"]
    ).port(2_525),
    relay("a relay in U-labels", "b\u{fc}cher.open.test", report: LookupCase.noSuchHost("b??cher.open.test")),
    LookupCase(
      "a route for the port only: the exchangers, and TLSA at that port", "other-port.signed.test",
      """
      other-port.signed.test MX 10 mx.other-port.signed.test
      mx.other-port.signed.test A 203.0.113.4
      _2525._tcp.mx.other-port.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.other-port.signed.test validated 203.0.113.4 TLSA 1"]
    ).control("smtproutes", "other-port.signed.test:;2525\n").port(2_525),
    LookupCase("an empty route: the exchangers", "both.signed.test", plan: both)
      .control("smtproutes", "both.signed.test:\n:relay.open.test\n"),
  ]

  private static let farm = [
    "10 mx.farm.signed.test validated 198.51.100.11 198.51.100.12 198.51.100.13 2001:db8:1::11 2001:db8:1::12 TLSA none"
  ]
  private static let v4 = "198.51.100.11 198.51.100.12 198.51.100.13"
  private static let v6 = "2001:db8:1::11 2001:db8:1::12"
  private static let both = ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]

  private static let families = [
    LookupCase("ipprefer 6 is the default", "farm.signed.test", plan: farm).control("ipprefer", ":6\n"),
    LookupCase("ipprefer 4", "farm.signed.test", plan: farm).control("ipprefer", ":6\n.signed.test:4\n").v4First(),
    LookupCase("ipprefer 4only", "farm.signed.test", plan: farm).control("ipprefer", "farm.signed.test:4only\n")
      .candidates(v4).leftOut(
        "2001:db8:1::11, 10 mx.farm.signed.test: control/ipprefer:1 says 4only",
        "2001:db8:1::12, 10 mx.farm.signed.test: control/ipprefer:1 says 4only"),
    LookupCase("ipprefer 6only", "farm.signed.test", plan: farm).control("ipprefer", ":6only\n").candidates(v6),
    LookupCase("the variable comes before the file", "farm.signed.test", plan: farm).control("ipprefer", ":6only\n")
      .variable("IPPREFER", "4").v4First(),
    LookupCase("a route's environment", "both.signed.test", plan: both)
      .control("smtproutes", "both.signed.test: u p IPPREFER=4only\n").candidates("192.0.2.1"),
    LookupCase(
      "6only, and all addresses are IPv4", "plain.open.test",
      report: "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\ncontrol/ipprefer:1 says 6only"
    ).control("ipprefer", ":6only\n"),
    LookupCase(
      "6only, and the best exchanger has none", "one-six.open.test",
      """
      one-six.open.test MX 10 mx.plain.open.test
      one-six.open.test MX 20 mx.both.signed.test
      """, plan: ["10 mx.plain.open.test unvalidated 192.0.2.3", "20 mx.both.signed.test unvalidated 2001:db8::1 192.0.2.1"]
    ).control("ipprefer", "one-six.open.test:6only\n").candidates("2001:db8::1"),
  ]
}
