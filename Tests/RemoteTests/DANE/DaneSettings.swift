// The table of DANE: other ways than by mail exchangers, servers that keep TLS back, and what the administrator says.

extension DaneTable {
  private static let relay = "relay.HOST A ADDRESS\n"

  private static func toRelay(_ row: inout DaneRow, port: UInt16 = 2_525) {
    row.control = ["smtproutes": ":relay.HOST:\(port)\n"]
    row.fingerHost = "[relay.HOST]:\(port)"
    row.port = port
  }

  /// Section 2.2.2.
  static let destinations = [
    DaneRow("2.2.2", "host", "a host without exchangers", "HOST A ADDRESS\n_25._tcp.HOST TLSA <2 1 1>", .validated) {
      $0.names = ["HOST"]
      $0.serverName = "HOST"
    },
    DaneRow(
      "2.2.2", "host-wrong", "a host without exchangers, wrong records", "HOST A ADDRESS\n_25._tcp.HOST TLSA <3 1 1 wrong>",
      .deferred(.otherCertificate)),
    DaneRow("2.2.2", "relay", "a relay", relay + "_25._tcp.relay.HOST TLSA <2 1 1>", .validated) {
      toRelay(&$0, port: 25)
      $0.names = ["relay.HOST"]
    },
    DaneRow("2.2.2", "relay-port", "a relay at another port", relay + "_2525._tcp.relay.HOST TLSA <3 1 1>", .validated) {
      toRelay(&$0)
    },
    DaneRow(
      "2.2.2", "relay-port-wrong", "a relay at another port, wrong records",
      relay + "_2525._tcp.relay.HOST TLSA <3 1 1 wrong>", .deferred(.otherCertificate)
    ) { toRelay(&$0) },
    DaneRow(
      "2.2.3", "relay-port-25", "a relay at another port, wrong records for port 25",
      relay + "_25._tcp.relay.HOST TLSA <3 1 1 wrong>", .encrypted
    ) { toRelay(&$0) },
    DaneRow(
      "2.1.2", "relay-forged", "a relay whose records are forged",
      relay + "_2525._tcp.relay.HOST TLSA <3 1 1>\n_2525._tcp.relay.HOST TLSA forged", .deferred(.noAnswer)
    ) {
      toRelay(&$0)
      $0.isLeftAlone = true
    },
    DaneRow("2.2", "literal", "an address has no name and no records", usual("<3 1 1 wrong>"), .encrypted) {
      $0.host = "[ADDRESS]"
    },
  ]

  private static let two = """
    HOST MX 10 mx.HOST
    HOST MX 20 next.HOST
    mx.HOST A ADDRESS
    next.HOST A NEXT
    _25._tcp.next.HOST TLSA <3 1 1 next>
    _25._tcp.mx.HOST TLSA
    """

  /// Sections 2.2 and 2.1.2: with usable records there is TLS that they prove, or no mail; the next exchanger may do better.
  static let starttls = [
    DaneRow("2.2", "next", "wrong records, and an exchanger behind it", two + " <3 1 1 wrong>", .validated) {
      $0.hasNext = true
      $0.tool = .says(
        "Untrusted TLS connection established to", because: "it looks at the first that answers, and goes no further")
    },
    DaneRow("2.2", "stripped", "no STARTTLS", usual("<3 1 1>"), .deferred(.noSTARTTLS)) {
      $0.tool = withoutSTARTTLS
      $0.behaviour = { $0.clearKeywords = ["PIPELINING"] }
    },
    DaneRow("2.2", "stripped-next", "no STARTTLS, and an exchanger behind it", two + " <3 1 1>", .validated) {
      $0.hasNext = true
      $0.behaviour = { $0.clearKeywords = ["PIPELINING"] }
      $0.tool = withoutSTARTTLS
    },
    DaneRow("2.2", "refused", "STARTTLS refused for now", usual("<3 1 1>"), .deferred(.refusedSTARTTLS)) {
      $0.behaviour = { $0.starttlsReply = "454 4.7.0 not now" }
    },
    DaneRow("2.2", "refused-for-good", "STARTTLS refused for good", usual("<3 1 1>"), .deferred(.refusedSTARTTLS)) {
      $0.behaviour = { $0.starttlsReply = "554 5.7.0 never" }
    },
  ]

