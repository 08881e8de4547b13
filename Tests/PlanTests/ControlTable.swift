// A row for every control file of the four families: what a plan has of it when it is there, when it isn't, when it is wrong, and when it
// can't be read. Files that TLS, hooks and back-off read are named with their owner, and have their rows there.
import Support
import Testing

/// What a control file holds, and a line that the plan then has.
struct ControlState: Sendable {
  let content: [UInt8]?
  let line: String

  /// - Parameter line: of the plan, or the beginning of a report; behind `!`, the beginning that no line has.
  init(_ content: [UInt8]?, _ line: String) {
    self.content = content
    self.line = line
  }

  init(_ content: String, _ line: String) { self.init(Array(content.utf8), line) }
}

/// One control file.
struct ControlRow: Sendable, CustomTestStringConvertible {
  let name: String
  let present: ControlState
  let absent: String
  let malformed: ControlState
  /// The other control files; `me` is always there.
  var others: [String: [UInt8]] = [:]
  var environment: [String] = []
  var sender = "s@x.y"
  var own: [String] = []

  var testDescription: String { name }
}

extension ControlRow {
  static let zone = """
    a.example A 192.0.2.1
    relay.example A 192.0.2.60
    """

  private static let plain = "candidate 1: 192.0.2.1 port 25, a.example, preference 0"
  private static let noRoute = "route: none, so the mail exchangers of the host"
  private static let usualTimes = "time: 60 s to connect, 1200 s for each reply"
  private static let itself = "report: DSorry. Although I'm listed as a best-preference MX or A for that host,"

  private static func invalid(_ place: String, _ fault: String) -> String {
    "report: ZUnable to use \(place): \(fault). (#4.3.5)"
  }

  static let all = identity + limits + routes + local + addresses + tags + rules + authentication + tls

  private static let identity = [
    ControlRow(
      name: "me", present: ControlState("me.test\n", "hello: me.test"),
      absent: "report: ZUnable to read control files. (#4.3.0)",
      malformed: ControlState("two words\n", invalid("control/me:1", "the name contains a blank or a control character"))),
    ControlRow(
      name: "helohost", present: ControlState("helo.test", "hello: helo.test"), absent: "hello: me.test",
      malformed: ControlState(
        "helo.test\r\n", invalid("control/helohost:1", "the name contains a blank or a control character"))),
    ControlRow(
      name: "helohostbyip", present: ControlState("192.0.2.201:ip.test\n", "\(from201), as ip.test (control/helohostbyip:1)"),
      absent: from201, malformed: ControlState("192.0.2.201:ip test\n192.0.2.201\n", from201),
      others: ["outgoingip": Array("192.0.2.201".utf8)]),
    ControlRow(
      name: "dialect", present: ControlState("skarnet\n", "dialect: skarnet"), absent: "dialect: stock",
      malformed: ControlState(
        "Stock\n", invalid("control/dialect:1", "no dialect is called Stock; there are stock, sqmail, indimail, skarnet"))),
  ]

  private static let from201 = "\(plain), from 192.0.2.201 (control/outgoingip:1)"

  private static let limits = [
    ControlRow(
      name: "timeoutconnect", present: ControlState("30\n", "time: 30 s to connect, 1200 s for each reply"), absent: usualTimes,
      malformed: ControlState(" 30\n", usualTimes)),
    ControlRow(
      name: "timeoutremote", present: ControlState("90s\n", "time: 60 s to connect, 90 s for each reply"), absent: usualTimes,
      malformed: ControlState("soon\n90\n", usualTimes)),
    ControlRow(
      name: "timeoutdns", present: ControlState("7\n", "look-ups: 7 s"), absent: "look-ups: 30 s",
      malformed: ControlState("seven\n", "look-ups: 30 s")),
    ControlRow(
      name: "ipprefer", present: ControlState(".example:4\n", "family: 4 (control/ipprefer:1)"), absent: "family: 6",
      malformed: ControlState("a.example:v4\n", invalid("control/ipprefer:1", "v4 is none of 6, 4, 6only and 4only"))),
  ]

  private static let routes = [
    ControlRow(
      name: "smtproutes", present: ControlState(":relay.example:26\n", "route: relay.example, port 26 (control/smtproutes:1)"),
      absent: noRoute, malformed: ControlState(":relay.example:x26\n", invalid("control/smtproutes:1", "x26 is no port"))),
    ControlRow(
      name: "qmtproutes",
      present: ControlState(":relay.example\n", "route: relay.example, QMTP (control/qmtproutes:1)"),
      absent: noRoute, malformed: ControlState(":relay.example;x\n", invalid("control/qmtproutes:1", "x is no port"))),
    ControlRow(
      name: "authsenders", present: ControlState("@x.y:relay.example\n", "route: relay.example (control/authsenders:1)"),
      absent: noRoute,
      malformed: ControlState("@x.y:relay.example|u\n", invalid("control/authsenders:1", "a user without a password"))),
    ControlRow(
      name: "moresmtproutes.cdb",
      present: ControlState(
        database("r@a.example", "relay.example"), "route: relay.example (control/moresmtproutes.cdb, key r@a.example)"),
      absent: noRoute,
      malformed: ControlState("r@a.example relay.example\n", "report: ZUnable to read control files. (#4.3.0)")),
    ControlRow(
      name: "remote_auth.cdb",
      present: ControlState(
        assignments("=s@x.y:u p:\n"), "credentials: user u (control/remote_auth.cdb, key s@x.y)"),
      absent: "warning: no credentials for this sender; the mail goes without authentication",
      malformed: ControlState(assignments("=s@x.y:u:\n"), invalid("control/remote_auth.cdb, key s@x.y", "no password")),
      others: ["smtproutes": Array(":relay.example /s".utf8)], environment: ["AUTH_SMTP="]),
  ]

