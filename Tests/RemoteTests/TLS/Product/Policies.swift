// Every form that a site can write its demands in, and what each demands by its man page. The server is called mx.example.com, is the
// relay for example.com, and the sender is from example.net.
import Support

/// The demands of a site.
struct ProductPolicy: Sendable {
  let name: String
  var dialect = "sqmail"
  /// Control files; see `Scene` for the words in braces.
  var control: [String: String] = [:]
  var environment: [String: String] = [:]
  /// Files in the folder of certificates.
  var certificates: [String: String] = [:]
  let demand: Demand

  static let all = destinations + hostCertificates + trustAnchors + defaults
  static func named(_ name: String) -> ProductPolicy? { all.first { $0.name == name } }

  /// Lines of tlsdestinations; the numbers are those of qmail-remote(8) of s/qmail.
  private static func lines(_ number: String, _ lines: String, _ demand: Demand) -> ProductPolicy {
    ProductPolicy(name: "(\(number)) \(lines)", control: ["tlsdestinations": lines + "\n"], demand: demand)
  }
}

// MARK: s/qmail

extension ProductPolicy {
  static let destinations = general + hosts + pins + places

  private static let general = [
    lines("0", "*:", .optional), lines("0", "*:{roots}", .optional.with { $0.authorities = .ours }),
    lines("1", "?:", .optional), lines("2", "-:", .optional.with { $0.anonymous = true }), lines("3", "/:", .optional),
    lines("4", "-*:", .required.with { $0.anonymous = true }),
    lines("5", "+*:", .chain(.system)), lines("5", "+*:{roots}", .chain(.ours)),
    lines("6", "~*:", .wildcardName(.system)), lines("6", "~*:{folder}", .wildcardName(.ours)),
    lines("7", "=*:", .name(.system)), lines("7", "=*:{roots}", .name(.ours)), lines("8", "/*:", .required),
  ]

  private static let hosts = [
    lines("9", "mx.example.com:", .required), lines("9", ".example.com:", .required),
    lines("9", "MX.Example.COM:{roots}", .chain(.ours)),
    lines("10", "mx.example.com:{roots}|!SSLv2:HIGH", .chain(.ours)),
    lines("10", "mx.example.com:{stranger}", .chain(.strangers)),
    lines("11", "mx.example.com:{folder}||3", .chain(.ours, depth: 3)),
    lines("11", "mx.example.com:{folder}||0", .chain(.ours, depth: 0)),
    lines("12", "mx.example.com:{roots}||2|example.net", .chain(.ours, depth: 2)),
    // For other senders it is as if the line weren't there.
    lines("12", "mx.example.com:{roots}||2|elsewhere.example", .optional),
    lines("13", "=mx.example.com:{roots}||4", .name(.ours, depth: 4)),
    lines("13", "=mx.example.com:", .name(.system)),
    // Only the host itself.
    lines("13", "=.example.com:{roots}", .optional),
    lines("14", "~mx.example.com:{roots}", .wildcardName(.ours)), lines("14", "~.example.com:{folder}", .wildcardName(.ours)),
    lines("14", "~mx.example.com:", .wildcardName(.system)),
    lines("15", "-mx.example.com:||aNULL:!kRSA", .required.with { $0.anonymous = true }),
    lines("17", "!mx.example.com:", .never), lines("17", "!.example.com:", .never), lines("17", "!:", .never),
    lines("19", "?mx.example.com:", .optional), lines("20", "/mx.example.com:", .optional),
    // The order: what forbids, then from the most certain to the least, what names a host before what doesn't.
    lines("17, 13", "=mx.example.com:{roots}\n!mx.example.com:", .never),
    lines("17, 9", "mx.example.com:{roots}\n!:", .never),
    lines("7, 13", "=*:{stranger}\n~mx.example.com:{roots}", .wildcardName(.ours)),
    lines("14, 13", "~mx.example.com:{stranger}\n=mx.example.com:{roots}", .name(.ours)),
    lines("9, 19", "?mx.example.com:\nmx.example.com:", .required),
    lines("20, 0", "*:{roots}\n/mx.example.com:", .optional),
  ]

  private static let pins =
    ["sha1", "sha224", "sha256", "sha512"].map { lines("16", "%mx.example.com:={\($0)}", .pin(.fingerprintOfServer)) }
    + ["sha1", "sha224", "sha256", "sha512"].map {
      lines("16", "%mx.example.com:={other \($0)}", .pin(.fingerprintOfAnother))
    } + [
      lines("16", "mx.example.com:={sha256}", .pin(.fingerprintOfServer)),
      // 48 bytes: no digest of the man page.
      lines("16", "%mx.example.com:={sha384}", .impossible), lines("16", "%mx.example.com:=0123", .impossible),
      lines("16", "%mx.example.com:", .impossible),
    ]

