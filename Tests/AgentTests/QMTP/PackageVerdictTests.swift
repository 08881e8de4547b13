import Support
import Testing

@testable import Agent

private let peer = address("192.0.2.1")
private let died = ConversationError.transport(.closed)
private let improper = ConversationError.malformed(MalformedReply(line: bytes("x")))

/// The full product of what servers can answer and how answers can end: what is reported.
@Suite struct PackageVerdictTests {
  private func plan(_ dialect: Dialect, _ routes: String, recipients: Int = 1) throws -> DeliveryPlan {
    let control = memoryControl(["me": "me.test", routes: ":192.0.2.1"])
    let environment = Environment(["QMAILREMOTE_DIALECT": dialect.rawValue])
    let choice = try DialectChoice(operands: [], environment: environment) { _ in control }
    let delivery = Delivery(
      hooks: HookSet(routers: [RouteTable(control, dialect: dialect, environment: environment)]), resolver: FakeResolver(),
      interfaces: FakeInterfaces(), network: FakeNetwork([:], clock: TestClock()), lastWords: RecordedLastWords(),
      circumstances: Circumstances(clock: TestClock(), wallSeconds: 0, seed: 1, processID: 1))
    let envelope = Envelope(
      host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: (0..<recipients).map { Address(bytes("r\($0)@y")) })
    return try delivery.plan(envelope, choice, environment)
  }

  private func wording(_ dialect: Dialect, recipients: Int) throws -> Wording {
    Wording(try plan(dialect, "qmtproutes", recipients: recipients))
  }

  private func text(_ disposition: EnhancedStatus.Disposition, _ dialect: Dialect) -> String {
    let letter =
      switch disposition {
      case .success: "r"
      case .temporary: "s"
      case .permanent: "h"
      }
    return letter + (dialect == .indimail ? "Remote host said: x\n|" : "qmtp:x\n|")
  }

  @Test("every answer for two recipients, and every end", arguments: Dialect.allCases)
  func product(_ dialect: Dialect) throws {
    let wording = try wording(dialect, recipients: 2)
    let isIndimail = dialect == .indimail
    let all = isIndimail ? "192.0.2.1 accepted message - Protocol QMTP\n|" : "All received okay by 192.0.2.1\n|"
    let some = isIndimail ? all : "192.0.2.1 accepted message.\n|"
    let none = "DGiving up on 192.0.2.1" + (isIndimail ? " - Protocol QMTP\n|" : "\n|")
    let ends: [(ConversationError, String)] = [
      (died, "Connected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)\n|"),
      (improper, "recipient \(isIndimail ? "" : "192.0.2.1 ")did not talk proper QMTP. Possible duplicate! (#4.3.0)\n|"),
    ]
    func reports(_ answers: [EnhancedStatus.Disposition], _ end: PackageEnd) -> String {
      let result = PackageResult(responses: answers.map { QMTPResponse($0, bytes("x")) }, end: end)
      return Verdict.reports(result, from: peer, in: wording).wire.map { $0 == 0 ? UInt8(ascii: "|") : $0 }.text
    }
    for first in EnhancedStatus.Disposition.allCases {
      for (error, words) in ends {
        #expect(reports([], .lost(error)) == "Z" + words)
        let expected = first == .success ? "s\(words)K\(some)" : "Z" + words
        #expect(reports([first], .lost(error)) == text(first, dialect) + expected)
      }
      #expect(reports([first], .abandoned(.messageUnreadable)).hasSuffix("ZUnable to read message. (#4.3.0)\n|"))
      for second in EnhancedStatus.Disposition.allCases {
        let accepted = [first, second].count { $0 == .success }
        let message = accepted == 2 ? "K" + all : accepted == 1 ? "K" + some : none
        #expect(reports([first, second], .answered) == text(first, dialect) + text(second, dialect) + message)
      }
    }
  }

  @Test("a recipient that waits for another route keeps its place")
  func deferred() throws {
    let waiting = DeferredRecipient(position: 1, address: Address(bytes("w@y")))
    let ok = QMTPResponse(.success, bytes("ok"))
    let result = PackageResult(responses: [ok, ok], end: .answered)
    let kinds = Verdict.reports(result, from: peer, deferred: [waiting], in: try wording(.stock, recipients: 2))
    #expect(kinds.recipients.map(\.kind) == [.recipientAccepted, .recipientDeferred, .recipientAccepted])
    #expect(kinds.message.kind == .success)
  }

