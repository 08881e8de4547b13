// The program `candidates` as a filter of addresses.
internal import Agent

/// Asks the program which candidates to keep. It knows them by their numbers, so it can't add any.
struct ExecCandidateFilter: CandidateFilter {
  let runner: HookRunner
  let program: HookProgram

  var name: String { program.point.place }

  func candidates(
    _ candidates: [Candidate], for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [Candidate]? {
    var asked = HookQuestion(question)
    asked.add("route", route?.line.textWithoutCredentials ?? [])
    for (index, candidate) in candidates.enumerated() {
      // A name in DNS may hold a blank, which would divide it.
      asked.add(
        "candidate",
        Bytes("\(index + 1) ") + candidate.exchanger.printable + Bytes(" \(candidate.address.text) \(candidate.port)"))
    }
    guard let answer = try runner.ask(program, asked, environment, keys: [HookKey("keep", .anyNumber)]) else { return nil }
    do throws(HookFault) {
      return try ExecCandidateFilter.kept(answer, candidates)
    } catch {
      throw .hookFailed(name, error.words)
    }
  }

  static func kept(_ answer: HookAnswer, _ candidates: [Candidate]) throws(HookFault) -> [Candidate] {
    if answer.lines.count == 1, answer.value("keep") == Bytes("none") { return [] }
    var isKept = [Bool](repeating: false, count: candidates.count)
    var kept: [Candidate] = []
    for (_, value) in answer.lines {
      guard let number = value.decimal, candidates.indices.contains(number - 1) else {
        throw HookFault("its answer keeps \(value.prefix(shownLength).printable.text), and there is no such candidate")
      }
      if isKept[number - 1] { throw HookFault("its answer keeps candidate \(number) twice") }
      isKept[number - 1] = true
      kept.append(candidates[number - 1])
    }
    return kept
  }

  private static let shownLength = 20
}
