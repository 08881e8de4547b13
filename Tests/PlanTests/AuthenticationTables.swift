// The rows of control files and variables that are about authentication.
import Support

private func invalid(_ place: String, _ fault: String) -> String { "report: ZUnable to use \(place): \(fault). (#4.3.5)" }

extension ControlRow {
  static let authentication = [
    ControlRow(
      name: "realm",
      present: ControlState(
        "example.net\n", "auth: any mechanism, realm example.net (control/realm), else without authentication"),
      absent: any, malformed: ControlState("\nexample.net\n", any), others: ["smtproutes": Array(":192.0.2.60|u|p".utf8)]),
    ControlRow(
      name: "authrequired", present: ControlState("1\n", "auth: any mechanism, or not at all (control/authrequired)"),
      absent: any,
      malformed: ControlState("0\n", any), others: ["smtproutes": Array(":192.0.2.60|u|p".utf8)]),
  ]

  private static let any = "auth: any mechanism, else without authentication"
}

extension VariableRow {
  static let authentication = [choice, clear, salted, requirement] + switches

  private static let any = "auth: any mechanism, else without authentication"
  private static let pipe = ["smtproutes": ":192.0.2.60|u|p"]

  private static let choice = VariableRow(
    name: "AUTH_SMTP",
    present: ("login", "auth: LOGIN (the variable AUTH_SMTP), else without authentication"),
    absent: "route: 192.0.2.60 (control/smtproutes:1)",
    malformed: ("LOGIN PLAIN", invalid("the variable AUTH_SMTP", "no mechanism is called LOGIN?PLAIN")), empty: any,
    control: ["smtproutes": ":192.0.2.60 u p"])

  private static let clear = VariableRow(
    name: "SECURE_AUTH", present: ("1", hidden), absent: any, malformed: nil, empty: hidden, control: pipe)

  private static let hidden =
    "auth: any mechanism, LOGIN, PLAIN, OAUTHBEARER, XOAUTH2 over TLS only (the variable SECURE_AUTH), else without authentication"

  private static let salted = VariableRow(
    name: "SALTED_PASSWORD", present: ("1", saltedLine), absent: any, malformed: nil, empty: saltedLine, control: pipe)

  private static let saltedLine =
    "auth: any mechanism, by a salted password (the variable SALTED_PASSWORD), else without authentication"

  /// It lifts what the file asks for, or asks for it itself.
  private static let requirement = VariableRow(
    name: "AUTH_REQUIRED", present: ("1", "auth: any mechanism, or not at all (the variable AUTH_REQUIRED)"),
    absent: "auth: any mechanism, or not at all (control/authrequired)", malformed: ("0", any),
    empty: "auth: any mechanism, or not at all (the variable AUTH_REQUIRED)",
    control: pipe.merging(["authrequired": ""]) { $1 })

  /// Which mechanisms each turns off.
  private static let switches = [
    ("DISABLE_AUTH_LOGIN", ["LOGIN"]), ("DISABLE_AUTH_PLAIN", ["PLAIN"]), ("DISABLE_AUTH_OAUTH2", ["OAUTHBEARER", "XOAUTH2"]),
    ("DISABLE_CRAM_MD5", ["CRAM-MD5"]), ("DISABLE_CRAM_SHA1", ["CRAM-SHA1"]), ("DISABLE_CRAM_SHA224", ["CRAM-SHA224"]),
    ("DISABLE_CRAM_SHA256", ["CRAM-SHA256"]), ("DISABLE_CRAM_SHA384", ["CRAM-SHA384"]),
    ("DISABLE_CRAM_SHA512", ["CRAM-SHA512"]), ("DISABLE_CRAM_RIPEMD", ["CRAM-RIPEMD"]),
    ("DISABLE_DIGEST_MD5", ["DIGEST-MD5"]), ("DISABLE_SCRAM_SHA1", ["SCRAM-SHA-1"]),
    ("DISABLE_SCRAM_SHA256", ["SCRAM-SHA-256"]), ("DISABLE_SCRAM_SHA1_PLUS", ["SCRAM-SHA-1-PLUS"]),
    ("DISABLE_SCRAM_SHA256_PLUS", ["SCRAM-SHA-256-PLUS"]),
  ].map { variable, names in
    let words = names.map { "\($0) (the variable \(variable))" }.joined(separator: ", ")
    let line = "auth: any mechanism but \(words), else without authentication"
    return VariableRow(name: variable, present: ("1", line), absent: any, malformed: nil, empty: line, control: pipe)
  }
}
