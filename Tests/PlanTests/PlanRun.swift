// Planning a delivery as the program does it, on a control directory, a DNS, a clock and interfaces that a test makes up.
import Site
import Support

@testable import Agent

/// What came of planning.
struct PlanResult {
  /// The plan in words, or `report: …` for each report of a delivery that ends before it has one.
  fileprivate(set) var lines: [[UInt8]] = []
  fileprivate(set) var plan: DeliveryPlan?
  /// The path of the control directory that was opened.
  fileprivate(set) var directory: [UInt8] = []
  /// How often DNS was asked.
  fileprivate(set) var questionCount = 0
  /// How many seconds the first round of questions had.
  fileprivate(set) var lookupSeconds: Int?

  var text: String { lines.map { TranscriptText.shown($0) }.joined(separator: "\n") }
}

extension PlanInput {
  /// - Parameter folder: a control directory on disk instead of the one in memory.
  func result(folder: String? = nil) -> PlanResult {
    var result = PlanResult()
    let resolver = FakeResolver(zone: zone, believesValidation: believesValidation)
    do throws(DeliveryFailure) {
      let plan = try plan(resolver) { path in
        result.directory = path
        return folder.map { ControlDirectory(path: Array($0.utf8)) } ?? ControlDirectory(files: control)
      }
      result.plan = plan
      result.lines = PlanText.lines(plan).map { Array($0.utf8) }
    } catch {
      let reports = error.reports
      result.lines = (reports.recipients + [reports.message]).map { report in
        // The text ends in a line feed that every report has.
        Array("report: ".utf8) + [report.kind.rawValue] + report.text.dropLast()
      }
    }
    result.questionCount = resolver.rounds.joined().count
    result.lookupSeconds = resolver.deadlines.first.map { Int($0.milliseconds(from: TestClock().now())) / 1_000 }
    return result
  }

  private func plan(
    _ resolver: FakeResolver, open: (Bytes) -> ControlDirectory
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let start = Environment(environment)
    let choice = try DialectChoice(operands: operands, environment: start, open: open)
    do throws(DeliveryFailure) {
      return try plan(resolver, choice, start)
    } catch {
      throw error.worded(for: choice.dialect)
    }
  }

  private func plan(
    _ resolver: FakeResolver, _ choice: DialectChoice, _ start: Environment
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let envelope = try Envelope(operands: operands, convention: choice.convention)
    let clock = TestClock()
    let circumstances = Circumstances(clock: clock, wallSeconds: wallSeconds, seed: 1, processID: 4_711)
    let delivery = Delivery(
      hooks: Site.hooks(choice, start, circumstances),
      resolver: resolver, interfaces: FakeInterfaces(own), network: FakeNetwork([:], clock: clock),
      lastWords: RecordedLastWords(),
      circumstances: circumstances)
    return try delivery.plan(envelope, choice, start)
  }
}

extension PlanFile {
  /// What is not as the file has it; empty if everything is.
  func problems() -> [ScriptProblem] {
    let result = input.result()
    var problems: [ScriptProblem] = []
    let wanted = expected.map(\.bytes)
    if result.lines != wanted {
      let line = zip(expected, result.lines).first { $0.bytes != $1 }?.0.line ?? expected.last?.line ?? 1
      problems.append(ScriptProblem(line: line, "another plan than expected:\n" + difference(wanted, result.lines)))
    }
    if let directory, directory.bytes != result.directory {
      problems.append(ScriptProblem(line: directory.line, "the control directory is \(result.directory.text)"))
    }
    let header = result.plan?.envelope.extraHeader
    if let expected = self.header, expected.bytes != header {
      problems.append(ScriptProblem(line: expected.line, "the extra header is \(TranscriptText.shown(header ?? []))"))
    }
    let size = result.plan?.envelope.declaredSize ?? Array("none".utf8)
    if let expected = self.size, expected.bytes != size {
      problems.append(ScriptProblem(line: expected.line, "the declared size is \(size.text)"))
    }
    if let asksNoDNS, result.questionCount > 0 {
      problems.append(ScriptProblem(line: asksNoDNS, "DNS was asked \(result.questionCount) questions"))
    }
    return problems
  }

  /// Both plans in one: `-` was expected, `+` came, the rest is common.
  private func difference(_ expected: [[UInt8]], _ got: [[UInt8]]) -> String {
    let changes = got.difference(from: expected)
    var removed: Set<Int> = []
    var inserted: Set<Int> = []
    for change in changes {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): inserted.insert(offset)
      }
    }
    var rows: [String] = []
    var next = 0
    for (index, line) in expected.enumerated() {
      guard !removed.contains(index) else {
        rows.append("  - \(TranscriptText.shown(line))")
        continue
      }
      while inserted.contains(next) {
        rows.append("  + \(TranscriptText.shown(got[next]))")
        next += 1
      }
      rows.append("    \(TranscriptText.shown(line))")
      next += 1
    }
    rows += got[next...].map { "  + \(TranscriptText.shown($0))" }
    return rows.joined(separator: "\n")
  }
}
