// Which exchangers there are, in which order, and which of them are ourselves.

enum ExchangerCases {
  static let all = absence + order + large + ourselves

  private static let absence = [
    LookupCase("no such host, signed", "no-such.signed.test", report: LookupCase.noSuchHost("no-such.signed.test")),
    LookupCase("no such host, unsigned", "no-such.open.test", report: LookupCase.noSuchHost("no-such.open.test")),
    LookupCase("no such top-level domain", "nowhere.example", report: LookupCase.noSuchHost("nowhere.example")),
    LookupCase("an empty host", "", report: LookupCase.noSuchHost("")),
    LookupCase(
      "neither MX nor address", "bare.signed.test", "bare.signed.test TXT nothing",
      report: LookupCase.noSuchHost("bare.signed.test")),
    LookupCase(
      "a name that only has names below it", "between.signed.test", "below.between.signed.test A 192.0.2.40",
      report: LookupCase.noSuchHost("between.signed.test")),
    LookupCase(
      "no exchanger has an address", "dead-ends.signed.test",
      """
      dead-ends.signed.test MX 10 no-such.signed.test
      dead-ends.signed.test MX 20 bare.signed.test
      """, report: LookupCase.noExchanger),
    LookupCase(
      "null MX", "null.signed.test",
      """
      null.signed.test MX 0 .
      null.signed.test A 192.0.2.41
      """, report: LookupCase.nullExchanger("null.signed.test")),
    LookupCase(
      "a null MX beside another doesn't count", "half-null.open.test",
      """
      half-null.open.test MX 0 .
      half-null.open.test MX 10 mx.plain.open.test
      """, plan: ["10 mx.plain.open.test unvalidated 192.0.2.3"]),
    LookupCase(
      "a label that is too long", "\(String(repeating: "l", count: 64)).open.test",
      report: LookupCase.noSuchHost("\(String(repeating: "l", count: 64)).open.test")),
    LookupCase("an empty label", "two..dots.open.test", report: LookupCase.noSuchHost("two..dots.open.test")),
    // A blank can stand in a name of DNS; there is just none here. Not to be tried again and again.
    LookupCase("a blank in a label", "a blank.open.test", report: LookupCase.noSuchHost("a?blank.open.test")),
  ]

