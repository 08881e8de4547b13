// The table of DANE: what DNS says, and doesn't (RFC 7672 section 2).

extension DaneTable {
  /// Section 2.1: a failure is never "there is none".
  static let answers =
    failures + absences + [
      DaneRow(
        "2.2.3", "wildcard", "a wildcard of records", "HOST MX 10 mx.HOST\nmx.HOST A ADDRESS\n*._tcp.mx.HOST TLSA <3 1 1>",
        .validated),
      DaneRow(
        "2.2.3", "wildcard-wrong", "a wildcard of other records",
        "HOST MX 10 mx.HOST\nmx.HOST A ADDRESS\n*._tcp.mx.HOST TLSA <3 1 1 wrong>", .deferred(.otherCertificate)),
    ]

  private static func failing(_ label: String, _ words: String, _ records: String) -> DaneRow {
    DaneRow("2.1.2", label, words, usual() + records, .deferred(.noAnswer)) { $0.isLeftAlone = true }
  }

  private static let failures = [
    failing("forged", "a signature that is wrong", "_25._tcp.mx.HOST TLSA <3 1 1>\n_25._tcp.mx.HOST TLSA forged"),
    failing("forged-denial", "a denial whose signature is wrong", "_25._tcp.mx.HOST TXT x\n_25._tcp.mx.HOST NSEC forged"),
    failing("failing", "a server that fails", "_25._tcp.mx.HOST CNAME LABEL.failing.test"),
    failing("lame", "a server that knows nothing of it", "_25._tcp.mx.HOST CNAME LABEL.lame.test"),
    failing(
      "run-out", "signatures that have run out",
      "_25._tcp.mx.HOST CNAME LABEL.expired.test\nLABEL.expired.test TLSA <3 1 1>"),
    failing(
      "forged-alias", "an alias whose signature is wrong",
      "_25._tcp.mx.HOST CNAME tlsa.HOST\n_25._tcp.mx.HOST CNAME forged\ntlsa.HOST TLSA <3 1 1>"),
    DaneRow(
      "2.1.2", "forged-next", "a signature that is wrong, and an exchanger behind it",
      """
      HOST MX 10 mx.HOST
      HOST MX 20 next.HOST
      mx.HOST A ADDRESS
      next.HOST A NEXT
      _25._tcp.mx.HOST TLSA <3 1 1>
      _25._tcp.mx.HOST TLSA forged
      _25._tcp.next.HOST TLSA <3 1 1 next>
      """, .validated
    ) {
      $0.hasNext = true
      $0.isLeftAlone = true
    },
  ]

  /// Without records that were validated there is no DANE, and TLS proves nothing.
  private static let absences = [
    DaneRow("2.2.3", "no-name", "no such name", usual(), .encrypted),
    DaneRow("2.2.3", "no-data", "a name without such records", usual() + "_25._tcp.mx.HOST TXT x", .encrypted),
    DaneRow("2.2.3", "no-data-stripped", "the same, and no STARTTLS", usual() + "_25._tcp.mx.HOST TXT x", .clear) {
      $0.tool = withoutSTARTTLS
      $0.behaviour = { $0.clearKeywords = ["PIPELINING"] }
    },
    DaneRow(
      "2.1.1", "unsigned-records", "records in a zone without signatures, wrong",
      "HOST MX 10 island.signed.test\nisland.signed.test A ADDRESS\n_25._tcp.island.signed.test TLSA <3 1 1 wrong>", .encrypted),
    DaneRow(
      "2.2.1", "unsigned-addresses", "addresses that are not validated, wrong records",
      "HOST MX 10 LABEL.open.test\nLABEL.open.test A ADDRESS\n_25._tcp.LABEL.open.test TLSA <3 1 1 wrong>", .encrypted),
    DaneRow(
      "2.2.1", "unsigned-exchanger", "an exchanger that is not validated, wrong records of it",
      "HOST MX 10 LABEL.signed.test\nLABEL.signed.test A ADDRESS\n_25._tcp.LABEL.signed.test TLSA <3 1 1 wrong>", .encrypted
    ) {
      $0.zone = "open.test"
    },
    DaneRow(
      "2.2.1", "unsigned-right", "an exchanger that is not validated, right records of it",
      "HOST MX 10 LABEL.signed.test\nLABEL.signed.test A ADDRESS\n_25._tcp.LABEL.signed.test TLSA <3 1 1>", .encrypted
    ) {
      $0.zone = "open.test"
      $0.tool = .says(
        "Trusted TLS connection established to",
        because: "smtp_tls_dane_insecure_mx_policy is dane at level dane: it asks for the records of whatever the exchanger is")
    },
    DaneRow(
      "2.2.2", "unsigned-host", "a host without exchangers that is not validated",
      "HOST A ADDRESS\n_25._tcp.HOST TLSA <3 1 1 wrong>", .encrypted
    ) { $0.zone = "open.test" },
    DaneRow(
      "2.1.2", "unsigned-failing", "addresses that are not validated, and records that fail",
      "HOST MX 10 LABEL.open.test\nLABEL.open.test A ADDRESS\n_25._tcp.LABEL.open.test CNAME LABEL.failing.test", .encrypted),
  ]

