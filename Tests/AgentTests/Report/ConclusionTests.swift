// What is concluded from reports, beside a reader of their bytes that knows nothing of how it is done here.
import Support
import Testing

@testable import Agent

@Suite struct ConclusionTests {
  private func letter(_ reports: Reports) -> Character {
    Character(Unicode.Scalar(Report.Kind(message: reports.concluded).rawValue))
  }

  private static let kinds = Report.Kind.allCases

  @Test("every first and second recipient with every message report", arguments: kinds)
  func pairs(_ message: Report.Kind) {
    let recipients: [[Report.Kind]] =
      [[]] + Self.kinds.map { [$0] } + Self.kinds.flatMap { first in Self.kinds.map { [first, $0] } }
    for kinds in recipients {
      let reports = Reports(recipients: kinds.map { Report($0, "x\n") }, message: Report(message, "y\n"))
      let verdict = SpawnVerdict(output: reports.wire, ending: .exited(0))
      #expect(letter(reports) == verdict.letter, "\(kinds) \(message)")
    }
  }

  @Test("the texts don't count")
  func texts() {
    for text in ["", "K", "sZ\n", "\0Kforged\n", "h"] {
      let reports = Reports(recipients: [Report(.recipientDeferred, text)], message: Report(.success, text))
      #expect(letter(reports) == "Z")
    }
  }
}
