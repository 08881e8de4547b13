// The rows of the control files and variables about TLS.
import Support

extension ControlRow {
  private static let usual = "tls: may (the default of dialect stock)"
  private static let dane = "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none"
  private static let noDane = "exchanger: 0 a.example, validated, 192.0.2.1"

  private static func unusable(_ place: String, _ fault: String) -> String {
    "report: ZUnable to use \(place): \(fault). (#4.3.5)"
  }

  static let tls = demands + records + settings

  private static let demands =
    [
      ControlRow(
        name: "tlsdestinations", present: ControlState("# ours\na.example:\n", "tls: encrypt (control/tlsdestinations:2)"),
        absent: usual,
        malformed: ControlState("a.example:;x\n", unusable("control/tlsdestinations:1", "x is no port"))),
      ControlRow(
        name: "trustanchors", present: ControlState("/ca\n", "tls: may (control/trustanchors:1)"), absent: usual,
        malformed: ControlState("\n", "tls: none (no control/trustanchors)")),
      ControlRow(
        name: "tlsstrictness", present: ControlState("2", "tls: name a.example by /ca (control/tlsstrictness:1)"),
        absent: "tls: may (control/trustanchors:1)",
        malformed: ControlState("two\n", unusable("control/tlsstrictness:1", "two is none of 0, 1 and 2")),
        others: ["trustanchors": Array("/ca\n".utf8)]),
    ]
    + ["notlshosts", "notlhosts"].map { name in
      ControlRow(
        name: name, present: ControlState("A.example\n", "tls: none (control/\(name):1)"), absent: usual,
        malformed: ControlState(" a.example\n.example\na.example:\n", usual))
    }

  private static let records = [
    ControlRow(
      name: "tlsadomains", present: ControlState("A.example", dane), absent: noDane,
      malformed: ControlState(" a.example\n# a.example\n.example\n", noDane),
      others: ["tlsadomains.cdb": listed("b.example")]),
    ControlRow(
      name: "tlsadomains.cdb", present: ControlState(listed("a.example"), dane), absent: noDane,
      malformed: ControlState("a.example\n", "report: ZUnable to read control files. (#4.3.0)"),
      others: ["tlsadomains": Array("b.example\n".utf8)]),
  ]

  private static func listed(_ name: String) -> [UInt8] {
    (try? PlanFile.database([(Array(name.utf8), [])])) ?? []
  }

  private static let settings = [
    ControlRow(
      name: "domaincerts", present: ControlState("x.y:/x.pem\n", "client certificate: /x.pem (control/domaincerts:1)"),
      absent: "!client certificate: ",
      malformed: ControlState("*:|/x.key\n", unusable("control/domaincerts:1", "no certificate"))
    ),
    ControlRow(
      name: "clientcert", present: ControlState("/c.pem\n", "client certificate: /c.pem (control/clientcert:1)"),
      absent: "!client certificate: ", malformed: ControlState("\n/c.pem\n", "!client certificate: "),
      others: ["trustanchors": Array("/ca\n".utf8)]),
    ControlRow(
      name: "clientkey", present: ControlState("/c.key\n", "client certificate: /c.pem, key /c.key (control/clientcert:1)"),
      absent: "client certificate: /c.pem (control/clientcert:1)",
      malformed: ControlState("\n", "client certificate: /c.pem (control/clientcert:1)"),
      others: ["trustanchors": Array("/ca\n".utf8), "clientcert": Array("/c.pem\n".utf8)]),
    ControlRow(
      name: "tlsclientmethod", present: ControlState("TLSv1_3:\n", "tls versions: TLSv1_3 and up (control/tlsclientmethod:1)"),
      absent: "!tls versions: ",
      malformed: ControlState(
        "TLSv1.4\n",
        unusable("control/tlsclientmethod:1", "TLSv1.4 is none of TLSv1, TLSv1_1, TLSv1_2, TLSv1_3"))),
    ControlRow(
      name: "clientcipherlist", present: ControlState("HIGH\n", "tls ciphers: HIGH (control/clientcipherlist)"),
      absent: "!tls ciphers: ", malformed: ControlState("# HIGH\n\n", "!tls ciphers: ")),
    ControlRow(
      name: "clientciphersuite",
      present: ControlState(
        "TLS_AES_128_GCM_SHA256\n", "tls cipher suites: TLS_AES_128_GCM_SHA256 (control/clientciphersuite)"),
      absent: "!tls cipher suites: ", malformed: ControlState("# x\n\n", "!tls cipher suites: ")),
  ]
}

extension VariableRow {
  private static let usual = "tls: may (the default of dialect stock)"
  private static let noCertificate = "!client certificate: "
  private static let someFile = "client certificate: /etc/passwd (/etc/passwd)"

  static let tls =
    [
      VariableRow(
        name: "CERTDIR", present: ("/etc", someFile), absent: noCertificate, malformed: ("/nowhere", noCertificate),
        empty: noCertificate, environment: ["CLIENTCERT=passwd"]),
      VariableRow(
        name: "CLIENTCERT", present: ("passwd", someFile), absent: noCertificate, malformed: ("nowhere", noCertificate),
        empty: noCertificate, environment: ["CERTDIR=/etc"]),
      VariableRow(
        name: "SMTPS", present: ("1", "tls: encrypt, from the first byte (the variable SMTPS)"), absent: usual, malformed: nil,
        empty: "tls: encrypt, from the first byte (the variable SMTPS)"),
      VariableRow(
        name: "NOTLSHOSTS", present: ("other", "tls: none (control/other:1)"), absent: usual, malformed: ("nowhere", usual),
        empty: usual, control: ["other": "a.example"], isFileName: true),
      VariableRow(
        name: "TLSADOMAINS", present: ("other", "exchanger: 0 a.example, validated, 192.0.2.1"),
        absent: "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none",
        malformed: ("nowhere", "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none"),
        empty: "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none", control: ["other": "b.example"], isFileName: true),
    ]
    + [("TLS_CIPHER_LIST", "tls ciphers: "), ("TLS_CIPHER_SUITE", "tls cipher suites: ")].map { name, line in
      VariableRow(
        name: name, present: ("X", "\(line)X (the variable \(name))"), absent: "!\(line)", malformed: nil, empty: "!\(line)")
    }
}
