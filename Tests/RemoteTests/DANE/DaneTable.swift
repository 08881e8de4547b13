// The table of DANE: certificates and records (RFC 7672 section 3, with RFC 7671 where it says so).

enum DaneTable {
  static let rows = certificates + unusable + agility + answers + aliases + destinations + starttls + settings

  static let usual = DaneRow.usual
  static let withoutSTARTTLS = DaneRow.Tool.isSilent(because: "without STARTTLS there is no TLS that it could tell of")

  /// Section 3.1: usages 3 and 2 with each selector and each digest, right and wrong.
  private static let certificates = matching + names

  private static let matching =
    [0, 1].flatMap { selector in
      [0, 1, 2].flatMap { digest in
        [
          DaneRow("3.1.1", "e\(selector)\(digest)", "the certificate", usual("<3 \(selector) \(digest)>"), .validated),
          DaneRow("3.1.2", "t\(selector)\(digest)", "its authority", usual("<2 \(selector) \(digest)>"), .validated) {
            $0.names = ["mx.HOST"]
          },
        ]
      }
    } + [
      DaneRow("3.1.1", "e-wrong-key", "another key", usual("<3 1 1 wrong>"), .deferred(.otherCertificate)),
      DaneRow("3.1.1", "e-wrong-digest", "another certificate", usual("<3 0 2 wrong>"), .deferred(.otherCertificate)),
      DaneRow("3.1.2", "t-wrong-key", "another authority's key", usual("<2 1 2 wrong>"), .deferred(.noAuthority)),
      DaneRow("3.1.2", "t-wrong-digest", "another authority", usual("<2 0 1 wrong>"), .deferred(.noAuthority)),
      DaneRow(
        "3.1.1", "rollover", "two keys, one of them the server's (RFC 7671 section 8.1)",
        usual("<3 1 1 wrong>", "<3 1 1>"), .validated),
      DaneRow("3.1", "either", "another key, and the right authority", usual("<3 1 1 wrong>", "<2 0 1>"), .validated) {
        $0.names = ["mx.HOST"]
      },
      DaneRow("3.1.2", "root-sent", "the root, which the server sends", usual("<2 0 1 root>"), .validated) {
        $0.names = ["mx.HOST"]
        $0.sendsRoot = true
      },
      DaneRow("3.1.2", "root-not-sent", "the root, which it doesn't", usual("<2 0 1 root>"), .deferred(.noAuthority)),
    ]

  /// Section 3.2: with usage 3 neither names nor dates count, with usage 2 both.
  private static let names = [
    DaneRow("3.1.1", "e-expired", "the right key, expired", usual("<3 1 1>"), .validated) { $0.certificate = .expired },
    DaneRow("3.1.1", "e-name", "the right key, for another name", usual("<3 1 1>"), .validated) {
      $0.certificate = .wrongName
    },
    DaneRow("3.1.1", "e-self", "the right certificate, signed by itself", usual("<3 0 1>"), .validated) {
      $0.certificate = .selfSigned
    },
    DaneRow("3.1.2", "t-expired", "the right authority, expired", usual("<2 0 1>"), .deferred(.chain)) {
      $0.names = ["mx.HOST"]
      $0.settings = ["to=-1"]
    },
    DaneRow("3.2.2", "t-name", "the right authority, another name", usual("<2 1 1>"), .deferred(.otherName)) {
      $0.certificate = .wrongName
    },
    DaneRow("3.2.2", "t-domain", "the right authority, for the domain", usual("<2 1 1>"), .validated) { $0.names = ["HOST"] },
    DaneRow("3.2.3", "t-wildcard", "the right authority, by a wildcard", usual("<2 1 1>"), .validated) {
      $0.names = ["*.HOST"]
    },
    DaneRow("3.2.3", "t-two-labels", "a wildcard that stands for two labels", usual("<2 1 1>"), .deferred(.otherName)) {
      $0.names = ["*.test"]
    },
  ]

  /// Section 3.1.3 and 2.2: what can't be used demands TLS, and nothing of the certificate.
  private static let unusable = [
    DaneRow("3.1.3", "u0", "usage 0, right", usual("<0 0 1>"), .encrypted),
    DaneRow("3.1.3", "u1", "usage 1, right", usual("<1 1 1>"), .encrypted),
    DaneRow("3.1.3", "u0-wrong", "usage 0, wrong", usual("<0 1 1 wrong>"), .encrypted),
    DaneRow("3.1.3", "u1-wrong", "usage 1, wrong", usual("<1 0 2 wrong>"), .encrypted),
    DaneRow("2.2", "u-numbers", "usage 4, selector 2, digest 9", usual("4 1 1 00", "3 2 1 00", "3 1 9 00"), .encrypted),
    DaneRow("2.2", "u-length", "a digest that is too short", usual("3 1 1 00"), .encrypted),
    DaneRow("3.1.3", "mixed-right", "usage 1, wrong, and usage 3, right", usual("<1 1 1 wrong>", "<3 1 1>"), .validated),
    DaneRow(
      "3.1.3", "mixed-wrong", "usage 0, right, and usage 3, wrong", usual("<0 0 1>", "<3 1 1 wrong>"),
      .deferred(.otherCertificate)),
    DaneRow("2.2", "u-stripped", "none can be used, and no STARTTLS", usual("<1 1 1>"), .deferred(.noSTARTTLS)) {
      $0.tool = withoutSTARTTLS
      $0.behaviour = { $0.clearKeywords = ["PIPELINING"] }
    },
  ]

  /// Section 5: of the records of one usage and selector only those with the strongest digest.
  private static let agility = [
    DaneRow("5", "weak-wrong", "SHA-256 wrong, SHA-512 right", usual("<3 1 1 wrong>", "<3 1 2>"), .validated),
    DaneRow(
      "5", "strong-wrong", "SHA-256 right, SHA-512 wrong", usual("<3 1 1>", "<3 1 2 wrong>"),
      .deferred(.otherCertificate)),
    DaneRow(
      "5", "other-selector", "SHA-512 wrong, SHA-256 right of another selector", usual("<3 0 2 wrong>", "<3 1 1>"),
      .validated),
    DaneRow(
      "5", "whole", "the key itself, and SHA-512 wrong: no digest is weaker or stronger",
      usual("<3 1 0>", "<3 1 2 wrong>"), .validated),
  ]
}
