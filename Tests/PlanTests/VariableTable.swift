// A row for every environment variable of the four families that a plan depends on, as the table of control files has one for each file.
import Support
import Testing

/// One variable.
struct VariableRow: Sendable, CustomTestStringConvertible {
  let name: String
  /// A value, and a line that the plan then has.
  let present: (value: String, line: String)
  let absent: String
  /// A value that can't be followed, or says nothing; nil where any value is as good as any other.
  let malformed: (value: String, line: String)?
  /// Set to nothing.
  let empty: String
  var control: [String: String] = [:]
  var environment: [String] = []
  /// A variable that names a file can name one that can't be read.
  var isFileName = false
  var recipient = "r@a.example"
  var host = "a.example"

  var testDescription: String { name }
}

extension VariableRow {
  private static let plain = "candidate 1: 192.0.2.1 port 25, a.example, preference 0"
  private static let noRoute = "route: none, so the mail exchangers of the host"
  private static let relay = "route: 192.0.2.60 (control/smtproutes:1)"

  private static func invalid(_ place: String, _ fault: String) -> String {
    "report: ZUnable to use \(place): \(fault). (#4.3.5)"
  }

  static let all = routes + files + switches + [outgoing, family, dialect] + tags + rules + authentication + tls

  private static let routes =
    ["SMTPROUTE", "X-SMTPROUTES"].map { name in
      VariableRow(
        name: name, present: (":192.0.2.64", "route: 192.0.2.64 (the variable \(name))"), absent: relay,
        malformed: (":192.0.2.64:x", invalid("the variable \(name)", "x is no port")), empty: noRoute,
        control: ["smtproutes": ":192.0.2.60"])
    } + [
      VariableRow(
        name: "QMTPROUTE",
        present: (":192.0.2.64", "route: 192.0.2.64, QMTP (the variable QMTPROUTE)"),
        absent: relay, malformed: (":192.0.2.64;s0", invalid("the variable QMTPROUTE", "0 is no port")), empty: relay,
        control: ["smtproutes": ":192.0.2.60"])
    ]

  private static let files = [
    VariableRow(
      name: "SMTPROUTESFILE", present: ("other", "route: 192.0.2.65 (control/other:1)"), absent: relay,
      malformed: ("nowhere", noRoute), empty: relay, control: ["smtproutes": ":192.0.2.60", "other": ":192.0.2.65"],
      isFileName: true),
    VariableRow(
      name: "QMTPROUTESFILE",
      present: ("other", "route: 192.0.2.65, QMTP (control/other:1)"), absent: relay,
      malformed: ("nowhere", relay), empty: relay, control: ["smtproutes": ":192.0.2.60", "other": ":192.0.2.65"],
      isFileName: true),
    VariableRow(
      name: "MORESMTPROUTESCDB", present: ("other", "report: ZUnable to read control files. (#4.3.0)"), absent: relay,
      malformed: ("nowhere", relay), empty: relay, control: ["smtproutes": ":192.0.2.60", "other": "no database"],
      isFileName: true),
    VariableRow(
      name: "DOMAINBINDINGS",
      present: ("other", "\(plain), from 192.0.2.211 (control/other:1), as x.y (control/other:1)"), absent: plain,
      malformed: ("nowhere", plain), empty: plain, control: ["other": "x.y:192.0.2.211"], isFileName: true),
    VariableRow(
      name: "HELOHOSTBYIP",
      present: ("other", "\(plain), from 192.0.2.201 (control/outgoingip:1), as ip.test (control/other:1)"),
      absent: "\(plain), from 192.0.2.201 (control/outgoingip:1)",
      malformed: ("nowhere", "\(plain), from 192.0.2.201 (control/outgoingip:1)"),
      empty: "\(plain), from 192.0.2.201 (control/outgoingip:1)",
      control: ["other": "192.0.2.201:ip.test", "outgoingip": "192.0.2.201"], isFileName: true),
  ]

