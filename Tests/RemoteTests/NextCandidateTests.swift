// Mail exchangers, one after the other: which are tried, in which order, when the next one is, and what is said when none is left.
import Support
import Testing

@Suite struct NextCandidateTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let zone: String
    var servers: [String: SMTPScript] = [:]
    var host = "farthest.example"
    var control: [String: String] = [:]
    /// In the order of the connections.
    let contacts: [String]
    let reports: String
    var verdict: String?
  }

  private static func accepted(_ address: String) -> String {
    "r^@K\(address) accepted message.\nRemote host said: 250 ok 1\n^@"
  }

  private static func accepted(verdict address: String) -> String {
    "K\(address) accepted message.\nRemote host said: 250 ok 1\n"
  }

  private static let refused = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n^@"
  private static let bestIsSelf = """
    DSorry. Although I'm listed as a best-preference MX or A for that host,
    it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)
    ^@
    """

  /// Three exchangers, whose records come in another order than their preferences say.
  private static let three = """
    farthest.example MX 30 c.example
    farthest.example MX 10 a.example
    farthest.example MX 20 b.example
    a.example A 192.0.2.11
    b.example A 192.0.2.12
    c.example A 192.0.2.13
    """

  private static let good = SMTPScript()
  private static func greets(_ reply: String) -> SMTPScript { SMTPScript(replies: [.greeting: reply]) }
  private static func dies(_ step: SMTPScript.Step, _ position: SMTPScript.Position, _ manner: SMTPScript.Manner) -> SMTPScript
  {
    SMTPScript(death: SMTPScript.Death(step: step, position: position, manner: manner))
  }

  // MARK: any failure before the envelope leads to the next

  static let nextRows: [Row] = [
    Row(
      testDescription: "the first refuses the connection, the second greets with 4xx, the third accepts", zone: three,
      servers: ["192.0.2.12": greets("421 busy\r\n"), "192.0.2.13": good], contacts: ["192.0.2.12", "192.0.2.13"],
      reports: accepted("192.0.2.13"), verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "the best is good", zone: three,
      servers: ["192.0.2.11": good, "192.0.2.12": good, "192.0.2.13": good], contacts: ["192.0.2.11"],
      reports: accepted("192.0.2.11"), verdict: accepted(verdict: "192.0.2.11")),
    Row(
      testDescription: "554 first", zone: three,
      servers: ["192.0.2.11": greets("554 not here\r\n"), "192.0.2.12": good, "192.0.2.13": good],
      contacts: ["192.0.2.11", "192.0.2.12"], reports: accepted("192.0.2.12"), verdict: accepted(verdict: "192.0.2.12")),
    Row(
      testDescription: "EHLO and HELO refused, then EHLO deferred", zone: three,
      servers: [
        "192.0.2.11": SMTPScript(replies: [.hello: "502 what\r\n", .helo: "550 who\r\n"]),
        "192.0.2.12": SMTPScript(replies: [.hello: "421 later\r\n"]), "192.0.2.13": good,
      ],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"], reports: accepted("192.0.2.13"),
      verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "connections lost before the envelope", zone: three,
      servers: [
        "192.0.2.11": dies(.greeting, .inside, .close), "192.0.2.12": dies(.hello, .before, .reset), "192.0.2.13": good,
      ],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"], reports: accepted("192.0.2.13"),
      verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "nonsense before the envelope", zone: three,
      servers: [
        "192.0.2.11": greets("hello\r\n"), "192.0.2.12": SMTPScript(replies: [.hello: "250-a\r\n550 b\r\n"]),
        "192.0.2.13": good,
      ],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"], reports: accepted("192.0.2.13"),
      verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "silence before the envelope", zone: three,
      servers: [
        "192.0.2.11": dies(.greeting, .before, .stall), "192.0.2.12": dies(.hello, .before, .stall), "192.0.2.13": good,
      ],
      control: ["timeoutremote": "1\n"], contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
      reports: accepted("192.0.2.13"), verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "nobody at the first address at all",
      zone: "farthest.example MX 10 a.example\na.example A 192.0.2.99\na.example A 192.0.2.12",
      servers: ["192.0.2.12": good], control: ["timeoutconnect": "1\n"], contacts: ["192.0.2.12"],
      reports: accepted("192.0.2.12"), verdict: accepted(verdict: "192.0.2.12")),
    Row(
      testDescription: "IPv6 first",
      zone: "farthest.example MX 10 a.example\na.example A 192.0.2.11\na.example AAAA 2001:db8::12",
      servers: ["192.0.2.11": good, "2001:db8::12": good], contacts: ["2001:db8::12"],
      reports: accepted("2001:db8::12"), verdict: accepted(verdict: "2001:db8::12")),
    Row(
      testDescription: "IPv6 refused, then IPv4",
      zone: "farthest.example MX 10 a.example\na.example A 192.0.2.11\na.example AAAA 2001:db8::12",
      servers: ["192.0.2.11": good], contacts: ["192.0.2.11"], reports: accepted("192.0.2.11"),
      verdict: accepted(verdict: "192.0.2.11")),
    Row(
      testDescription: "exchangers without an address, or whose DNS fails, are passed over",
      zone: """
        farthest.example MX 10 nowhere.example
        farthest.example MX 20 fails.example
        farthest.example MX 30 c.example
        fails.example A SERVFAIL
        fails.example AAAA SERVFAIL
        c.example A 192.0.2.13
        """, servers: ["192.0.2.13": good], contacts: ["192.0.2.13"], reports: accepted("192.0.2.13"),
      verdict: accepted(verdict: "192.0.2.13")),
    Row(
      testDescription: "no exchanger: the host itself", zone: "farthest.example A 192.0.2.14", servers: ["192.0.2.14": good],
      contacts: ["192.0.2.14"], reports: accepted("192.0.2.14"), verdict: accepted(verdict: "192.0.2.14")),
    Row(
      testDescription: "no exchanger: the host itself, by an alias",
      zone: "farthest.example CNAME other.example\nother.example AAAA 2001:db8::14", servers: ["2001:db8::14": good],
      contacts: ["2001:db8::14"], reports: accepted("2001:db8::14"), verdict: accepted(verdict: "2001:db8::14")),
    Row(
      testDescription: "an alias with exchangers",
      zone: "farthest.example CNAME other.example\nother.example MX 10 a.example\na.example A 192.0.2.11",
      servers: ["192.0.2.11": good], contacts: ["192.0.2.11"], reports: accepted("192.0.2.11"),
      verdict: accepted(verdict: "192.0.2.11")),
    Row(
      testDescription: "an address literal", zone: "", servers: ["192.0.2.15": good], host: "[192.0.2.15]",
      contacts: ["192.0.2.15"], reports: accepted("192.0.2.15"), verdict: accepted(verdict: "192.0.2.15")),
    Row(
      testDescription: "an IPv6 literal", zone: "", servers: ["2001:db8::15": good], host: "[IPv6:2001:db8::15]",
      contacts: ["2001:db8::15"], reports: accepted("2001:db8::15"), verdict: accepted(verdict: "2001:db8::15")),
  ]

  // MARK: no candidate is left

  static let exhaustedRows: [Row] = [
    Row(
      testDescription: "all say 554", zone: three,
      servers: ["192.0.2.11": greets("554 a\r\n"), "192.0.2.12": greets("554 b\r\n"), "192.0.2.13": greets("554 c\r\n")],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
      reports: "DConnected to 192.0.2.13 but greeting failed.\nRemote host said: 554 c\n^@"),
    Row(
      testDescription: "two say 554, one refuses the connection", zone: three,
      servers: ["192.0.2.11": greets("554 a\r\n"), "192.0.2.13": greets("554 c\r\n")], contacts: ["192.0.2.11", "192.0.2.13"],
      reports: refused),
    Row(
      testDescription: "two say 554, one 421", zone: three,
      servers: ["192.0.2.11": greets("554 a\r\n"), "192.0.2.12": greets("421 b\r\n"), "192.0.2.13": greets("554 c\r\n")],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
      reports: "ZConnected to 192.0.2.12 but greeting failed.\nRemote host said: 421 b\n^@"),
    Row(testDescription: "all refuse the connection", zone: three, contacts: [], reports: refused),
    Row(
      testDescription: "all are lost", zone: three,
      servers: [
        "192.0.2.11": dies(.hello, .before, .close), "192.0.2.12": dies(.greeting, .before, .close),
        "192.0.2.13": dies(.greeting, .inside, .close),
      ],
      contacts: ["192.0.2.11", "192.0.2.12", "192.0.2.13"],
      reports: "ZConnected to 192.0.2.11 but connection died. (#4.4.2)\n^@"),
    Row(
      testDescription: "null MX", zone: "farthest.example MX 0 .\nfarthest.example A 192.0.2.11", servers: ["192.0.2.11": good],
      contacts: [], reports: "DSorry, farthest.example says by a null MX record that it takes no mail. (#5.1.10)\n^@"),
    Row(
      testDescription: "the MX question fails", zone: "farthest.example MX SERVFAIL\nfarthest.example A 192.0.2.11",
      servers: ["192.0.2.11": good], contacts: [], reports: "ZSorry, I couldn't find any host by that name. (#4.1.2)\n^@"),
    Row(
      testDescription: "no exchanger has an address", zone: "farthest.example MX 10 a.example\nfarthest.example A 192.0.2.11",
      servers: ["192.0.2.11": good], contacts: [],
      reports: "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n^@"),
    Row(
      testDescription: "no exchanger has an address, and one fails",
      zone: "farthest.example MX 10 a.example\nfarthest.example MX 20 b.example\nb.example A SERVFAIL", contacts: [],
      reports: "ZSorry, I couldn't find any host by that name. (#4.1.2)\n^@"),
  ]

  // MARK: from the envelope on, one server's word counts

  static let finalRows: [Row] = [
    Row(
      testDescription: "sender deferred", zone: three,
      servers: ["192.0.2.11": SMTPScript(replies: [.mail: "451 x\r\n"]), "192.0.2.12": good], contacts: ["192.0.2.11"],
      reports: "ZConnected to 192.0.2.11 but sender was rejected.\nRemote host said: 451 x\n^@"),
    Row(
      testDescription: "recipient deferred", zone: three,
      servers: ["192.0.2.11": SMTPScript(replies: [.recipient(0): "450 x\r\n"]), "192.0.2.12": good], contacts: ["192.0.2.11"],
      reports: "s192.0.2.11 does not like recipient.\nRemote host said: 450 x\n^@DGiving up on 192.0.2.11.\n^@",
      verdict: "Z192.0.2.11 does not like recipient.\nRemote host said: 450 x\nGiving up on 192.0.2.11.\n"),
    Row(
      testDescription: "lost after the dot", zone: three,
      servers: ["192.0.2.11": dies(.message, .before, .close), "192.0.2.12": good], contacts: ["192.0.2.11"],
      reports: "r^@ZConnected to 192.0.2.11 but connection died. Possible duplicate! (#4.4.2)\n^@",
      verdict: "ZConnected to 192.0.2.11 but connection died. Possible duplicate! (#4.4.2)\n"),
  ]

  // MARK: our own addresses

  static let ownRows: [Row] = [
    Row(
      testDescription: "we are the best", zone: "farthest.example MX 10 me.example\nme.example A 192.0.2.1",
      servers: ["192.0.2.1": good], contacts: [], reports: bestIsSelf),
    Row(
      testDescription: "we are the best, by IPv6", zone: "farthest.example MX 10 me.example\nme.example AAAA 2001:db8::1",
      servers: ["2001:db8::1": good], contacts: [], reports: bestIsSelf),
    Row(
      testDescription: "we are among the best",
      zone:
        "farthest.example MX 10 me.example\nfarthest.example MX 10 a.example\nme.example A 192.0.2.1\na.example A 192.0.2.11",
      servers: ["192.0.2.1": good, "192.0.2.11": good], contacts: [], reports: bestIsSelf),
    Row(
      testDescription: "those behind us are not asked",
      zone: """
        farthest.example MX 10 a.example
        farthest.example MX 20 me.example
        farthest.example MX 30 c.example
        a.example A 192.0.2.11
        me.example A 192.0.2.1
        c.example A 192.0.2.13
        """, servers: ["192.0.2.1": good, "192.0.2.13": good], contacts: [], reports: refused),
    Row(
      testDescription: "loopback is ours", zone: "farthest.example A 127.0.0.9", servers: ["127.0.0.9": good], contacts: [],
      reports: bestIsSelf),
    Row(
      testDescription: "so is a literal of ours", zone: "", servers: ["192.0.2.1": good], host: "[192.0.2.1]", contacts: [],
      reports: bestIsSelf),
    Row(
      testDescription: "so is what moreipme says", zone: "farthest.example A 192.0.2.11", servers: ["192.0.2.11": good],
      control: ["moreipme": "192.0.2.11\n"], contacts: [], reports: bestIsSelf),
    Row(
      testDescription: "but not what notipme says", zone: "farthest.example A 192.0.2.1", servers: ["192.0.2.1": good],
      control: ["notipme": "192.0.2.0/30\n"], contacts: ["192.0.2.1"], reports: accepted("192.0.2.1"),
      verdict: accepted(verdict: "192.0.2.1")),
    Row(
      testDescription: "and a route leads anywhere", zone: "", servers: ["192.0.2.1": good],
      control: ["smtproutes": "farthest.example:[192.0.2.1]\n"], contacts: ["192.0.2.1"], reports: accepted("192.0.2.1"),
      verdict: accepted(verdict: "192.0.2.1")),
    Row(
      testDescription: "a route to a name asks for its address only",
      zone: "relay.example MX 10 a.example\nrelay.example A 192.0.2.12\na.example A 192.0.2.11",
      servers: ["192.0.2.11": good, "192.0.2.12": good], control: ["smtproutes": ".example:relay.example\n"],
      contacts: ["192.0.2.12"], reports: accepted("192.0.2.12"), verdict: accepted(verdict: "192.0.2.12")),
  ]

  @Test(arguments: nextRows + exhaustedRows + finalRows + ownRows)
  func delivery(_ row: Row) throws {
    var remote = Remote()
    remote.host = row.host
    remote.recipients = ["user@farthest.example"]
    remote.control.merge(row.control) { $1 }
    let outcome = try TwoNetworks().deliver(zone: row.zone, servers: row.servers, remote)
    expect(outcome.finished, row.reports, verdict: row.verdict)
    #expect(outcome.contacts == row.contacts)
    // Whoever was left before the envelope has not seen the message.
    for address in row.contacts.dropLast() {
      #expect(outcome.dialogues[address]?.contains { dialogue in dialogue.lines.contains { $0.hasPrefix("MAIL") } } == false)
    }
  }

  /// All addresses are asked for at once, and nothing else is.
  @Test func `two rounds of questions`() throws {
    var remote = Remote()
    remote.host = "farthest.example"
    let outcome = try TwoNetworks().deliver(
      zone: NextCandidateTests.three, servers: ["192.0.2.11": SMTPScript()], remote)
    expect(
      outcome.finished, NextCandidateTests.accepted("192.0.2.11"), verdict: NextCandidateTests.accepted(verdict: "192.0.2.11"))
    #expect(outcome.questions.first == "farthest.example MX")
    let addresses = ["a", "b", "c"].flatMap { ["\($0).example A", "\($0).example AAAA"] }
    #expect(outcome.questions.dropFirst().sorted() == addresses)
  }

  /// An answer that doesn't fit in a datagram comes over TCP.
  @Test func `DNS over TCP`() throws {
    var remote = Remote()
    remote.host = "farthest.example"
    let many = (1...60).map { "farthest.example MX \($0 + 50) exchanger-number-\($0).farthest.example" }.joined(separator: "\n")
    let outcome = try TwoNetworks().deliver(
      zone: "\(NextCandidateTests.three)\n\(many)", servers: ["192.0.2.11": SMTPScript()], remote, truncates: true)
    expect(
      outcome.finished, NextCandidateTests.accepted("192.0.2.11"), verdict: NextCandidateTests.accepted(verdict: "192.0.2.11"))
  }
}
