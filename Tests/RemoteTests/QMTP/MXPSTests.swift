// Mail exchangers whose preference says that they take QMTP, on a network of their own: which port is connected to, and when the other.
import Foundation
import Support
import Testing

@Suite struct MXPSTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var zone = "far.example MX 12801 a.example\na.example A 192.0.2.11"
    var overQMTP: [String: QMTPScript] = [:]
    var overSMTP: [String: SMTPScript] = [:]
    var environment: [String: String] = [:]
    /// So long that it can't be out before the other side is gone.
    var isLarge = false
    /// In the order of the connections.
    let contacts: [String]
    let reports: String
    let verdict: String
  }

  private static func accepted(_ address: String) -> String {
    "rRemote host said: ok 0\n^@K\(address) accepted message - Protocol QMTP\n^@"
  }

  private static func accepted(verdict address: String) -> String {
    "KRemote host said: ok 0\n\(address) accepted message - Protocol QMTP\n"
  }

  private static let from = "From: <sender@example.net> RCPT: <user@far.example> "
  private static func smtp(_ address: String) -> String {
    "r\(from)^@K\(address) accepted message - Protocol SMTP.\nRemote host said: 250 ok 1\n^@"
  }

  private static func smtp(verdict address: String) -> String {
    "K\(from)\(address) accepted message - Protocol SMTP.\nRemote host said: 250 ok 1\n"
  }

  private static let two = """
    far.example MX 12801 a.example
    far.example MX 12817 b.example
    a.example A 192.0.2.11
    b.example A 192.0.2.12
    """

  static let rows: [Row] = [
    Row(
      testDescription: "both are served: QMTP", overQMTP: ["192.0.2.11": QMTPScript()], overSMTP: ["192.0.2.11": SMTPScript()],
      contacts: ["192.0.2.11 209"], reports: accepted("192.0.2.11"), verdict: accepted(verdict: "192.0.2.11")),
    Row(
      testDescription: "only SMTP is", overSMTP: ["192.0.2.11": SMTPScript()], contacts: ["192.0.2.11 25"],
      reports: smtp("192.0.2.11"), verdict: smtp(verdict: "192.0.2.11")),
    Row(
      testDescription: "QMTP fails: the next exchanger, not SMTP", zone: two,
      overQMTP: ["192.0.2.11": QMTPScript(earlyDeath: (1, .reset)), "192.0.2.12": QMTPScript()],
      overSMTP: ["192.0.2.11": SMTPScript(), "192.0.2.12": SMTPScript()], isLarge: true,
      contacts: ["192.0.2.11 209", "192.0.2.12 209"],
      reports: accepted("192.0.2.12"), verdict: accepted(verdict: "192.0.2.12")),
    Row(
      testDescription: "QMTP refuses: nobody else is asked", zone: two, overQMTP: ["192.0.2.11": QMTPScript(answers: ["Dno"])],
      overSMTP: ["192.0.2.11": SMTPScript(), "192.0.2.12": SMTPScript()], contacts: ["192.0.2.11 209"],
      reports: "hRemote host said: no\n^@DGiving up on 192.0.2.11 - Protocol QMTP\n^@",
      verdict: "DRemote host said: no\nGiving up on 192.0.2.11 - Protocol QMTP\n"),
    Row(
      testDescription: "QMTP may have delivered: nobody else is asked", zone: two,
      overQMTP: ["192.0.2.11": QMTPScript(raw: [], death: .close)],
      overSMTP: ["192.0.2.11": SMTPScript(), "192.0.2.12": SMTPScript()], contacts: ["192.0.2.11 209"],
      reports: "ZConnected to 192.0.2.11 but connection died. Possible duplicate! (#4.4.2)\n^@",
      verdict: "ZConnected to 192.0.2.11 but connection died. Possible duplicate! (#4.4.2)\n"),
    Row(
      testDescription: "another preference: SMTP", zone: "far.example MX 12802 a.example\na.example A 192.0.2.11",
      overQMTP: ["192.0.2.11": QMTPScript()], overSMTP: ["192.0.2.11": SMTPScript()], contacts: ["192.0.2.11 25"],
      reports: smtp("192.0.2.11"), verdict: smtp(verdict: "192.0.2.11")),
    Row(
      testDescription: "DISABLE_MXPS", overQMTP: ["192.0.2.11": QMTPScript()], overSMTP: ["192.0.2.11": SMTPScript()],
      environment: ["DISABLE_MXPS": ""], contacts: ["192.0.2.11 25"], reports: smtp("192.0.2.11"),
      verdict: smtp(verdict: "192.0.2.11")),
    Row(
      testDescription: "IPv6 refused, IPv4 by QMTP",
      zone: "far.example MX 13041 a.example\na.example A 192.0.2.11\na.example AAAA 2001:db8::11",
      overQMTP: ["192.0.2.11": QMTPScript()], overSMTP: ["192.0.2.11": SMTPScript(), "2001:db8::11": SMTPScript()],
      contacts: ["192.0.2.11 209"], reports: accepted("192.0.2.11"), verdict: accepted(verdict: "192.0.2.11")),
  ]

  @Test(arguments: rows)
  func delivery(_ row: Row) throws {
    var remote = Remote()
    remote.operands = ["far.example", "sender@example.net", "", "12", "user@far.example"]
    remote.environment = row.environment
    if row.isLarge { remote.message = [UInt8](repeating: 10, count: 16 << 20) }
    let contacts = Shared<[String]>([])
    let servers =
      row.overQMTP.map { address, script in
        TwoNetworks.Server(address, 209) { peer in
          contacts.change { $0.append("\(address) 209") }
          try script.serve(peer) { _ in }
        }
      }
      + row.overSMTP.map { address, script in
        TwoNetworks.Server(address, 25) { peer in
          contacts.change { $0.append("\(address) 25") }
          try script.serve(peer)
        }
      }
    let finished = try TwoNetworks().deliver(zone: row.zone, servers: servers, remote)
    // indimail's reports of accepted recipients have no line end, so that the strict reader of reports doesn't take them.
    #expect(visible(finished.output) == visible(row.reports.replacingOccurrences(of: "^@", with: "\0").utf8))
    #expect(finished.ending == .exited(0))
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending) == SpawnVerdict(row.verdict))
    #expect(contacts.value == row.contacts)
  }
}
