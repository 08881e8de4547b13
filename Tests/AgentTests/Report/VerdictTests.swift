import Testing

@testable import Agent

private let peer = address("192.0.2.1")
private let candidate = Candidate(exchanger: bytes("mx.test"), preference: 0, address: peer, port: 25)

private let malformed = ConversationError.malformed(MalformedReply(line: bytes("hello\0?")))
private let closed = ConversationError.transport(.closed)

@Suite struct VerdictTests {
  /// Every way a candidate can fail before the envelope, and the report if it was the only one. Written from the texts of
  /// qmail-remote(8) and the rule that only a server's 5yz is final.
  private static let openings: [(CandidateFailure.Stage, CandidateFailure.Cause, String)] = {
    let died = "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"
    let none = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"
    let nonsense = "ZConnected to 192.0.2.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: hello??\n"
    var rows: [(CandidateFailure.Stage, CandidateFailure.Cause, String)] = []
    for error: TransportError in [.timedOut, .closed, .failed(111)] {
      rows.append((.connect, .broken(.transport(error)), none))
      rows.append((.greeting, .broken(.transport(error)), died))
      rows.append((.hello, .broken(.transport(error)), died))
    }
    for (code, letter) in [(220, "Z"), (354, "Z"), (421, "Z"), (450, "Z"), (500, "D"), (554, "D")] {
      let said = "Remote host said: \(code) x\n"
      rows.append((.greeting, .refused(reply("\(code) x")), "\(letter)Connected to 192.0.2.1 but greeting failed.\n" + said))
      rows.append((.hello, .refused(reply("\(code) x")), "\(letter)Connected to 192.0.2.1 but my name was rejected.\n" + said))
    }
    rows.append((.greeting, .broken(malformed), nonsense))
    rows.append((.hello, .broken(malformed), nonsense))
    return rows
  }()

  @Test("every failure before the envelope", arguments: openings)
  func beforeEnvelope(_ stage: CandidateFailure.Stage, _ cause: CandidateFailure.Cause, _ report: String) {
    let failure = CandidateFailure(candidate, stage, cause)
    #expect(Verdict.exhausted([failure]).wire == bytes(report) + [0])
  }

  @Test("with every pair of failures the mail bounces only if both are final")
  func pairs() {
    for (firstStage, firstCause, firstReport) in Self.openings {
      for (secondStage, secondCause, secondReport) in Self.openings {
        let first = CandidateFailure(candidate, firstStage, firstCause)
        let second = CandidateFailure(candidate, secondStage, secondCause)
        let report = Verdict.exhausted([first, second]).wire
        let bothFinal = firstReport.hasPrefix("D") && secondReport.hasPrefix("D")
        #expect((report.first == UInt8(ascii: "D")) == bothFinal)
        // The words are those of one of them that fits the letter; the one that came further, or the last.
        let fitting = [(firstStage, firstReport), (secondStage, secondReport)].filter { $0.1.utf8.first == report.first }
        let furthest = fitting.map(\.0.rawValue).max()
        #expect(report == bytes(fitting.last { $0.0.rawValue == furthest }?.1 ?? "") + [0])
      }
    }
  }

  @Test("a refusal by all is not final as long as somebody was not asked")
  func untried() {
    let refusal = CandidateFailure(candidate, .greeting, .refused(reply("554 x")))
    let silence = CandidateFailure(candidate, .connect, .broken(closed))
    for untried in [DeliveryFailure.lookupFailed, .noConnection] {
      #expect(Verdict.exhausted([refusal], untried: untried) == untried.report)
      #expect(Verdict.exhausted([refusal, silence], untried: untried) == DeliveryFailure.noConnection.report)
      #expect(Verdict.exhausted([], untried: untried) == untried.report)
    }
  }