  /// Section 2.2.3, and 2.2.2 for aliases of exchangers: all the way validated, the name at its end comes first.
  static let aliases = [
    DaneRow(
      "2.2.3", "tlsa-alias", "an alias of records", usual() + "_25._tcp.mx.HOST CNAME tlsa.HOST\ntlsa.HOST TLSA <3 1 1>",
      .validated
    ) { $0.serverName = "mx.HOST" },
    DaneRow(
      "2.2.3", "tlsa-alias-zone", "an alias of records in another zone with signatures",
      usual() + "_25._tcp.mx.HOST CNAME LABEL.test\nLABEL.test TLSA <2 1 1>", .validated
    ) {
      $0.names = ["mx.HOST"]
      $0.serverName = "mx.HOST"
    },
    DaneRow(
      "2.2.3", "tlsa-alias-wrong", "an alias of wrong records in another zone",
      usual() + "_25._tcp.mx.HOST CNAME LABEL.test\nLABEL.test TLSA <3 1 1 wrong>", .deferred(.otherCertificate)),
    DaneRow(
      "2.1.1", "tlsa-alias-open", "an alias of wrong records that are not validated",
      usual() + "_25._tcp.mx.HOST CNAME LABEL.open.test\nLABEL.open.test TLSA <3 1 1 wrong>", .encrypted),
    alias(
      "mx-alias", "records of the name it leads to, and wrong ones of its own", "real.HOST", ("real", "<3 1 1>"),
      ("mx", "<3 1 1 wrong>"),
      .validated, asks: "real.HOST"),
    alias(
      "mx-alias-wrong", "wrong records of the name it leads to, and right ones of its own", "real.HOST",
      ("real", "<3 1 1 wrong>"), ("mx", "<3 1 1>"), .deferred(.otherCertificate), asks: "real.HOST"),
    alias("mx-alias-own", "records of its own only", "real.HOST", nil, ("mx", "<3 1 1>"), .validated, asks: "mx.HOST"),
    alias(
      "mx-alias-forged", "records of the name it leads to that are forged", "real.HOST",
      ("real", "<3 1 1>\n_25._tcp.real.HOST TLSA forged"), ("mx", "<3 1 1>"), .deferred(.noAnswer), asks: nil),
    alias(
      "mx-alias-open", "leads to a name that is not validated, right records of its own", "LABEL.open.test", nil,
      ("mx", "<3 1 1>"), .validated, asks: "mx.HOST"),
    alias(
      "mx-alias-open-wrong", "leads to a name that is not validated, wrong records of its own", "LABEL.open.test", nil,
      ("mx", "<3 1 1 wrong>"), .deferred(.otherCertificate), asks: "mx.HOST"),
    DaneRow(
      "2.2.1", "host-alias", "a host that is an alias; the certificate is for what it leads to",
      "HOST CNAME real.HOST\nreal.HOST MX 10 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA <2 1 1>", .validated
    ) {
      $0.names = ["real.HOST"]
    },
    alias(
      "name-of-base", "a server with many certificates gives the one of the base", "real.HOST", ("real", "<2 1 1>"), nil,
      .validated, asks: "real.HOST"
    ) {
      $0.certificateFor = "real.HOST"
      $0.names = ["real.HOST"]
    },
  ]

  private typealias Records = (of: String, data: String)

  /// An exchanger that is an alias.
  private static func alias(
    _ label: String, _ words: String, _ target: String, _ its: Records?, _ own: Records?, _ verdict: DaneRow.Verdict,
    asks name: String?, change: (inout DaneRow) -> Void = { _ in }
  ) -> DaneRow {
    let records = [its, own].compactMap { $0.map { "_25._tcp.\($0.of).HOST TLSA \($0.data)\n" } }.joined()
    return DaneRow(
      "2.2.3", label, "an exchanger that is an alias: " + words,
      "HOST MX 10 mx.HOST\nmx.HOST CNAME \(target)\n\(target) A ADDRESS\n" + records, verdict
    ) {
      $0.serverName = name
      $0.isLeftAlone = name == nil
      change(&$0)
    }
  }
}
