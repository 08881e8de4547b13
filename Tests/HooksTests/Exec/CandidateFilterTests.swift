// What answers of the program `candidates` mean: a table, without a process.
import Testing

@testable import Agent
@testable import Hooks

@Suite struct CandidateFilterTests {
  private static let candidates = ["192.0.2.1", "2001:db8::1", "192.0.2.3"].compactMap { text in
    IPAddress(bytes(text)).map { Candidate(exchanger: bytes("mx.example"), preference: 10, address: $0, port: 25) }
  }

  /// The addresses, or the fault.
  private func kept(_ answer: String) -> String {
    do throws(HookFault) {
      let answer = try HookAnswer(bytes(answer), [HookKey("keep", .anyNumber)])
      return try ExecCandidateFilter.kept(answer, Self.candidates).map(\.address.text).joined(separator: " ")
    } catch {
      return "fault: \(error.words)"
    }
  }

  @Test(
    "answers",
    arguments: [
      ("keep=1\nkeep=2\nkeep=3\n", "192.0.2.1 2001:db8::1 192.0.2.3"), ("keep=3\nkeep=1", "192.0.2.3 192.0.2.1"),
      ("keep=none\n", ""), ("keep=2\nkeep=2", "fault: its answer keeps candidate 2 twice"),
      ("keep=0", "fault: its answer keeps 0, and there is no such candidate"),
      ("keep=4", "fault: its answer keeps 4, and there is no such candidate"),
      ("keep=-1", "fault: its answer keeps -1, and there is no such candidate"),
      ("keep=", "fault: its answer keeps , and there is no such candidate"),
      ("keep=1\nkeep=none", "fault: its answer keeps none, and there is no such candidate"),
      ("keep=99999999999999999999", "fault: its answer keeps 99999999999999999999, and there is no such candidate"),
      ("keep=192.0.2.1", "fault: its answer keeps 192.0.2.1, and there is no such candidate"),
      ("drop=1", "fault: has the unknown key drop"),
    ])
  func answers(_ answer: String, _ expected: String) { #expect(kept(answer) == expected) }
}