  @Test("no candidate at all")
  func none() { #expect(Verdict.exhausted([]) == DeliveryFailure.noConnection.report) }

  /// Every end of a transaction × the replies to two recipients.
  private static let ends: [(TransactionEnd, String)] = {
    var rows: [(TransactionEnd, String)] = [
      (.noRecipient, "DGiving up on 192.0.2.1.\n"),
      (.lost(closed, duplicatePossible: false), "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"),
      (.lost(closed, duplicatePossible: true), "ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)\n"),
      (
        .lost(malformed, duplicatePossible: false),
        "ZConnected to 192.0.2.1 but its reply was not SMTP. (#4.5.0)\nRemote host said: hello??\n"
      ),
      (
        .lost(malformed, duplicatePossible: true),
        "ZConnected to 192.0.2.1 but its reply was not SMTP. Possible duplicate! (#4.5.0)\nRemote host said: hello??\n"
      ), (.abandoned(.messageUnreadable), "ZUnable to read message. (#4.3.0)\n"),
      (.abandoned(.partialLastLine), "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n"),
      (.answered(reply("250 ok 1")), "K192.0.2.1 accepted message.\nRemote host said: 250 ok 1\n"),
    ]
    for (code, letter) in [(354, "Z"), (421, "Z"), (452, "Z"), (500, "D"), (554, "D")] {
      let said = "Remote host said: \(code) x\n"
      rows.append((.senderRefused(reply("\(code) x")), "\(letter)Connected to 192.0.2.1 but sender was rejected.\n" + said))
      rows.append((.dataRefused(reply("\(code) x")), "\(letter)192.0.2.1 failed on DATA command.\n" + said))
      rows.append((.answered(reply("\(code) x")), "\(letter)192.0.2.1 failed after I sent the message.\n" + said))
    }
    // 250 to DATA: neither a go-ahead nor a refusal.
    rows.append((.dataRefused(reply("250 x")), "Z192.0.2.1 failed on DATA command.\nRemote host said: 250 x\n"))
    return rows
  }()

  private static let recipients: [([String], String)] = {
    let answers = [
      ("250 ok", "r\0"), ("251 forwarded", "r\0"),
      ("354 x", "s192.0.2.1 does not like recipient.\nRemote host said: 354 x\n\0"),
      ("450-a\n450 b", "s192.0.2.1 does not like recipient.\nRemote host said: 450-a\n450 b\n\0"),
      ("550 no", "h192.0.2.1 does not like recipient.\nRemote host said: 550 no\n\0"),
    ]
    var rows: [([String], String)] = [([], "")]
    for first in answers {
      rows.append(([first.0], first.1))
      for second in answers { rows.append(([first.0, second.0], first.1 + second.1)) }
    }
    return rows
  }()

  @Test("every end of a transaction with every answer to its recipients", arguments: ends, recipients)
  func transaction(_ end: (TransactionEnd, String), _ recipients: ([String], String)) {
    let result = TransactionResult(recipients: recipients.0.map(reply), end: end.0)
    #expect(Verdict.reports(result, from: peer).wire == bytes(recipients.1 + end.1) + [0])
  }

  @Test("the reports of our own failures")
  func failures() {
    let texts: [(DeliveryFailure, String)] = [
      (.improperInvocation, "DI (qmail-remote) was invoked improperly. (#5.3.5)\n"),
      (.messageUnreadable, "ZUnable to read message. (#4.3.0)\n"),
      (.lookupFailed, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n"),
      (.noSuchHost(bytes("no.such")), "DSorry, I couldn't find any host named no.such. (#5.1.2)\n"),
      (.noSuchHost(bytes("a b\u{1}\u{e9}")), "DSorry, I couldn't find any host named a?b???. (#5.1.2)\n"),
      (.noExchanger, "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n"),
      (.controlUnreadable("control/me: x"), "ZUnable to read control files. (#4.3.0)\ncontrol/me: x\n"),
      (
        .bestExchangerIsSelf,
        "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
          + "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n"
      ),
    ]
    for (failure, text) in texts { #expect(failure.report.wire == bytes(text) + [0]) }
    #expect(DeliveryFailure.nullExchanger(bytes("h")).status.description == "5.1.10")
    #expect(DeliveryFailure.systemResources(24).report.wire.first == UInt8(ascii: "Z"))
  }

  @Test("no text ends a report early")
  func nullBytes() { #expect(Report(.success, bytes("a\0b")).wire == bytes("Ka?b\0")) }
}