  /// The port of these replaces the route's, where nobody listens.
  private static let places = [
    lines("18", "mx.example.com:;{port}", .required.with { $0.explicit = true }),
    lines("18", "=mx.example.com:{roots}||2;{port}", .name(.ours, depth: 2).with { $0.explicit = true }),
    lines("11", "mx.example.com:{folder}||3;s{port}", .chain(.ours, depth: 3).with { $0.implicit = true }),
    lines("7", "=*:{roots};s{port}", .name(.ours).with { $0.implicit = true }),
    lines("0", "*:;s{port}", .optional.with { $0.implicit = true }),
    lines("16", "%mx.example.com:={sha1};s{port}", .pin(.fingerprintOfServer).with { $0.implicit = true }),
  ]
}

// MARK: indimail, skarnet, nobody

extension ProductPolicy {
  private static let hostFile = "tlshosts/mx.example.com.pem"

  /// The dialect needs a clientcert.pem for TLS, a file in tlshosts doesn't.
  private static let hostCertificates = [
    ProductPolicy(
      name: "tlshosts", dialect: "indimail", certificates: [hostFile: "{roots}"], demand: .wildcardName(.ours)),
    ProductPolicy(name: "tlshosts, sqmail", certificates: [hostFile: "{roots}"], demand: .wildcardName(.ours)),
    ProductPolicy(
      name: "tlshosts of a stranger", dialect: "indimail", certificates: [hostFile: "{stranger}"],
      demand: .wildcardName(.strangers)),
    ProductPolicy(
      name: "tlshosts and notlshosts", dialect: "indimail",
      certificates: [hostFile: "{roots}", "notlshosts/mx.example.com": "", "clientcert.pem": "{client}"],
      demand: .wildcardName(.ours)),
    ProductPolicy(
      name: "notlshosts", dialect: "indimail",
      certificates: ["notlshosts/mx.example.com": "", "clientcert.pem": "{client}"], demand: .never),
    ProductPolicy(
      name: "notlshosts of the host", dialect: "indimail",
      certificates: ["notlshosts/example.com": "", "clientcert.pem": "{client}"], demand: .never),
    ProductPolicy(
      name: "control/notlshosts", dialect: "indimail", control: ["notlshosts": "example.com\n"],
      certificates: ["clientcert.pem": "{client}"], demand: .never),
    ProductPolicy(
      name: "exhaustivelist", dialect: "indimail",
      certificates: ["tlshosts/exhaustivelist": "", "clientcert.pem": "{client}"], demand: .never),
    ProductPolicy(
      name: "exhaustivelist with the host", dialect: "indimail",
      certificates: ["tlshosts/exhaustivelist": "", hostFile: "{roots}"], demand: .wildcardName(.ours)),
    ProductPolicy(
      name: "SMTPS", dialect: "indimail", environment: ["SMTPS": "1"], demand: .required.with { $0.implicit = true }),
    ProductPolicy(
      name: "SMTPS and tlshosts", dialect: "indimail", environment: ["SMTPS": "1"], certificates: [hostFile: "{roots}"],
      demand: .wildcardName(.ours).with { $0.implicit = true }),
    ProductPolicy(
      name: "tlsdestinations before tlshosts", control: ["tlsdestinations": "?mx.example.com:\n"],
      certificates: [hostFile: "{stranger}"], demand: .optional),
  ]

  private static let trustAnchors = [
    ("0", "{roots}", Demand.optional), ("1", "{roots}", .optional.with { $0.asksAll = true }),
    ("2", "{roots}", .wildcardName(.ours)),
    ("2", "{folder}", .wildcardName(.ours)), ("2", "{stranger}", .wildcardName(.strangers)), ("", "{roots}", .optional),
    ("2", "", .impossible), ("1", "", .never),
  ].map { strictness, anchors, demand in
    ProductPolicy(
      name: "tlsstrictness \(strictness), trustanchors \(anchors)", dialect: "skarnet",
      control: ["tlsstrictness": strictness + "\n", "trustanchors": anchors + "\n"], demand: demand)
  }

  private static let defaults = [
    ProductPolicy(name: "stock", dialect: "stock", demand: .optional),
    ProductPolicy(name: "sqmail", demand: .optional), ProductPolicy(name: "skarnet", dialect: "skarnet", demand: .never),
    ProductPolicy(name: "indimail", dialect: "indimail", demand: .never),
    ProductPolicy(
      name: "indimail with clientcert.pem", dialect: "indimail", certificates: ["clientcert.pem": "{client}"],
      demand: .optional),
  ]
}
