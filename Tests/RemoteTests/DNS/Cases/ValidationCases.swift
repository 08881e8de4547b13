// What is validated and what isn't, and what must not be mistaken for it (RFC 7672 sections 2.1 and 2.2).

enum ValidationCases {
  static let all = exchangers + failures + failedAddresses + tlsa

  private static let exchangers = [
    LookupCase(
      "signed MX, signed host", "both.signed.test",
      """
      both.signed.test MX 10 mx.both.signed.test
      mx.both.signed.test A 192.0.2.1
      mx.both.signed.test AAAA 2001:db8::1
      _25._tcp.mx.both.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    LookupCase(
      "signed MX, unsigned host with a TLSA record", "away.signed.test",
      """
      away.signed.test MX 10 mx.away.open.test
      mx.away.open.test A 192.0.2.2
      mx.away.open.test AAAA 2001:db8::2
      _25._tcp.mx.away.open.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.away.open.test unvalidated 2001:db8::2 192.0.2.2 TLSA 1?"]),
    LookupCase(
      "unsigned MX, signed host", "outside.open.test",
      "outside.open.test MX 10 mx.both.signed.test",
      plan: ["10 mx.both.signed.test unvalidated 2001:db8::1 192.0.2.1"]),
    LookupCase(
      "nothing signed", "plain.open.test",
      """
      plain.open.test MX 10 mx.plain.open.test
      mx.plain.open.test A 192.0.2.3
      """, plan: ["10 mx.plain.open.test unvalidated 192.0.2.3"]),
    LookupCase(
      "signed MX, one host signed and one not", "mixed.signed.test",
      """
      mixed.signed.test MX 20 mx.plain.open.test
      mixed.signed.test MX 10 mx.both.signed.test
      """,
      plan: [
        "10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
        "20 mx.plain.open.test unvalidated 192.0.2.3 TLSA none",
      ]),
    LookupCase(
      "signed wildcards for MX, address and TLSA", "anything.wild.signed.test",
      """
      *.wild.signed.test MX 10 any.wildhost.signed.test
      *.wildhost.signed.test A 192.0.2.4
      *.wildhost.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 any.wildhost.signed.test validated 192.0.2.4 TLSA 1"]),
    LookupCase(
      "no MX, signed host: validated denial, and TLSA is asked for the host", "alone.signed.test",
      """
      alone.signed.test A 192.0.2.5
      alone.signed.test AAAA 2001:db8::5
      _25._tcp.alone.signed.test TLSA 3 1 1 aabb
      """, plan: ["0 alone.signed.test validated 2001:db8::5 192.0.2.5 TLSA 1"]),
    LookupCase(
      "no MX, unsigned host", "alone.open.test", "alone.open.test A 192.0.2.6",
      plan: ["0 alone.open.test unvalidated 192.0.2.6"]),
  ]

  private static let failures = [
    LookupCase(
      "expired signatures", "run-out.expired.test",
      """
      run-out.expired.test MX 10 mx.both.signed.test
      run-out.expired.test A 192.0.2.7
      """, report: LookupCase.lookupFailed),
    LookupCase("expired signatures on a denial", "nothing.expired.test", report: LookupCase.lookupFailed),
    LookupCase(
      "bogus MX", "bogus-mx.signed.test",
      """
      bogus-mx.signed.test MX 10 mx.both.signed.test
      bogus-mx.signed.test A 192.0.2.8
      bogus-mx.signed.test MX forged
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "bogus denial of MX", "bogus-denial.signed.test",
      """
      bogus-denial.signed.test A 192.0.2.9
      bogus-denial.signed.test NSEC forged
      """, report: LookupCase.lookupFailed),
    LookupCase("MX at a server that refuses", "any.lame.test", report: LookupCase.lookupFailed),
    LookupCase("MX at a server that fails", "any.failing.test", report: LookupCase.lookupFailed),
    LookupCase(
      "no MX, bogus address", "bogus-alone.signed.test",
      """
      bogus-alone.signed.test A 192.0.2.10
      bogus-alone.signed.test A forged
      """, report: LookupCase.lookupFailed),
  ]

  private static let failedAddresses = [
    LookupCase(
      "bogus addresses of the only exchanger", "bogus-a.signed.test",
      """
      bogus-a.signed.test MX 10 mx.bogus-a.signed.test
      mx.bogus-a.signed.test A 192.0.2.11
      mx.bogus-a.signed.test A forged
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "bogus addresses of the best exchanger: the next one is tried", "half-bogus.signed.test",
      """
      half-bogus.signed.test MX 10 mx.bogus-a.signed.test
      half-bogus.signed.test MX 20 mx.both.signed.test
      """,
      plan: [
        "10 mx.bogus-a.signed.test unvalidated failed TLSA none",
        "20 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
      ]),
    LookupCase(
      "lame, failing, missing and good exchangers", "medley.open.test",
      """
      medley.open.test MX 10 mx.lame.test
      medley.open.test MX 10 mx.failing.test
      medley.open.test MX 20 no-such.open.test
      medley.open.test MX 20 empty.medley.open.test
      medley.open.test MX 30 mx.expired.test
      medley.open.test MX 30 mx.plain.open.test
      empty.medley.open.test TXT nothing
      mx.expired.test A 192.0.2.12
      """,
      plan: [
        "10 mx.lame.test unvalidated failed", "10 mx.failing.test unvalidated failed",
        "20 no-such.open.test unvalidated addressless", "20 empty.medley.open.test unvalidated addressless",
        "30 mx.expired.test unvalidated failed", "30 mx.plain.open.test unvalidated 192.0.2.3",
      ]
    ).leftOut(
      "mx.lame.test, 10 mx.lame.test: DNS: the server failed (SERVFAIL)",
      "mx.failing.test, 10 mx.failing.test: DNS: the server failed (SERVFAIL)",
      "no-such.open.test, 20 no-such.open.test: no address",
      "empty.medley.open.test, 20 empty.medley.open.test: no address",
      "mx.expired.test, 30 mx.expired.test: DNS: the server failed (SERVFAIL)"),
    LookupCase(
      "all exchangers fail", "all-fail.open.test",
      """
      all-fail.open.test MX 10 mx.lame.test
      all-fail.open.test MX 20 mx.failing.test
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "one exchanger fails, the other doesn't exist", "soft.open.test",
      """
      soft.open.test MX 10 mx.lame.test
      soft.open.test MX 20 no-such.open.test
      """, report: LookupCase.lookupFailed),
    // Whoever can spoil the answer for one family must not be able to turn DANE off for the other: the addresses that are used were
    // validated, and so was the TLSA record.
    LookupCase(
      "bogus AAAA, validated A", "spoilt-aaaa.signed.test",
      """
      spoilt-aaaa.signed.test MX 10 mx.spoilt-aaaa.signed.test
      mx.spoilt-aaaa.signed.test A 192.0.2.13
      mx.spoilt-aaaa.signed.test AAAA 2001:db8::13
      mx.spoilt-aaaa.signed.test AAAA forged
      _25._tcp.mx.spoilt-aaaa.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.spoilt-aaaa.signed.test validated 192.0.2.13 TLSA 1"]),
    LookupCase(
      "bogus A, validated AAAA", "spoilt-a.signed.test",
      """
      spoilt-a.signed.test MX 10 mx.spoilt-a.signed.test
      mx.spoilt-a.signed.test A 192.0.2.14
      mx.spoilt-a.signed.test AAAA 2001:db8::14
      mx.spoilt-a.signed.test A forged
      _25._tcp.mx.spoilt-a.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.spoilt-a.signed.test validated 2001:db8::14 TLSA 1"]),
  ]

  private static let tlsa = [
    LookupCase(
      "bogus TLSA is a failure", "bogus-tlsa.signed.test",
      """
      bogus-tlsa.signed.test MX 10 mx.bogus-tlsa.signed.test
      bogus-tlsa.signed.test MX 20 mx.both.signed.test
      mx.bogus-tlsa.signed.test A 192.0.2.15
      _25._tcp.mx.bogus-tlsa.signed.test TLSA 3 1 1 aabb
      _25._tcp.mx.bogus-tlsa.signed.test TLSA forged
      """,
      plan: [
        "10 mx.bogus-tlsa.signed.test validated 192.0.2.15 TLSA failed",
        "20 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
      ]
    ).candidates("2001:db8::1 192.0.2.1"),
    LookupCase(
      "bogus denial of TLSA is a failure", "hidden-tlsa.signed.test",
      """
      hidden-tlsa.signed.test MX 10 mx.hidden-tlsa.signed.test
      hidden-tlsa.signed.test MX 20 mx.both.signed.test
      mx.hidden-tlsa.signed.test A 192.0.2.16
      _25._tcp.mx.hidden-tlsa.signed.test TXT nothing
      _25._tcp.mx.hidden-tlsa.signed.test NSEC forged
      """,
      plan: [
        "10 mx.hidden-tlsa.signed.test validated 192.0.2.16 TLSA failed",
        "20 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
      ]
    ).candidates("2001:db8::1 192.0.2.1"),
    LookupCase(
      "TLSA: the name exists, the type doesn't", "tlsa-nodata.signed.test",
      """
      tlsa-nodata.signed.test MX 10 mx.tlsa-nodata.signed.test
      mx.tlsa-nodata.signed.test A 192.0.2.17
      _25._tcp.mx.tlsa-nodata.signed.test TXT nothing
      """, plan: ["10 mx.tlsa-nodata.signed.test validated 192.0.2.17 TLSA none"]),
    LookupCase(
      "TLSA: no such name", "tlsa-nxdomain.signed.test",
      """
      tlsa-nxdomain.signed.test MX 10 mx.tlsa-nxdomain.signed.test
      mx.tlsa-nxdomain.signed.test A 192.0.2.18
      """, plan: ["10 mx.tlsa-nxdomain.signed.test validated 192.0.2.18 TLSA none"]),
    LookupCase(
      "three TLSA records, of which one has the full data", "three-tlsa.signed.test",
      """
      three-tlsa.signed.test MX 10 mx.three-tlsa.signed.test
      mx.three-tlsa.signed.test AAAA 2001:db8::19
      _25._tcp.mx.three-tlsa.signed.test TLSA 3 1 1 aabb
      _25._tcp.mx.three-tlsa.signed.test TLSA 2 0 1 ccdd
      _25._tcp.mx.three-tlsa.signed.test TLSA 3 0 0 \(String(repeating: "5a", count: 900))
      """, plan: ["10 mx.three-tlsa.signed.test validated 2001:db8::19 TLSA 3"]),
    LookupCase(
      "TLSA in an unsigned zone below a signed host", "island.signed.test",
      """
      island.signed.test MX 10 island.signed.test
      island.signed.test A 192.0.2.20
      _25._tcp.island.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 island.signed.test validated 192.0.2.20 TLSA 1?"]),
    LookupCase(
      "TLSA by an alias, all signed", "tlsa-alias.signed.test",
      """
      tlsa-alias.signed.test MX 10 mx.tlsa-alias.signed.test
      mx.tlsa-alias.signed.test A 192.0.2.21
      _25._tcp.mx.tlsa-alias.signed.test CNAME keys.signed.test
      keys.signed.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.tlsa-alias.signed.test validated 192.0.2.21 TLSA 1"]),
    LookupCase(
      "TLSA by an alias to an unsigned zone", "tlsa-away.signed.test",
      """
      tlsa-away.signed.test MX 10 mx.tlsa-away.signed.test
      mx.tlsa-away.signed.test A 192.0.2.22
      _25._tcp.mx.tlsa-away.signed.test CNAME keys.open.test
      keys.open.test TLSA 3 1 1 aabb
      """, plan: ["10 mx.tlsa-away.signed.test validated 192.0.2.22 TLSA 1?"]),
    LookupCase(
      "TLSA at a server that refuses", "tlsa-lame.signed.test",
      """
      tlsa-lame.signed.test MX 10 mx.tlsa-lame.signed.test
      tlsa-lame.signed.test MX 20 mx.both.signed.test
      mx.tlsa-lame.signed.test A 192.0.2.23
      _25._tcp.mx.tlsa-lame.signed.test CNAME keys.lame.test
      """,
      plan: [
        "10 mx.tlsa-lame.signed.test validated 192.0.2.23 TLSA failed",
        "20 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1",
      ]
    ).candidates("2001:db8::1 192.0.2.1"),
    LookupCase(
      "a dialect without TLS of its own doesn't ask for TLSA", "both.signed.test",
      plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1"]
    ).dialect("skarnet"),
    LookupCase(
      "DANE_VERIFICATION asks for it", "both.signed.test",
      plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]
    ).dialect("indimail").variable("DANE_VERIFICATION"),
  ]
}
