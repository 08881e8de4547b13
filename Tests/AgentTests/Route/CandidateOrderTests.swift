import Testing

@testable import Agent

@Suite struct CandidateOrderTests {
  private func exchanger(_ name: String, _ preference: Int, _ addresses: [String]) -> MailExchanger {
    let records = addresses.map { DNSRecord.address(address($0)) }
    let answer: DNSAnswer = records.isEmpty ? .noData(isSecure: false) : .records(records, isSecure: false)
    return MailExchanger(name: bytes(name), preference: preference, addresses: [answer], isSecure: false)
  }

  private func order(_ exchangers: [MailExchanger], _ family: FamilyPreference.Order) -> String {
    let order = CandidateOrder(
      exchangers, CandidateRules(family: FamilyPreference(order: family, source: "control/ipprefer:1")))
    let tried = order.candidates.map { "\($0.exchanger.text)=\($0.address.text)" }
    let leftOut = order.leftOut.map { "(\($0.exchanger.text)\($0.address.map { " " + $0.text } ?? ""): \($0.reason))" }
    return (tried + leftOut).joined(separator: " ")
  }

  @Test(
    "the addresses of one preference, families by turns",
    arguments: [
      (.v6First, "a=::6 a=1.0.0.1 b=::7 b=1.0.0.2 b=1.0.0.3 c=1.0.0.4 c=::9"),
      (.v4First, "a=1.0.0.1 a=::6 b=1.0.0.2 b=::7 b=1.0.0.3 c=1.0.0.4 c=::9"),
      (.v4Only, "a=1.0.0.1 b=1.0.0.2 b=1.0.0.3 c=1.0.0.4"), (.v6Only, "a=::6 b=::7 c=::9"),
    ] as [(FamilyPreference.Order, String)])
  func families(_ family: FamilyPreference.Order, _ expected: String) {
    let exchangers = [
      exchanger("a", 10, ["::6", "1.0.0.1"]), exchanger("b", 10, ["::7", "1.0.0.2", "1.0.0.3"]),
      exchanger("c", 20, ["1.0.0.4"]), exchanger("c", 30, ["::9"]),
    ]
    let order = order(exchangers, family)
    #expect(order.prefix { $0 != "(" }.split(separator: " ").joined(separator: " ") == expected)
    let refused = exchangers.flatMap(\.addresses).filter { !family.allows($0) }
    for address in refused { #expect(order.contains(" \(address.text): control/ipprefer:1 says \(family.rawValue))")) }
  }

  @Test("the same address of the same exchanger once, of another as often as it is named")
  func duplicates() {
    #expect(
      order([exchanger("a", 1, ["1.0.0.1", "1.0.0.1"]), exchanger("b", 1, ["1.0.0.1"])], .v6First)
        == "a=1.0.0.1 b=1.0.0.1 (a 1.0.0.1: listed before)")
  }

  @Test("a domain with more addresses than anybody needs takes no hours")
  func manyAddresses() {
    let many = (0..<44).map { host in
      exchanger("m\(host)", 10, (0..<250).map { "10.\(host).0.\($0)" })
    }
    let order = CandidateOrder(many, CandidateRules(family: FamilyPreference(order: .v6First)))
    #expect(order.candidates.count == 10_000)
  }

  @Test("an exchanger without an address is left out with its reason")
  func trouble() {
    let failed = MailExchanger(
      name: bytes("f"), preference: 1, addresses: [.failure("SERVFAIL"), .noData(isSecure: false)], isSecure: false)
    #expect(
      order([failed, exchanger("n", 1, []), exchanger("a", 2, ["1.0.0.1"])], .v6First)
        == "a=1.0.0.1 (f: DNS: SERVFAIL) (n: no address)")
  }

  @Test("what is not better than this machine is cut; what may be better, if DNS told, defers")
  func ourselves() throws {
    let own = address("1.0.0.9")
    let isOwn = { (other: IPAddress) in other == own }
    let me = exchanger("me", 20, ["1.0.0.9"])
    let cut = try CandidateOrder.betterThanOurselves(
      [exchanger("a", 10, ["1.0.0.1"]), me, exchanger("b", 20, ["1.0.0.2"]), exchanger("c", 30, ["1.0.0.3"])], isOwn: isOwn)
    #expect(cut.better.map(\.name.text) == ["a"])
    #expect(
      cut.leftOut.map { "\($0.exchanger.text): \($0.reason)" } == [
        "me: this machine", "b: not better than this machine", "c: not better than this machine",
      ])
    let failed = MailExchanger(name: bytes("f"), preference: 10, addresses: [.failure("x")], isSecure: false)
    #expect { try CandidateOrder.betterThanOurselves([failed, me], isOwn: isOwn) } throws: {
      ($0 as? DeliveryFailure) == .lookupFailed
    }
    #expect { try CandidateOrder.betterThanOurselves([exchanger("n", 10, []), me], isOwn: isOwn) } throws: {
      ($0 as? DeliveryFailure) == .bestExchangerIsSelf
    }
    #expect(try CandidateOrder.betterThanOurselves([exchanger("a", 10, ["1.0.0.1"])], isOwn: isOwn).better.count == 1)
  }
}