  private static let order = [
    LookupCase(
      "by preference, as numbers", "order.open.test",
      """
      order.open.test MX 65535 mx1.order.open.test
      order.open.test MX 9 mx2.order.open.test
      order.open.test MX 100 mx3.order.open.test
      order.open.test MX 0 mx4.order.open.test
      order.open.test MX 9 mx5.order.open.test
      mx1.order.open.test A 198.51.100.1
      mx2.order.open.test A 198.51.100.2
      mx3.order.open.test A 198.51.100.3
      mx4.order.open.test A 198.51.100.4
      mx5.order.open.test A 198.51.100.5
      """,
      plan: [
        "0 mx4.order.open.test unvalidated 198.51.100.4", "9 mx2.order.open.test unvalidated 198.51.100.2",
        "9 mx5.order.open.test unvalidated 198.51.100.5", "100 mx3.order.open.test unvalidated 198.51.100.3",
        "65535 mx1.order.open.test unvalidated 198.51.100.1",
      ]
    ).candidates("198.51.100.4", "198.51.100.2 198.51.100.5", "198.51.100.3", "198.51.100.1"),
    LookupCase(
      "several addresses of both families", "farm.signed.test",
      """
      farm.signed.test MX 10 mx.farm.signed.test
      mx.farm.signed.test A 198.51.100.11
      mx.farm.signed.test A 198.51.100.12
      mx.farm.signed.test A 198.51.100.13
      mx.farm.signed.test AAAA 2001:db8:1::11
      mx.farm.signed.test AAAA 2001:db8:1::12
      """,
      plan: [
        "10 mx.farm.signed.test validated 198.51.100.11 198.51.100.12 198.51.100.13 2001:db8:1::11 2001:db8:1::12 TLSA none"
      ]),
    LookupCase(
      "one address under two names, and one exchanger twice", "twice.open.test",
      """
      twice.open.test MX 10 mx.plain.open.test
      twice.open.test MX 20 mx.twice.open.test
      twice.open.test MX 30 mx.plain.open.test
      mx.twice.open.test A 192.0.2.3
      """,
      plan: [
        "10 mx.plain.open.test unvalidated 192.0.2.3", "20 mx.twice.open.test unvalidated 192.0.2.3",
        "30 mx.plain.open.test unvalidated 192.0.2.3",
      ]
    ).candidates("192.0.2.3", "192.0.2.3").leftOut("192.0.2.3, 30 mx.plain.open.test: listed before"),
    LookupCase(
      "exchangers that are addresses, beside one that is a name", "literal.signed.test",
      """
      literal.signed.test MX 10 198.51.100.21
      literal.signed.test MX 20 mx.both.signed.test
      literal.signed.test MX 30 198.51.100.22
      """,
      plan: [
        "10 198.51.100.21 unvalidated 198.51.100.21", "20 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
        "30 198.51.100.22 unvalidated 198.51.100.22",
      ]),
    LookupCase("an address as the host", "[192.0.2.42]", plan: ["0 [192.0.2.42] unvalidated 192.0.2.42"]),
    LookupCase("an IPv6 address as the host", "[IPv6:2001:db8::42]", plan: ["0 [ipv6:2001:db8::42] unvalidated 2001:db8::42"]),
    LookupCase(
      "in capitals", "BOTH.Signed.Test", plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    // As resolv.conf(5) and qmail have always taken it: a complete name.
    LookupCase(
      "with the root's dot", "both.signed.test.", plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    LookupCase(
      "no MX, with the root's dot", "alone.open.test.", plan: ["0 alone.open.test unvalidated 192.0.2.6"]),
  ]

  /// The first answer is too large for a datagram of 1,232 bytes, the others for anything but TCP.
  private static let large = [
    LookupCase(
      "60 exchangers", "sixty.signed.test",
      (1...60).map {
        """
        sixty.signed.test MX \($0 / 20) mx\($0).sixty.signed.test
        mx\($0).sixty.signed.test A 198.51.100.\($0)
        mx\($0).sixty.signed.test AAAA 2001:db8:60::\($0)
        _25._tcp.mx\($0).sixty.signed.test TLSA 3 1 1 aabb
        """
      }.joined(separator: "\n"),
      plan: (1...60).map {
        "\($0 / 20) mx\($0).sixty.signed.test validated 198.51.100.\($0) 2001:db8:60::\($0) TLSA 1"
      }),
    crowd,
    LookupCase(
      "1,500 exchangers: 40 kB, signed", "huge.signed.test", addresses(1_500, "huge.signed.test"),
      plan: addresses(1_500).map { "10 \($0) unvalidated \($0)" }),
    LookupCase(
      "2,400 exchangers: nearly 64 kB", "huge.open.test", addresses(2_400, "huge.open.test"),
      plan: addresses(2_400).map { "10 \($0) unvalidated \($0)" }),
  ]

  /// More questions than the buffers of sockets hold.
  static let crowd = LookupCase(
    "400 exchangers", "crowd.open.test",
    (1...400).map {
      """
      crowd.open.test MX 10 mx\($0).crowd.open.test
      mx\($0).crowd.open.test A 198.51.100.\($0 % 250)
      """
    }.joined(separator: "\n"),
    plan: (1...400).map { "10 mx\($0).crowd.open.test unvalidated 198.51.100.\($0 % 250)" })

  private static func addresses(_ count: Int) -> [String] {
    (0..<count).map { "10.\($0 / 230).\($0 % 230).\($0 * 7 % 250 + 1)" }
  }

  private static func addresses(_ count: Int, _ host: String) -> String {
    addresses(count).map { "\(host) MX 10 \($0)" }.joined(separator: "\n")
  }

  private static let ours = """
    ours.signed.test MX 10 mx.both.signed.test
    ours.signed.test MX 20 ours.signed.test
    ours.signed.test MX 20 mx.plain.open.test
    ours.signed.test MX 30 mx.away.open.test
    ours.signed.test A \(LookupCase.ownAddresses[0])
    """
  private static let oursPlan = [
    "10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
    "20 ours.signed.test validated \(LookupCase.ownAddresses[0]) TLSA none",
    "20 mx.plain.open.test unvalidated 192.0.2.3 TLSA none", "30 mx.away.open.test unvalidated 2001:db8::2 192.0.2.2 TLSA 1?",
  ]

  private static let ourselves = [
    LookupCase("this machine and what is no better is cut", "ours.signed.test", ours, plan: oursPlan)
      .candidates("2001:db8::1 192.0.2.1")
      .leftOut(
        "ours.signed.test, 20 ours.signed.test: this machine",
        "mx.plain.open.test, 20 mx.plain.open.test: not better than this machine",
        "mx.away.open.test, 30 mx.away.open.test: not better than this machine"),
    LookupCase("notipme: then it isn't this machine", "ours.signed.test", plan: oursPlan)
      .control("notipme", "192.0.2.192/26\n")
      .candidates("2001:db8::1 192.0.2.1", "\(LookupCase.ownAddresses[0]) 192.0.2.3", "2001:db8::2 192.0.2.2"),
    LookupCase("moreipme: a better one is this machine too", "ours.signed.test", report: LookupCase.bestIsSelf)
      .control("moreipme", "2001:db8::1\n"),
    LookupCase(
      "this machine is the best", "best.open.test",
      """
      best.open.test MX 5 mx.best.open.test
      best.open.test MX 10 mx.plain.open.test
      mx.best.open.test AAAA \(LookupCase.ownAddresses[1])
      """, report: LookupCase.bestIsSelf),
    LookupCase(
      "no MX, and the address is this machine's", "me.open.test", "me.open.test A \(LookupCase.ownAddresses[0])",
      report: LookupCase.bestIsSelf),
    LookupCase(
      "an exchanger on loopback", "loop.open.test",
      """
      loop.open.test MX 10 mx.loop.open.test
      mx.loop.open.test A 127.0.0.3
      """, report: LookupCase.bestIsSelf),
    LookupCase("loopback that is not ours", "loop.open.test", plan: ["10 mx.loop.open.test unvalidated 127.0.0.3"])
      .control("notipme", "127.0.0.0/8\n"),
    LookupCase(
      "what may be better than this machine fails", "unclear.open.test",
      """
      unclear.open.test MX 10 mx.lame.test
      unclear.open.test MX 20 me.open.test
      unclear.open.test MX 30 mx.plain.open.test
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "what is better than this machine doesn't exist", "backup.open.test",
      """
      backup.open.test MX 10 no-such.open.test
      backup.open.test MX 20 me.open.test
      """, report: LookupCase.bestIsSelf),
    LookupCase(
      "what is better fails, but something else is better too", "luck.open.test",
      """
      luck.open.test MX 10 mx.lame.test
      luck.open.test MX 15 mx.plain.open.test
      luck.open.test MX 20 me.open.test
      """,
      plan: [
        "10 mx.lame.test unvalidated failed", "15 mx.plain.open.test unvalidated 192.0.2.3",
        "20 me.open.test unvalidated \(LookupCase.ownAddresses[0])",
      ]
    ).candidates("192.0.2.3"),
  ]
}