  private static let local = [
    ControlRow(
      name: "outgoingip", present: ControlState("# ours\n192.0.2.202\n", "\(plain), from 192.0.2.202 (control/outgoingip:2)"),
      absent: plain, malformed: ControlState("eth0\n", "report: Zinvalid ipaddr in control/outgoingip. (#4.3.0)")),
    ControlRow(
      name: "outgoingip.a.example",
      present: ControlState("192.0.2.202\n", "\(plain), from 192.0.2.202 (control/outgoingip.a.example:1)"), absent: from201,
      malformed: ControlState("eth0\n", "report: Zinvalid ipaddr in control/outgoingip. (#4.3.0)"),
      others: ["outgoingip": Array("192.0.2.201".utf8)]),
    ControlRow(
      name: "domainbindings",
      present: ControlState(
        "x.y:192.0.2.211\n", "\(plain), from 192.0.2.211 (control/domainbindings:1), as x.y (control/domainbindings:1)"),
      absent: plain, malformed: ControlState(":eth0\n", "report: Zinvalid ipaddr in control/domainbindings. (#4.3.0)")),
    ControlRow(
      name: "bindroutes",
      present: ControlState("192.0.2.:192.0.2.221\n", "\(plain), from 192.0.2.221 (control/bindroutes:1)"), absent: plain,
      malformed: ControlState(":301.32.1.1\n", "report: ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)")),
    ControlRow(
      name: "domainips",
      present: ControlState(
        "x.y:192.0.2.231|out.test\n", "\(plain), from 192.0.2.231 (control/domainips:1), as out.test (control/domainips:1)"),
      absent: plain, malformed: ControlState("*:eth0|x\n", "report: ZInvalid ipaddr in control/domainips. (#4.3.0)")),
  ]

  private static let addresses =
    ["ipme", "moreipme"].map { name in
      ControlRow(
        name: name, present: ControlState("192.0.2.0/24\n", itself), absent: plain,
        malformed: ControlState("a.example\n", invalid("control/\(name):1", "neither an IP address nor a block of them")))
    } + [
      ControlRow(
        name: "notipme", present: ControlState("192.0.2.1\n", plain), absent: itself,
        malformed: ControlState("192.0.2.1/33\n", invalid("control/notipme:1", "neither an IP address nor a block of them")),
        own: ["192.0.2.1"])
    ]

  private static let key = ["batvkey": Array("K".utf8)]
  private static let tagged = "rewriting: tagged (control/batvkey)"

  private static let tags =
    [
      ControlRow(
        name: "batvkey", present: ControlState("K \n", "sender: <prvs=0000eec87f=s@x.y>"), absent: "sender: <s@x.y>",
        malformed: ControlState("\nK\n", "sender: <s@x.y>")),
      ControlRow(
        name: "batvformat", present: ControlState("draft\n", "sender: <prvs=0007a504c1=s@x.y>"),
        absent: "sender: <prvs=0000eec87f=s@x.y>",
        malformed: ControlState("sha\n", invalid("control/batvformat:1", "sha is no format of tags")), others: key),
    ]
    + [("batvnosignremote", "a.example", "the remote host is"), ("batvnosignlocals", "x.y", "its domain is")].map {
      ControlRow(
        name: $0, present: ControlState("#\n\($1)\n", "rewriting: not tagged: \($2) in control/\($0):2"), absent: tagged,
        malformed: ControlState("*\n", tagged), others: key)
    }

  private static let rules = ["fromd.envrules", "rcpt.envrules"].map { name in
    ControlRow(
      name: name, present: ControlState("*:IPPREFER=4\n", "edit: IPPREFER set (control/\(name):1)"), absent: "family: 6",
      malformed: ControlState("#\n[:IPPREFER=4\n", invalid("control/\(name):2", "its pattern has a [ without its ]")),
      environment: ["ENVRULES_REMOTE=1"])
  }

  private static func database(_ key: String, _ value: String) -> [UInt8]? {
    try? PlanFile.database([(Array(key.utf8), Array(value.utf8))])
  }

  private static func assignments(_ text: String) -> [UInt8]? { try? PlanFile.database(ofAssignments: Array(text.utf8)) }
}

/// Who else reads a control file or a variable of the four man pages, and has its row.
enum Owner: String, CaseIterable {
  case tls = "TLS"
  case hooks = "hooks"
  case backOff = "back-off"
  /// Other programs of a family, or a text only.
  case nobody = "no part of the plan"

  var files: [String] {
    switch self {
    // In the folder of certificates, not in the control directory: the golden plans have them.
    case .tls: ["clientcert.pem", "servercert.pem", "tlshosts"]
    case .hooks: ["hooks", "outcomestatus"]
    case .backOff: ["tcpto", "tcpto6"]
    case .nobody: ["locals"]
    }
  }

  var variables: [String] {
    switch self {
    case .tls: ["DANETIMEOUT", "DEBUG"]
    case .hooks:
      [
        "ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE", "SMTPTEXT", "SMTPCODE", "SMTPHOST", "SMTPSTATUS",
        "HOOKDIR", "HOOKTIMEOUT", "OUTCOME_STATUS",
      ]
    case .backOff: ["QUEUEDIR", "MIN_PENALTY", "MAX_TOLERANCE", "TRY_NEXT_MX_HELO_FAIL"]
    case .nobody: ["QMAILREMOTE", "USE_SETGROUPS", "DNSCACHEIP", "QMAILREMOTE_RESOLVER"]
    }
  }
}
