// What a filter makes of the order of candidates, whoever wrote it: nothing is added, and what is dropped is told.
import Testing

@testable import Agent

@Suite struct CandidateKeepingTests {
  private func order() -> CandidateOrder {
    let exchangers = (1...4).map { number in
      MailExchanger(
        literal: address("192.0.2.\(number)"), name: bytes("mx\(number).test"), preference: number * 10)
    }
    return CandidateOrder(exchangers, CandidateRules(family: FamilyPreference(order: .v6First)))
  }

  /// The last numbers of those kept and of those left out, or the report.
  private func kept(_ numbers: [Int], _ stranger: Candidate? = nil) -> String {
    var order = order()
    let all = order.candidates
    do throws(DeliveryFailure) {
      try order.keep(numbers.map { all[$0 - 1] } + [stranger].compactMap(\.self), by: "hooks/candidates")
    } catch {
      return error.report.text.text
    }
    let left = order.leftOut.map { "\($0.address?.text.last ?? "?"): \($0.reason)" }
    return (order.candidates.compactMap { $0.address.text.last.map(String.init) } + left).joined(separator: " ")
  }

  @Test(
    "kept and dropped",
    arguments: [
      ([1, 2, 3, 4], "1 2 3 4"), ([4, 3, 2, 1], "4 3 2 1"), ([2, 4, 1], "2 4 1 3: dropped by hooks/candidates"),
      ([3], "3 1: dropped by hooks/candidates 2: dropped by hooks/candidates 4: dropped by hooks/candidates"),
      ([2, 2], "Unable to use hooks/candidates: it adds the candidate 192.0.2.2. (#4.3.5)\n"),
      ([4, 1, 1], "Unable to use hooks/candidates: it adds the candidate 192.0.2.1. (#4.3.5)\n"),
    ])
  func keep(_ numbers: [Int], _ expected: String) { #expect(kept(numbers) == expected) }

  @Test("nobody else's address")
  func add() {
    let stranger = Candidate(exchanger: bytes("mx1.test"), preference: 10, address: address("192.0.2.9"), port: 25)
    #expect(kept([1], stranger) == "Unable to use hooks/candidates: it adds the candidate 192.0.2.9. (#4.3.5)\n")
  }
}