  private static let noFile = DaneRow.Tool.mute(because: "it reads none of our control files and variables")

  private static func configured(
    _ label: String, _ words: String, _ verdict: DaneRow.Verdict, record: String = "<3 1 1 wrong>",
    change: (inout DaneRow) -> Void
  ) -> DaneRow {
    DaneRow("qmail-remote(8), DANE", label, words, usual(record), verdict) {
      $0.tool = noFile
      change(&$0)
    }
  }

  /// What the man page says, sections TLS and DANE. Where records would count they are wrong, and defer.
  static let settings = lists + classes + dialects + services

  private static let lists = [
    configured("listed", "tlsadomains has the exchanger", .deferred(.otherCertificate)) {
      $0.control["tlsadomains"] = "other.example\nMX.HOST\n"
    },
    configured("unlisted", "tlsadomains has others, and the domain", .encrypted) {
      $0.control["tlsadomains"] = "other.example\nHOST\n"
    },
    configured("listed-elsewhere", "TLSADOMAINS names another file", .encrypted) {
      $0.control["mydomains"] = "other.example\n"
      $0.environment["TLSADOMAINS"] = "mydomains"
    },
    configured("required", "a file that demands the chain, which records don't give", .deferred(.chain), record: "<3 1 1>") {
      $0.control["tlsdestinations"] = "+*:\n"
    },
  ]

  private static let classes = [
    configured("class-slash", "/ before the name", .encrypted) { $0.control["tlsdestinations"] = "/mx.HOST:\n" },
    configured("class-slash-all", "/*", .encrypted) { $0.control["tlsdestinations"] = "/*:\n" },
    configured("class-never", "! before the name", .clear) { $0.control["tlsdestinations"] = "!mx.HOST:\n" },
    configured("class-pin", "% before the name, with a fingerprint", .pinned) {
      $0.control["tlsdestinations"] = "%mx.HOST:=PIN\n"
    },
    configured("class-may", "? before the name", .deferred(.otherCertificate)) {
      $0.control["tlsdestinations"] = "?mx.HOST:\n"
    },
    configured("notlshosts", "control file notlshosts", .clear) {
      $0.dialect = "indimail"
      $0.environment["DANE_VERIFICATION"] = ""
      $0.control["notlshosts"] = "HOST\n"
    },
  ]

  private static let dialects = [
    configured("stock", "on in dialect stock", .deferred(.otherCertificate)) { $0.dialect = "stock" },
    configured("skarnet", "off in dialect skarnet", .clear) { $0.dialect = "skarnet" },
    configured("indimail", "off in dialect indimail", .clear) { $0.dialect = "indimail" },
    configured("skarnet-on", "DANE_VERIFICATION in dialect skarnet", .deferred(.otherCertificate)) {
      $0.dialect = "skarnet"
      $0.environment["DANE_VERIFICATION"] = ""
    },
  ]

  /// Its word can take an exchanger away, and never make more of one.
  private static let services = [
    configured("daned-right", "qmail-daned finds it right, as it is", .validated, record: "<3 1 1>") { $0.serviceState = 2 },
    configured("daned-right-wrong", "qmail-daned finds it right, which it isn't", .deferred(.otherCertificate)) {
      $0.serviceState = 2
    },
    configured("daned-wrong", "qmail-daned finds it wrong, which it isn't", .deferred(.distrusted), record: "<3 1 1>") {
      $0.serviceState = 3
      $0.isLeftAlone = true
    },
    configured("daned-other", "it is not asked about what tlsadomains leaves out", .encrypted) {
      $0.serviceState = 3
      $0.control["tlsadomains"] = "other.example\n"
    },
  ]
}
