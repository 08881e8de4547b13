import Foundation
import Testing

@testable import Agent
@testable import Hooks

@Suite struct FailureRulesTests {
  /// An ending of a candidate, and the dialects in which it counts.
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let stage: CandidateFailure.Stage
    let cause: CandidateFailure.Cause
    let dialects: Set<Dialect>
    /// Whether TRY_NEXT_MX_HELO_FAIL must be set for it to count.
    var onlyWithHello = false
  }

  private static let all = Set(Dialect.allCases)

  private static func refusal(_ code: Int) -> CandidateFailure.Cause {
    .refused(Reply(code: code, text: Array("\(code) words\n".utf8)))
  }

  private static let nonsense = CandidateFailure.Cause.broken(.malformed(MalformedReply(line: Array("what".utf8))))

  static let rows: [Row] = [
    Row(testDescription: "silence", stage: .connect, cause: .broken(.transport(.timedOut)), dialects: all),
    Row(testDescription: "the kernel's time limit", stage: .connect, cause: error(ETIMEDOUT), dialects: all),
    Row(testDescription: "refused", stage: .connect, cause: error(ECONNREFUSED), dialects: [.sqmail, .indimail]),
    Row(testDescription: "host down", stage: .connect, cause: error(EHOSTDOWN), dialects: [.indimail]),
    Row(testDescription: "network unreachable", stage: .connect, cause: error(ENETUNREACH), dialects: [.indimail]),
    Row(testDescription: "host unreachable", stage: .connect, cause: error(EHOSTUNREACH), dialects: [.indimail]),
    Row(testDescription: "no free port", stage: .connect, cause: error(EADDRNOTAVAIL), dialects: []),
    Row(testDescription: "reset while connecting", stage: .connect, cause: error(ECONNRESET), dialects: []),
    Row(testDescription: "forbidden here", stage: .connect, cause: error(EACCES), dialects: []),
    Row(testDescription: "no descriptor left", stage: .connect, cause: error(EMFILE), dialects: []),
    Row(testDescription: "closed while connecting", stage: .connect, cause: .broken(.transport(.closed)), dialects: []),
    Row(
      testDescription: "closed before the greeting", stage: .greeting, cause: .broken(.transport(.closed)),
      dialects: [.indimail]),
    Row(testDescription: "reset before the greeting", stage: .greeting, cause: error(ECONNRESET), dialects: [.indimail]),
    Row(testDescription: "no greeting in time", stage: .greeting, cause: .broken(.transport(.timedOut)), dialects: [.indimail]),
    Row(testDescription: "a greeting of nonsense", stage: .greeting, cause: nonsense, dialects: [.indimail]),
    Row(testDescription: "greeting 421", stage: .greeting, cause: refusal(421), dialects: [.indimail]),
    Row(testDescription: "greeting 499", stage: .greeting, cause: refusal(499), dialects: [.indimail]),
    Row(testDescription: "greeting 250", stage: .greeting, cause: refusal(250), dialects: [.indimail]),
    Row(testDescription: "greeting 554", stage: .greeting, cause: refusal(554), dialects: []),
    Row(testDescription: "EHLO 450", stage: .hello, cause: refusal(450), dialects: [.indimail], onlyWithHello: true),
    Row(testDescription: "HELO 550", stage: .hello, cause: refusal(550), dialects: []),
    Row(testDescription: "closed after EHLO", stage: .hello, cause: .broken(.transport(.closed)), dialects: []),
    Row(testDescription: "no answer to EHLO", stage: .hello, cause: .broken(.transport(.timedOut)), dialects: []),
    Row(testDescription: "no STARTTLS", stage: .tls, cause: .tls(.notOffered), dialects: []),
    Row(
      testDescription: "no answer in a handshake", stage: .tls, cause: .tls(.broken(.transport(.timedOut))), dialects: []),
    Row(testDescription: "nonsense after EHLO", stage: .hello, cause: nonsense, dialects: []),
  ]

  private static func error(_ number: Int32) -> CandidateFailure.Cause { .broken(.transport(.failed(number))) }

  @Test("which failures count", arguments: rows, Dialect.allCases)
  func failures(_ row: Row, _ dialect: Dialect) throws {
    let candidate = try Tables.candidate("192.0.2.1")
    let event = BackOffEvent.failed(CandidateFailure(candidate, row.stage, row.cause))
    for countsHello in [false, true] {
      let (subject, finding) = FailureRules(dialect: dialect).finding(event, BackOffLimits(countsHello: countsHello))
      #expect(subject == candidate)
      let counts = row.dialects.contains(dialect) && (countsHello || !row.onlyWithHello)
      // What doesn't count clears nothing either.
      #expect(finding == (counts ? .failure : .nothing))
    }
  }

  @Test("what clears a record: exactly one of the events of a session that goes well", arguments: Dialect.allCases)
  func successes(_ dialect: Dialect) throws {
    let candidate = try Tables.candidate("192.0.2.1")
    let events = [BackOffEvent.connected(candidate), .greeted(candidate), .ready(candidate)]
    for countsHello in [false, true] {
      let findings = events.map { FailureRules(dialect: dialect).finding($0, BackOffLimits(countsHello: countsHello)).1 }
      let clearing = dialect != .indimail ? 0 : countsHello ? 2 : 1
      #expect(findings == (0..<3).map { $0 == clearing ? .success : .nothing })
    }
  }
}
