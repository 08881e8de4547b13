// Whose word decided a delivery, for every way in which one ends.
import Testing

@testable import Agent

@Suite struct DecidingWordTests {
  private static func candidate(_ text: String) -> Candidate {
    Candidate(exchanger: bytes("mx.test"), preference: 0, address: address(text), port: 25)
  }

  private static let first = candidate("192.0.2.1")
  private static let second = candidate("2001:db8::1")
  private static let closed = ConversationError.transport(.closed)

  /// `code host,host text`
  private func shown(_ outcome: Outcome) -> String {
    let word = outcome.decidingWord
    return "\(word.code) \(word.hosts.map(\.text).joined(separator: ",")) \(word.text.text)"
  }

  @Test(
    "ends of a transaction",
    arguments: [
      (["250 ok"], .answered(reply("250 ok 1")), "250 192.0.2.1 250 ok 1"),
      (["250 ok"], .answered(reply("250-a\n250 b")), "250 192.0.2.1 250-a\n250 b"),
      (["250 ok"], .answered(reply("554 no")), "554 192.0.2.1 554 no"),
      (["550 no", "450 later", "250 ok"], .answered(reply("250 ok 1")), "450 192.0.2.1 450 later"),
      (["550 no", "250 ok"], .answered(reply("452 full")), "452 192.0.2.1 452 full"),
      (["550 no"], .noRecipient, "550 192.0.2.1 550 no"), (["450 later"], .noRecipient, "450 192.0.2.1 450 later"),
      (["550 no", "250 ok"], .dataRefused(reply("451 x")), "451 192.0.2.1 451 x"),
      ([], .senderRefused(reply("530 auth required")), "530 192.0.2.1 530 auth required"),
      (
        [], .unicodeRefused,
        "553 192.0.2.1 Connected to 192.0.2.1 but server does not support unicode in email addresses."
      ),
      (
        ["550 no", "250 ok"], .lost(closed, duplicatePossible: true),
        "0 192.0.2.1 Connected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)"
      ),
      (["250 ok"], .abandoned(.messageUnreadable), "0 192.0.2.1 Unable to read message. (#4.3.0)"),
      ([], .noRecipient, "0 192.0.2.1 Giving up on 192.0.2.1."),
    ] as [([String], TransactionEnd, String)])
  func transactions(_ recipients: [String], _ end: TransactionEnd, _ expected: String) {
    let result = TransactionResult(recipients: recipients.map(reply), end: end)
    let outcome = Outcome(
      reports: Verdict.reports(result, from: Self.first.address), ending: .transaction(result), candidate: Self.first)
    #expect(shown(outcome) == expected)
  }

  private static let refused = CandidateFailure(first, .greeting, .refused(reply("421-a\n421 b")))
  private static let lost = CandidateFailure(second, .hello, .broken(closed))
  private static let unreached = CandidateFailure(first, .connect, .broken(.transport(.timedOut)))
  private static let noConnection = "Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)"

  @Test(
    "no candidate was any use",
    arguments: [
      ([refused], "421 192.0.2.1 421-a\n421 b"),
      ([refused, lost], "0 2001:db8::1 Connected to 2001:db8::1 but connection died. (#4.4.2)"),
      ([unreached, refused], "421 192.0.2.1 421-a\n421 b"),
      ([unreached, CandidateFailure(second, .connect, unreached.cause)], "0 192.0.2.1,2001:db8::1 \(noConnection)"),
      ([], "0  \(noConnection)"),
    ])
  func exhausted(_ failures: [CandidateFailure], _ expected: String) {
    let outcome = Outcome(
      reports: Reports(message: Verdict.exhausted(failures)), ending: Verdict.ending(failures, untried: nil).ending,
      failures: failures)
    #expect(shown(outcome) == expected)
  }

  @Test("a candidate that wasn't asked is why")
  func untried() {
    let refusal = CandidateFailure(Self.first, .greeting, .refused(reply("554 no")))
    #expect(Verdict.ending([refusal], untried: .lookupFailed) == .untried(.lookupFailed))
    #expect(Verdict.ending([refusal], untried: .noConnection) == .left(nil))
    #expect(Verdict.ending([refusal], untried: nil) == .left(refusal))
  }

  @Test("our own trouble", arguments: [DeliveryFailure.improperInvocation, .noExchanger, .noName])
  func failures(_ failure: DeliveryFailure) {
    #expect(shown(Outcome(failure)) == "0  \(failure.report.text.dropLast().text)")
  }
}
