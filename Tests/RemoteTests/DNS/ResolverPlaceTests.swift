// The same servers, seen from loopback and from elsewhere; and chance, which has to be fair.
import Support
import Testing

@Suite struct ResolverPlaceTests {
  /// Rows whose plan tells who was believed.
  private static let telling = ["both.signed.test", "mixed.signed.test", "alone.signed.test", "bogus-tlsa.signed.test"]

  @Test(arguments: telling)
  func `validation is believed on loopback only, and TLSA not even asked elsewhere`(_ host: String) throws {
    let laboratory = try DNSLaboratory.shared.get()
    let row = LookupCase("", host, plan: [])
    let before = try laboratory.questions(from: LookupCase.ownAddresses[0]).count
    let (near, far) = try laboratory.network.run {
      (
        try Explanation(Explain.run(row, resolver: laboratory.resolver)),
        try Explanation(Explain.run(row, resolver: laboratory.outsideResolver))
      )
    }
    #expect(near.exchangers.contains { $0.isValidated && $0.tlsa != .notAsked })
    #expect(!far.exchangers.isEmpty && far.exchangers.allSatisfy { !$0.isValidated && $0.tlsa == .notAsked })
    #expect(Set(far.exchangers.map(\.name)) == Set(near.exchangers.map(\.name)))
    // Who is left alone for want of TLSA records is so only where they count.
    let withRecords = near.exchangers.filter { $0.tlsa != .failed }.flatMap(\.addresses)
    #expect(Set(far.candidates.map(\.address)) == Set(far.exchangers.flatMap(\.addresses)))
    #expect(Set(near.candidates.map(\.address)) == Set(withRecords))

    let asked = try laboratory.questions(from: LookupCase.ownAddresses[0])
    #expect(asked.count > before && asked.contains("\(host). MX"))
    #expect(!asked.contains { $0.hasSuffix(" TLSA") })
    #expect(try laboratory.questions(from: "127.0.0.1").contains { $0.hasSuffix(" TLSA") })
  }

  @Test func `one resolver elsewhere is enough to believe none`() throws {
    let laboratory = try DNSLaboratory.shared.get()
    let output = try laboratory.network.run {
      try Explain.run(
        LookupCase("", "both.signed.test", plan: []), resolver: "\(laboratory.resolver),\(laboratory.outsideResolver)")
    }
    #expect(try Explanation(output).exchangers.map(\.isValidated) == [false])
  }

  /// With a fair shuffle 150 runs miss one of six orders in one of 100 thousand million cases.
  @Test func `exchangers of one preference come in every order`() throws {
    let names = ["a.example", "b.example", "c.example"]
    let cell = try DNSCell { query in
      switch query.type {
      case .mx: DNSResponse(to: query, names.map { DNSWire.exchanger(query.name, 5, $0) })
      case .a: DNSResponse(to: query, [DNSWire.address(query.name, "192.0.2.\(query.name.utf8.first ?? 0)")])
      default: DNSResponse(to: query)
      }
    }
    var orders: Set<[String]> = []
    for _ in 0..<150 where orders.count < 6 {
      let plan = try Explanation(cell.explain(LookupCase("", "many.example", plan: [])))
      try #require(plan.exchangers.map(\.name).sorted() == names)
      #expect(plan.candidates.map(\.name) == plan.exchangers.map(\.name))
      orders.insert(plan.exchangers.map(\.name))
    }
    #expect(orders.count == 6)
  }
}
