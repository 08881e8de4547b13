// Aliases: of the host, of its exchangers, and of the recipients' domains.

enum AliasCases {
  static let all = hosts + exchangers + recipients + internationalised

  /// `start0` is an alias of `start1`, and so on, `count` times.
  private static func chain(_ start: String, _ count: Int, _ domain: String = "signed.test") -> String {
    (0..<count).map { "\(start)\($0).\(domain) CNAME \(start)\($0 + 1).\(domain)" }.joined(separator: "\n")
  }

  private static let hosts = [
    LookupCase(
      "the host is an alias, all signed", "nickname.signed.test", "nickname.signed.test CNAME both.signed.test",
      plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    LookupCase(
      "a signed alias of an unsigned name", "nickname-out.signed.test", "nickname-out.signed.test CNAME outside.open.test",
      plan: ["10 mx.both.signed.test unvalidated 2001:db8::1 192.0.2.1"]),
    LookupCase(
      "an unsigned alias of a signed name", "nickname.open.test", "nickname.open.test CNAME both.signed.test",
      plan: ["10 mx.both.signed.test unvalidated 2001:db8::1 192.0.2.1"]),
    LookupCase(
      "a bogus alias", "bogus-alias.signed.test",
      """
      bogus-alias.signed.test CNAME both.signed.test
      bogus-alias.signed.test CNAME forged
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "an alias of a name that doesn't exist", "dangling.signed.test", "dangling.signed.test CNAME no-such.signed.test",
      report: LookupCase.noSuchHost("dangling.signed.test")),
    LookupCase(
      "an alias of a name at a server that refuses", "to-lame.signed.test", "to-lame.signed.test CNAME any.lame.test",
      report: LookupCase.lookupFailed),
    LookupCase(
      "ten aliases in a row", "ten0.signed.test", chain("ten", 10) + "\nten10.signed.test MX 10 mx.both.signed.test",
      plan: ["10 mx.both.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    LookupCase(
      "eleven aliases in a row", "eleven0.signed.test",
      chain("eleven", 11) + "\neleven11.signed.test MX 10 mx.both.signed.test", report: LookupCase.lookupFailed),
    LookupCase(
      "aliases in a circle", "circle0.signed.test",
      """
      circle0.signed.test CNAME circle1.signed.test
      circle1.signed.test CNAME circle2.signed.test
      circle2.signed.test CNAME circle0.signed.test
      """, report: LookupCase.lookupFailed),
    LookupCase(
      "an alias of itself", "self.open.test", "self.open.test CNAME self.open.test", report: LookupCase.lookupFailed),
  ]

  private static let exchangers = [
    LookupCase(
      "an exchanger that is an alias, with its own TLSA record", "mx-alias.signed.test",
      """
      mx-alias.signed.test MX 10 old.mx-alias.signed.test
      old.mx-alias.signed.test CNAME mx.plain-alias.signed.test
      _25._tcp.old.mx-alias.signed.test TLSA 3 1 1 aabb
      mx.plain-alias.signed.test A 192.0.2.30
      mx.plain-alias.signed.test AAAA 2001:db8::30
      """, plan: ["10 old.mx-alias.signed.test validated 2001:db8::30 192.0.2.30 TLSA 1"]),
    // RFC 7672 section 2.2.2: where the whole chain of aliases is validated, the TLSA records are those of its end.
    LookupCase(
      "an exchanger that is an alias: TLSA records are looked for under the name that it leads to", "mx-alias-end.signed.test",
      """
      mx-alias-end.signed.test MX 10 old.mx-alias-end.signed.test
      old.mx-alias-end.signed.test CNAME mx.both.signed.test
      """, plan: ["10 old.mx-alias-end.signed.test validated 2001:db8::1 192.0.2.1 TLSA 1"]),
    LookupCase(
      "an exchanger that is an alias of an unsigned host", "mx-alias-out.signed.test",
      """
      mx-alias-out.signed.test MX 10 old.mx-alias-out.signed.test
      old.mx-alias-out.signed.test CNAME mx.plain.open.test
      """, plan: ["10 old.mx-alias-out.signed.test unvalidated 192.0.2.3 TLSA none"]),
    LookupCase(
      "exchangers that are the ends of chains of ten and eleven", "mx-chains.open.test",
      """
      mx-chains.open.test MX 10 long0.open.test
      mx-chains.open.test MX 20 short0.open.test
      \(chain("long", 11, "open.test"))
      long11.open.test A 192.0.2.31
      \(chain("short", 10, "open.test"))
      short10.open.test A 192.0.2.32
      """, plan: ["10 long0.open.test unvalidated failed", "20 short0.open.test unvalidated 192.0.2.32"]),
    LookupCase(
      "an exchanger in a circle, and a good one", "mx-circle.open.test",
      """
      mx-circle.open.test MX 10 self.open.test
      mx-circle.open.test MX 20 mx.plain.open.test
      """, plan: ["10 self.open.test unvalidated failed", "20 mx.plain.open.test unvalidated 192.0.2.3"]),
  ]

  private static let target = ["10 mx.plain.open.test unvalidated 192.0.2.3"]

  private static func rewriting(_ words: String, _ zone: String = "") -> LookupCase {
    LookupCase(words, "plain.open.test", zone, plan: target)
  }

  private static let recipients = [
    rewriting("sqmail writes canonical names into the envelope").dialect("sqmail")
      .recipients(
        ["a@nickname.signed.test", "b@plain.open.test", "c@Nickname.Open.Test", "d@no-such.open.test", "e@[192.0.2.1]", "f"],
        become: ["a@both.signed.test", "b@plain.open.test", "c@both.signed.test", "d@no-such.open.test", "e@[192.0.2.1]", "f"]),
    rewriting("indimail too").dialect("indimail")
      .recipients(["a@nickname.signed.test", "b@nickname.signed.test"], become: ["a@both.signed.test", "b@both.signed.test"]),
    rewriting("the stock program doesn't")
      .recipients(["a@nickname.signed.test"], become: ["a@nickname.signed.test"]),
    rewriting("DISABLE_CNAME_LOOKUP turns it off").dialect("sqmail").variable("DISABLE_CNAME_LOOKUP")
      .recipients(["a@nickname.signed.test"], become: ["a@nickname.signed.test"]),
    rewriting("so does DISABLE_CNAME_LOOKUPS").dialect("indimail").variable("DISABLE_CNAME_LOOKUPS", "1")
      .recipients(["a@bogus-alias.signed.test"], become: ["a@bogus-alias.signed.test"]),
    rewriting(
      "several aliases in a row", chain("nine", 9) + "\nnine9.signed.test A 192.0.2.33"
    ).dialect("sqmail").recipients(
      ["a@nine0.signed.test", "b@nine7.signed.test"], become: ["a@nine9.signed.test", "b@nine9.signed.test"]),
    rewriting("too many aliases in a row, and circles, stay as they are").dialect("sqmail")
      .recipients(
        ["a@eleven0.signed.test", "b@circle1.signed.test", "c@self.open.test"],
        become: ["a@eleven0.signed.test", "b@circle1.signed.test", "c@self.open.test"]),
    LookupCase(
      "a recipient's alias that can't be validated defers", "plain.open.test",
      report: LookupCase.aliasFailed("bogus-alias.signed.test")
    ).dialect("sqmail").recipients(["a@plain.open.test", "b@bogus-alias.signed.test"]),
    LookupCase(
      "a recipient's domain at a server that refuses defers", "plain.open.test", report: LookupCase.aliasFailed("any.lame.test")
    ).dialect("indimail").recipients(["b@any.lame.test"]),
    LookupCase(
      "a relay keeps recipients as they are", "plain.open.test", plan: ["0 mx.plain.open.test unvalidated 192.0.2.3 TLSA none"]
    ).dialect("sqmail").control("smtproutes", ":mx.plain.open.test\n")
      .recipients(["a@nickname.signed.test", "b@any.lame.test"], become: ["a@nickname.signed.test", "b@any.lame.test"]),
  ]

  private static let internationalised = [
    LookupCase(
      "a host in U-labels", "b\u{fc}cher.open.test",
      """
      xn--bcher-kva.open.test MX 10 mx.plain.open.test
      """, plan: target),
    LookupCase(
      "not composed, in capitals", "BU\u{308}CHER.open.test", plan: target),
    LookupCase(
      "what no A-label exists for", "b\u{fc}-.open.test",
      report: LookupCase.noALabel("b\u{fc}-.open.test", "string start/ends with forbidden hyphen")),
    rewriting(
      "a recipient's domain in U-labels is an alias", "xn--wrde-0ra.open.test CNAME xn--bcher-kva.open.test"
    ).dialect("sqmail").recipients(
      ["a@w\u{fc}rde.open.test", "b@b\u{fc}cher.open.test"], become: ["a@xn--bcher-kva.open.test", "b@xn--bcher-kva.open.test"]),
  ]
}