  @Test("before the last byte nothing was delivered, and nothing is final")
  func before() throws {
    let candidate = Candidate(exchanger: bytes("mx"), preference: 0, address: peer, port: 209, transport: .qmtp)
    for (error, words) in [
      (died, "ZConnected to 192.0.2.1 but connection died. (#4.4.2)\n"),
      (improper, "Zrecipient 192.0.2.1 did not talk proper QMTP (#4.3.0)\n"),
    ] {
      let failure = CandidateFailure(candidate, .package, .broken(error))
      #expect(failure.disposition == .temporary)
      #expect(Verdict.exhausted([failure], in: try wording(.stock, recipients: 1)).wire == bytes(words) + [0])
    }
  }

  @Test("SMTP follows where QMTP couldn't be connected to, and never to the same host after that")
  func fallback() {
    func candidate(_ name: String, _ transport: Route.Transport) -> Candidate {
      Candidate(exchanger: bytes(name), preference: 12_801, address: peer, port: transport.port, transport: transport)
    }
    let tried = candidate("a", .qmtp)
    for (stage, allowed) in [(CandidateFailure.Stage.connect, true), (.package, false)] {
      let failure = CandidateFailure(tried, stage, .broken(died))
      #expect(Verdict.mayFollow(candidate("a", .smtp), after: failure) == allowed)
      #expect(Verdict.mayFollow(candidate("b", .smtp), after: failure))
      #expect(Verdict.mayFollow(candidate("a", .qmtp), after: failure))
    }
    let smtp = CandidateFailure(candidate("a", .smtp), .hello, .broken(died))
    #expect(Verdict.mayFollow(candidate("a", .smtp), after: smtp))
  }

  @Test("the status is 0, but for s/qmail's message that can't be read", arguments: Dialect.allCases)
  func status(_ dialect: Dialect) throws {
    func status(_ ending: Outcome.Ending, _ routes: String = "qmtproutes") throws -> Int32 {
      Outcome(plan: try plan(dialect, routes), reports: Reports(message: Report(.deferral)), ending: ending).status
    }
    for (failure, expected) in [(DeliveryFailure.messageUnreadable, dialect == .sqmail ? 1 : 0), (.partialLastLine, 0)] {
      #expect(try status(.failed(failure)) == Int32(expected))
      #expect(try status(.package(PackageResult(responses: [], end: .abandoned(failure)))) == Int32(expected))
      #expect(try status(.failed(failure), "smtproutes") == 0)
      #expect(Outcome(failure).status == 0)
    }
    #expect(try status(.package(PackageResult(responses: [], end: .answered))) == 0)
    #expect(try status(.package(PackageResult(responses: [], end: .lost(died)))) == 0)
    #expect(try status(.exhausted(nil)) == 0)
  }

  @Test("what outcome programs are told: the word for the last recipient who was refused, without a code")
  func decidingWord() throws {
    func word(_ responses: [(EnhancedStatus.Disposition, String)], _ end: PackageEnd = .answered) throws -> String {
      let result = PackageResult(responses: responses.map { QMTPResponse($0.0, bytes($0.1)) }, end: end)
      let candidate = Candidate(exchanger: bytes("mx"), preference: 0, address: peer, port: 209, transport: .qmtp)
      let reports = Verdict.reports(result, from: peer, in: try wording(.stock, recipients: responses.count))
      let word = Outcome(reports: reports, ending: .package(result), candidate: candidate).decidingWord
      return "\(word.code) \(word.hosts.map(\.text)) \(word.text.text)"
    }
    #expect(try word([(.success, "ok 1"), (.success, "ok 2\r")]) == "0 [\"192.0.2.1\"] ok 2")
    #expect(try word([(.permanent, "no\u{7}"), (.success, "ok")]) == "0 [\"192.0.2.1\"] no?")
    let lost = "0 [\"192.0.2.1\"] Connected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)"
    #expect(try word([(.permanent, "no")], .lost(died)) == lost)
  }
}
