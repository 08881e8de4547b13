// What a site's program makes of a policy: the full product of what was demanded, what it demands, and whether it may lower that.
import Testing

@testable import Agent

@Suite struct RevisionTests {
  /// From nothing to a certain key, as the manual has it.
  private static let ladder: [TLSPolicy.Level] = [.none, .may, .encrypt, .dane, .verify, .name, .pin]

  @Test("a demand can be raised, and lowered only on purpose", arguments: ladder, ladder)
  func product(_ own: TLSPolicy.Level, _ asked: TLSPolicy.Level) throws {
    var policy = TLSPolicy(own, source: "control/tlsdestinations:1")
    policy.ciphers = bytes("HIGH")
    policy.names = [bytes("mx.example")]
    policy.start = .implicit
    policy.port = 26
    policy.depth = 3
    let demand = TLSPolicy(asked, source: "hooks/tls")
    let order = try #require(Self.ladder.firstIndex(of: own)) - #require(Self.ladder.firstIndex(of: asked))

    let raised = TLSRevision(demand, force: .raises).applied(to: policy)
    #expect(raised.level == (order < 0 ? asked : own))
    #expect(raised.source == (order < 0 ? "hooks/tls" : "control/tlsdestinations:1"))
    #expect(order < 0 || raised == policy)

    let overridden = TLSRevision(demand, force: .overrides).applied(to: policy)
    #expect(overridden.level == asked && overridden.source == "hooks/tls")
    // Nothing of another demand is left but what was not spoken of.
    #expect(overridden.depth == nil)
    #expect(overridden.ciphers == bytes("HIGH") && overridden.names == [bytes("mx.example")])
    #expect(overridden.start == .implicit && overridden.port == 26)
  }

  @Test("what is spoken of replaces what was there")
  func parts() {
    var demand = TLSPolicy(.name, source: "hooks/tls")
    demand.names = [bytes("other.example")]
    demand.ciphers = bytes("MEDIUM")
    demand.port = 587
    let revised = TLSRevision(demand, force: .raises, start: .startTLS).applied(to: TLSPolicy(.may, source: "x"))
    #expect(revised.names == [bytes("other.example")] && revised.ciphers == bytes("MEDIUM"))
    #expect(revised.port == 587 && revised.start == .startTLS)
  }

  @Test(
    "anybody may look for records, nobody may pass over them without force",
    arguments: [
      (.raises, .skip, .use), (.overrides, .skip, .skip), (.raises, .always, .always), (.overrides, .always, .always),
      (.raises, nil, .use), (.overrides, nil, .use),
    ] as [(TLSRevision.Force, TLSPolicy.RecordUse?, TLSPolicy.RecordUse)])
  func records(_ force: TLSRevision.Force, _ asked: TLSPolicy.RecordUse?, _ expected: TLSPolicy.RecordUse) {
    for level in Self.ladder {
      let revision = TLSRevision(TLSPolicy(level, source: "hooks/tls"), force: force, records: asked)
      #expect(revision.applied(to: TLSPolicy(.encrypt, source: "x")).records == expected)
    }
    // A demand that is not heard may still ask for records.
    var skipping = TLSPolicy(.pin, source: "x")
    skipping.records = .skip
    let revision = TLSRevision(TLSPolicy(.may, source: "hooks/tls"), force: .raises, records: .always)
    #expect(revision.applied(to: skipping).records == .always)
  }
}
