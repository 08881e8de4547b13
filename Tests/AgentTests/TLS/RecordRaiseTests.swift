// TLSA records and policies: the full product of what a policy demands and what DNS says, by RFC 7672.
import Testing

@testable import Agent

@Suite struct RecordRaiseTests {
  /// What DNS may say of a server's records.
  enum Said: CaseIterable {
    case nothing, absent, notValidated, withoutEffect, failure, failureWithoutEffect, unusable, usable, mixed

    var lookup: TLSALookup? {
      let good = DNSRecord.tlsa(TLSARecord(usage: 3, selector: 1, matching: 1, association: [UInt8](repeating: 7, count: 32)))
      let bad = DNSRecord.tlsa(TLSARecord(usage: 1, selector: 1, matching: 1, association: [UInt8](repeating: 7, count: 32)))
      switch self {
      case .nothing: return nil
      case .absent: return make(.noName(isSecure: true))
      case .notValidated: return make(.records([good], isSecure: false))
      case .withoutEffect: return make(.records([good], isSecure: true), counts: false)
      case .failure: return make(.failure("SERVFAIL"))
      case .failureWithoutEffect: return make(.failure("SERVFAIL"), counts: false)
      case .unusable: return make(.records([bad], isSecure: true))
      case .usable: return make(.records([good], isSecure: true))
      case .mixed: return make(.records([bad, good], isSecure: true))
      }
    }

    private func make(_ answer: DNSAnswer, counts: Bool = true) -> TLSALookup {
      TLSALookup(port: 25, base: bytes("mx.example"), answer: answer, counts: counts)
    }
  }

  private static let levels: [TLSPolicy.Level] = [.none, .may, .encrypt, .dane, .verify, .name, .pin]

  /// The rule, written down apart from the program: the level, what holds besides, and the number of records; nil if the server can't be
  /// used.
  private func expected(_ level: TLSPolicy.Level, _ said: Said) -> (TLSPolicy.Level, floor: TLSPolicy.Level, count: Int)? {
    // A known certificate needs no records.
    if level == .pin { return (.pin, .encrypt, 0) }
    let besides = level == .verify || level == .name ? level : .encrypt
    switch said {
    case .failure: return nil
    case .usable, .mixed: return (.dane, besides, 1)
    case .unusable: return level == .dane ? nil : (besides, besides, 0)
    case .nothing, .absent, .notValidated, .withoutEffect, .failureWithoutEffect:
      return level == .dane ? nil : (level, .encrypt, 0)
    }
  }

  @Test("every level with every answer", arguments: levels, Said.allCases)
  func product(_ level: TLSPolicy.Level, _ said: Said) {
    let policy = TLSPolicy(level, source: "hooks/tls")
    let outcome = policy.raised(by: said.lookup, of: bytes("mx.example"), names: [bytes("a.example")])
    guard let expected = expected(level, said) else {
      guard case .unusable(let failure, _) = outcome else { return #expect(Bool(false), "\(outcome)") }
      // Whatever DNS says, mail is not bounced for it.
      #expect(failure.status.disposition == .temporary)
      return
    }
    guard case .policy(let raised) = outcome else { return #expect(Bool(false), "\(outcome)") }
    #expect(raised.level == expected.0 && raised.floor == expected.floor && raised.tlsa.count == expected.count)
    #expect(raised.isMandatory || level == .none || level == .may)
    if raised.level == .dane {
      #expect(raised.tlsaBase == bytes("mx.example") && raised.tlsaNames == [bytes("a.example")])
    }
  }

  @Test("a policy that skips records is as it was, whatever DNS says", arguments: levels, Said.allCases)
  func skipped(_ level: TLSPolicy.Level, _ said: Said) {
    var policy = TLSPolicy(level, source: "control/tlsdestinations:1")
    policy.records = .skip
    #expect(policy.raised(by: said.lookup, of: bytes("mx.example"), names: []) == .policy(policy))
  }

  @Test(
    "which records can be used",
    arguments: [
      (2, 0, 0, 1, true), (2, 0, 1, 32, true), (2, 1, 2, 64, true), (3, 0, 0, 1_000, true), (3, 1, 1, 32, true),
      (0, 1, 1, 32, false), (1, 1, 1, 32, false), (4, 1, 1, 32, false), (255, 1, 1, 32, false), (3, 2, 1, 32, false),
      (3, 255, 1, 32, false), (3, 1, 3, 32, false), (3, 1, 255, 32, false), (3, 1, 1, 31, false), (3, 1, 1, 33, false),
      (3, 1, 1, 0, false), (3, 1, 2, 32, false), (3, 0, 0, 0, false),
    ])
  func usable(_ usage: Int, _ selector: Int, _ matching: Int, _ length: Int, _ expected: Bool) {
    let record = TLSARecord(
      usage: UInt8(usage), selector: UInt8(selector), matching: UInt8(matching),
      association: [UInt8](repeating: 1, count: length))
    #expect(record.isUsable == expected)
  }
}
