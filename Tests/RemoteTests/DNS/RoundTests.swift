// How many times the program waits for the resolver: each round's questions are all there before the first of them is answered.
import Support
import Testing

@Suite struct RoundTests {
  /// Keeps questions until a whole round has come, and answers all of them then. A program that asks one after the other waits for ever.
  private static func cell(
    rounds sizes: [Int], answer: @escaping @Sendable (HandmadeNameServer.Query) -> DNSResponse
  ) throws -> DNSCell {
    let rounds = Shared((sizes: sizes[...], waiting: [HandmadeNameServer.Query]()))
    return try DNSCell { query in
      let complete = rounds.change { rounds in
        rounds.waiting.append(query)
        guard rounds.waiting.count == rounds.sizes.first else { return [HandmadeNameServer.Query]() }
        rounds.sizes.removeFirst()
        defer { rounds.waiting = [] }
        return rounds.waiting
      }
      return complete.map { ($0, answer($0).bytes) }
    }
  }

  private static func validated(_ query: HandmadeNameServer.Query, _ answers: [[UInt8]]) -> DNSResponse {
    DNSResponse(to: query, answers).with { $0.flags |= DNSResponse.validated }
  }

  private static func tenExchangers(_ query: HandmadeNameServer.Query) -> DNSResponse {
    switch query.type {
    case .mx: validated(query, (1...10).map { DNSWire.exchanger(query.name, $0, "mx\($0).ten.example") })
    case .a: validated(query, [DNSWire.address(query.name, "192.0.2.7")])
    case .aaaa: validated(query, [DNSWire.address(query.name, "2001:db8::7")])
    case .tlsa: validated(query, [DNSWire.record(query.name, .tlsa, [3, 1, 1, 0xaa, 0xbb])])
    case .cname:
      validated(query, query.name == "nick.example" ? [DNSWire.record(query.name, .cname, DNSWire.name("ten.example"))] : [])
    case nil: validated(query, [])
    }
  }

  private static let plan = (1...10).map { "\($0) mx\($0).ten.example validated 192.0.2.7 2001:db8::7 TLSA 1" }

  @Test func `ten exchangers with A, AAAA and TLSA are two rounds`() throws {
    let cell = try RoundTests.cell(rounds: [1, 30], answer: RoundTests.tenExchangers)
    let row = LookupCase("", "ten.example", plan: RoundTests.plan).control("timeoutdns", "20\n")
    try row.check(cell.explain(row))
    let queries = cell.server.finish()
    #expect(queries.count == 31 && queries.allSatisfy { $0.asksValidation && !$0.isTCP })
    #expect(Set(queries.map { "\($0.name) \($0.type.map { "\($0)" } ?? "")" }).count == 31)
  }

  @Test func `recipients' aliases go along`() throws {
    // MX and three CNAME; thirty, and one CNAME for where an alias led.
    let cell = try RoundTests.cell(rounds: [4, 31], answer: RoundTests.tenExchangers)
    let row = LookupCase("", "ten.example", plan: RoundTests.plan).control("timeoutdns", "20\n").dialect("sqmail")
      .recipients(
        ["a@nick.example", "b@other.example", "c@third.example", "d@other.example"],
        become: ["a@ten.example", "b@other.example", "c@third.example", "d@other.example"])
    try row.check(cell.explain(row))
    #expect(cell.server.finish().count == 35)
  }

  /// "At once" must not mean more than fits: what is lost is asked again only after five seconds.
  @Test func `however many questions there are, none is lost`() throws {
    let laboratory = try DNSLaboratory.shared.get()
    let before = try laboratory.lostDatagrams()
    try ExchangerCases.crowd.check(
      laboratory.network.run { try Explain.run(ExchangerCases.crowd, resolver: laboratory.resolver) })
    #expect(try laboratory.lostDatagrams() - before == 0)
  }

  @Test func `a host without exchangers is two rounds, a relay one`() throws {
    let answer = { @Sendable (query: HandmadeNameServer.Query) in
      query.type == .mx ? RoundTests.validated(query, []) : RoundTests.tenExchangers(query)
    }
    let direct = try RoundTests.cell(rounds: [1, 3], answer: answer)
    let row = LookupCase("", "one.example", plan: ["0 one.example validated 192.0.2.7 2001:db8::7 TLSA 1"])
      .control("timeoutdns", "20\n")
    try row.check(direct.explain(row))
    #expect(direct.server.finish().count == 4)

    let relay = try RoundTests.cell(rounds: [3], answer: answer)
    let routed = LookupCase("", "x.example", plan: ["0 one.example validated 192.0.2.7 2001:db8::7 TLSA 1"])
      .control("timeoutdns", "20\n").control("smtproutes", ":one.example\n")
    try routed.check(relay.explain(routed))
    #expect(relay.server.finish().count == 3)
  }
}