  /// Set is set, whatever the value.
  private static let switches =
    [
      VariableRow(
        name: "DISABLE_MXPS", present: ("1", "candidate 1: 192.0.2.2 port 25, mxps.example, preference 12801"),
        absent: "candidate 1: 192.0.2.2 port 209, mxps.example, preference 12801, QMTP", malformed: nil,
        empty: "candidate 1: 192.0.2.2 port 25, mxps.example, preference 12801", control: ["dialect": "indimail"],
        host: "b.example"),
      VariableRow(
        name: "SMTPUTF8", present: ("1", "smtputf8: used if the addresses or the message need it"), absent: plain,
        malformed: nil,
        empty: "smtputf8: used if the addresses or the message need it"),
      VariableRow(
        name: "DANE_VERIFICATION", present: ("127.0.0.1@1998", "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none"),
        absent: "exchanger: 0 a.example, validated, 192.0.2.1",
        malformed: ("x@1998", invalid("the variable DANE_VERIFICATION", "x is no IP address")),
        empty: "exchanger: 0 a.example, validated, 192.0.2.1, TLSA: none", control: ["dialect": "indimail"]),
    ]
    + ["DISABLE_CNAME_LOOKUP", "DISABLE_CNAME_LOOKUPS"].map { name in
      VariableRow(
        name: name, present: ("1", "recipient: <r@alias.example>"), absent: "recipient: <r@a.example>", malformed: nil,
        empty: "recipient: <r@alias.example>", control: ["dialect": "indimail"], recipient: "r@alias.example")
    }

  private static let outgoing = VariableRow(
    name: "OUTGOINGIP", present: ("192.0.2.205", "\(plain), from 192.0.2.205 (the variable OUTGOINGIP)"),
    absent: "\(plain), from 192.0.2.201 (control/outgoingip:1)",
    malformed: ("eth0", "report: Zinvalid ipaddr in OUTGOINGIP. (#4.3.0)"),
    empty: "\(plain), from 192.0.2.201 (control/outgoingip:1)", control: ["outgoingip": "192.0.2.201"])

  private static let family = VariableRow(
    name: "IPPREFER", present: ("4", "family: 4 (the variable IPPREFER)"), absent: "family: 4only (control/ipprefer:1)",
    malformed: ("v4", invalid("the variable IPPREFER", "v4 is none of 6, 4, 6only and 4only")),
    empty: "family: 4only (control/ipprefer:1)", control: ["ipprefer": ":4only"])

  private static let dialect = VariableRow(
    name: "QMAILREMOTE_DIALECT", present: ("skarnet", "dialect: skarnet"), absent: "dialect: sqmail",
    malformed: (
      "qmail",
      invalid("the variable QMAILREMOTE_DIALECT", "no dialect is called qmail; there are stock, sqmail, indimail, skarnet")
    ), empty: "dialect: sqmail", control: ["dialect": "sqmail"])

  private static let plainSender = "sender: <s@x.y>"
  private static let taggedSender = "sender: <prvs=0000eec87f=s@x.y>"
  private static let tagged = "rewriting: tagged (control/batvkey)"

  private static let tags =
    [
      VariableRow(
        name: "SIGNKEY", present: ("K", taggedSender), absent: plainSender, malformed: nil, empty: plainSender),
      VariableRow(
        name: "BATVKEY", present: ("other", taggedSender), absent: plainSender, malformed: ("nowhere", plainSender),
        empty: plainSender, control: ["other": "K"], isFileName: true),
    ]
    + [("BATVNOSIGNREMOTE", "a.example", "the remote host is"), ("BATVNOSIGNLOCALS", "x.y", "its domain is")].map {
      VariableRow(
        name: $0, present: ("other", "rewriting: not tagged: \($2) in control/other:1"), absent: tagged,
        malformed: ("nowhere", tagged), empty: tagged, control: ["batvkey": "K", "other": $1], isFileName: true)
    }

  private static let set = "edit: IPPREFER set (control/other:1)"
  private static let six = "family: 6"

  private static let rules =
    [
      VariableRow(
        name: "ENVRULES_REMOTE", present: ("1", "edit: IPPREFER set (control/rcpt.envrules:1)"), absent: six, malformed: nil,
        empty: "edit: IPPREFER set (control/rcpt.envrules:1)", control: ["rcpt.envrules": "*:IPPREFER=4"]),
      VariableRow(
        name: "QREGEX", present: ("1", "edit: IPPREFER set (control/rcpt.envrules:1)"), absent: six, malformed: ("yes", six),
        empty: six, control: ["rcpt.envrules": "^r@:IPPREFER=4"], environment: ["ENVRULES_REMOTE="]),
      VariableRow(
        name: "USE_FNMATCH", present: ("1", "edit: IPPREFER set (control/rcpt.envrules:1)"), absent: six, malformed: nil,
        empty: "edit: IPPREFER set (control/rcpt.envrules:1)", control: ["rcpt.envrules": "R@*:IPPREFER=4"],
        environment: ["ENVRULES_REMOTE="]),
    ]
    + ["FROMRULES", "RCPTRULES"].map {
      VariableRow(
        name: $0, present: ("other", set), absent: six, malformed: ("nowhere", six), empty: six,
        control: ["other": "*:IPPREFER=4"], environment: ["ENVRULES_REMOTE="], isFileName: true)
    }
}
