// What follows a candidate that was left: the full product of policies and of what can come of TLS.
import Testing

@testable import Agent

@Suite struct NextTests {
  /// All that can come of TLS, in clear words for the table.
  private static let troubles: [(String, TLSTrouble)] = [
    ("not offered", .notOffered), ("refused for now", .refused(reply("454 x"))), ("refused for good", .refused(reply("554 x"))),
    ("early bytes", .earlyBytes), ("timed out", .broken(.transport(.timedOut))), ("closed", .broken(.transport(.closed))),
    ("handshake", .broken(.transport(.tls("x")))), ("nonsense", .broken(.malformed(MalformedReply(line: [])))),
    ("no certificate", .noCertificate), ("chain", .chain("x")), ("name", .name([])), ("pin", .pinMismatch),
    ("digest", .unknownDigest), ("records", .certificateNotInRecords), ("authority", .authorityNotInChain),
    ("ciphers", .setup(.ciphers([]))), ("anchors", .setup(.anchors(.system, "x"))),
  ]

  private static let ours: [TLSTrouble] = [
    .setup(.library("x")), .setup(.context("x")), .setup(.certificate([], "x")), .setup(.key([], "x")),
    .setup(.keyMismatch([])),
  ]

  private func candidate(_ level: TLSPolicy.Level, _ change: (inout TLSPolicy) -> Void = { _ in }) -> Candidate {
    var policy = TLSPolicy(level, source: "x")
    change(&policy)
    return Candidate(exchanger: bytes("mx"), preference: 10, address: address("192.0.2.1"), port: 25, tls: policy)
  }

  @Test("mail that must not go in clear doesn't", arguments: TLSPolicy.Level.allCases)
  func mandatory(_ level: TLSPolicy.Level) {
    for (what, trouble) in NextTests.troubles {
      for candidate in [candidate(level), candidate(level) { $0.clear = .last }] where level != .none && level != .may {
        #expect(Verdict.next(after: CandidateFailure(candidate, .tls, .tls(trouble))) == .nextCandidate, "\(what)")
      }
      let implicit = candidate(level) { $0.start = .implicit }
      #expect(Verdict.next(after: CandidateFailure(implicit, .tls, .tls(trouble))) == .nextCandidate, "\(what), implicit")
    }
  }

  @Test("mail that may go in clear does, at once or at last, unless something of ours is wrong")
  func optional() {
    for (what, trouble) in NextTests.troubles {
      let isSetup = if case .setup = trouble { true } else { false }
      let atOnce = candidate(.may)
      let last = candidate(.may) { $0.clear = .last }
      #expect(
        Verdict.next(after: CandidateFailure(atOnce, .tls, .tls(trouble)))
          == (isSetup ? .nextCandidate : .again(atOnce.inClear(after: trouble))), "\(what)")
      #expect(
        Verdict.next(after: CandidateFailure(last, .tls, .tls(trouble)))
          == (isSetup ? .nextCandidate : .last(last.inClear(after: trouble))), "\(what)")
    }
  }

  @Test("what is wrong with every server is tried with no other", arguments: TLSPolicy.Level.allCases)
  func common(_ level: TLSPolicy.Level) {
    for trouble in NextTests.ours {
      #expect(Verdict.next(after: CandidateFailure(candidate(level), .tls, .tls(trouble))) == .nobody)
    }
  }

  @Test("in clear means in clear, once") func inClear() {
    let again = candidate(.may).inClear(after: .earlyBytes)
    #expect(again.tls.level == .none && again.tls.start == .startTLS && again.tlsTrouble == .earlyBytes)
    #expect(again.address == address("192.0.2.1") && again.port == 25 && again.preference == 10)
    // It is nobody's rival, least of all its own.
    #expect(!again.races(candidate(.may)) && again.races(again))
    for cause in [CandidateFailure.Cause.refused(reply("554 x")), .broken(.transport(.closed))] {
      #expect(Verdict.next(after: CandidateFailure(again, .greeting, cause)) == .nextCandidate)
    }
  }

  @Test("nothing about TLS is for good") func temporary() {
    for trouble in NextTests.troubles.map(\.1) + NextTests.ours {
      let failure = CandidateFailure(candidate(.encrypt), .tls, .tls(trouble))
      #expect(failure.disposition == .temporary)
      for dialect in Dialect.allCases {
        #expect(Verdict.exhausted([failure], in: Wording(dialect)).kind == .deferral, "\(trouble) \(dialect)")
      }
    }
  }
}
