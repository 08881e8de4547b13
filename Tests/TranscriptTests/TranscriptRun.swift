// One run of a transcript: the delivery as the program does it, on a network, a DNS and a clock that the transcript makes up, and
// everything about it that was not as the transcript has it.
import Site
import Support

@testable import Agent

/// A transcript with the ways in which it is to be run.
struct TranscriptRun {
  let transcript: Transcript
  let mode: ScriptMode
  let chunking: ScriptChunking
  /// Takes the last words away from those who record them, to see whether that is noticed.
  var losesLastWords = false

  /// What a crash would have reported at the moments that matter.
  private struct CrashReport {
    let item: ConnectionScript.ClientItem
    let script: ConnectionScript
    let words: [UInt8]?
  }

  /// What was not as expected; empty if everything was.
  /// - Throws: when the transcript can't be run at all.
  func problems() throws(TranscriptError) -> [ScriptProblem] {
    var scripts: [ConnectionScript] = []
    for connection in transcript.connections {
      scripts.append(try ConnectionScript(connection, mode: mode, eager: chunking == .oneByte))
    }
    let lastWords = RecordedLastWords()
    let clock = TestClock()
    var crashReports: [CrashReport] = []
    let network = ScriptedNetwork(scripts, anyOrder: transcript.anyOrder, chunking: chunking, clock: clock) { item, script in
      crashReports.append(CrashReport(item: item, script: script, words: lastWords.words.last))
    }
    let stage = Stage(
      transcript, network: network, lastWords: losesLastWords ? RecordedLastWords() : lastWords, clock: clock,
      chunking: chunking)
    // Nonces of null bytes: their base64 is nothing but A.
    let reports = withRandomBytes([0]) { stage.perform() }
    return network.problems + stage.problems + problems(in: reports) + problems(in: crashReports, lastWords, reports)
  }

  // MARK: reports

  private func problems(in reports: Reports) -> [ScriptProblem] {
    let got = (reports.recipients + [reports.message]).map { [$0.kind.rawValue] + $0.text }
    guard got != transcript.reports.map(\.bytes) || reports.wire != wire(transcript.reports) else { return [] }
    let line = zip(transcript.reports, got).first { $0.bytes != $1 }?.0.line ?? transcript.reports.last?.line ?? 1
    let rows = (0..<max(got.count, transcript.reports.count)).flatMap { index in
      row(
        expected: index < transcript.reports.count ? transcript.reports[index].bytes : nil,
        got: index < got.count ? got[index] : nil)
    }
    return [ScriptProblem(line: line, "other reports than expected:\n" + rows.joined(separator: "\n"))]
  }

  private func row(expected: [UInt8]?, got: [UInt8]?) -> [String] {
    if expected == got { return ["    = \(TranscriptText.shown(got ?? []))"] }
    return [
      expected.map { "  expected = \(TranscriptText.shown($0))" }, got.map { "  reported = \(TranscriptText.shown($0))" },
    ].compactMap(\.self)
  }

  private func wire(_ reports: some Sequence<TranscriptLine>) -> [UInt8] { reports.flatMap { $0.bytes + [0] } }

  // MARK: last words

  private func problems(in crashReports: [CrashReport], _ lastWords: RecordedLastWords, _ reports: Reports) -> [ScriptProblem] {
    var problems: [ScriptProblem] = []
    var isOver = false
    for crash in crashReports {
      if crash.item.role == .mail || crash.item.role == .messageEnd { isOver = !isLeft(crash) }
      let isEnd = crash.item.role == .messageEnd || crash.item.role == .quit && (isOver || isLeft(crash))
      if isEnd, let problem = problem(in: crash, reports) { problems.append(problem) }
    }
    // From MAIL on, the delivery has a result of its own, and a crash after it must not report another.
    let final = lastWords.words.last
    // Before it there is none, unless the delivery ended for a reason of its own.
    if isOver ? final != reports.wire : final != nil && final != reports.wire {
      problems.append(
        ScriptProblem(
          line: transcript.reports.last?.line ?? 1,
          "at the end, a crash would report \(final.map { TranscriptText.shown($0) } ?? "nothing of this delivery")"))
    }
    return problems
  }

  /// The lines that tell of mail without authentication, or without TLS after all, in whatever report.
  private var notices: String {
    let lines = transcript.reports.last.map { String(decoding: $0.bytes, as: UTF8.self).split(separator: "\n") } ?? []
    return lines.filter { $0.hasSuffix(", continuing without authentication.") || $0.hasPrefix("Sent in clear: ") }
      .map { "\($0)\n" }.joined()
  }

  /// The server has shown that it has nothing of the message, and is tried again.
  private func isLeft(_ crash: CrashReport) -> Bool {
    transcript.hasLater(crash.item.line, at: crash.script.address, crash.script.port)
  }

  private func problem(in crash: CrashReport, _ reports: Reports) -> ScriptProblem? {
    let expected: [UInt8]
    let isAccepted = transcript.reports.contains { $0.bytes.first == UInt8(ascii: "r") }
    let isPossiblyDelivered = isAccepted || crash.script.messageIsInFlight
    switch crash.item.role {
    // It may have all of it; that it has nothing is seen by its reply.
    case .messageEnd where isLeft(crash):
      if crash.words.map({ String(decoding: $0, as: UTF8.self).contains("Possible duplicate!") }) == true { return nil }
      expected = []
    case .quit where isLeft(crash):
      if crash.words == nil { return nil }
      expected = []
    case .messageEnd where isPossiblyDelivered:
      // With the message in the first flight, nobody has answered for the recipients yet.
      let recipients = crash.script.messageIsInFlight ? [] : transcript.reports.dropLast()
      let died = "ZConnected to \(crash.script.address.text) but connection died. Possible duplicate! (#4.4.2)\n\(notices)"
      expected = wire(recipients) + Array(died.utf8) + [0]
    case .messageEnd:
      // The dot after a refusal of all: nothing was delivered, and saying nothing is a deferral too.
      if crash.words == nil { return nil }
      expected = reports.wire
    default: expected = reports.wire
    }
    guard crash.words != expected else { return nil }
    return ScriptProblem(
      line: crash.item.line,
      """
      a crash at the end of this line would report something else
        expected = \(TranscriptText.shown(expected))
        reported = \(crash.words.map { TranscriptText.shown($0) } ?? "nothing of this delivery")
      """)
  }
}

/// The program around a delivery, as it is in Program, with everything but the delivery made up.
private final class Stage {
  private let transcript: Transcript
  private let network: ScriptedNetwork
  private let lastWords: RecordedLastWords
  private let clock: TestClock
  private let chunking: ScriptChunking
  private let resolver: FakeResolver
  private var directory: [UInt8]?
  private var dialect: Dialect?

  init(
    _ transcript: Transcript, network: ScriptedNetwork, lastWords: RecordedLastWords, clock: TestClock, chunking: ScriptChunking
  ) {
    self.transcript = transcript
    self.network = network
    self.lastWords = lastWords
    self.clock = clock
    self.chunking = chunking
    resolver = FakeResolver(zone: transcript.zone)
  }

  func perform() -> Reports {
    do throws(DeliveryFailure) {
      return try deliver()
    } catch {
      return error.worded(for: dialect ?? .stock).reports
    }
  }

  private func deliver() throws(DeliveryFailure) -> Reports {
    let environment = Environment(transcript.environment)
    let choice = try DialectChoice(operands: transcript.operands, environment: environment) { path in
      self.directory = path
      return ControlDirectory(files: self.transcript.control)
    }
    dialect = choice.dialect
    let envelope = try Envelope(operands: transcript.operands, convention: choice.convention)
    let circumstances = Circumstances(clock: clock, wallSeconds: 1_700_000_000, seed: 1, processID: 4_711)
    let delivery = Delivery(
      hooks: Site.hooks(choice, environment, circumstances),
      resolver: resolver,
      interfaces: FakeInterfaces(transcript.own), network: network, tls: ScriptedTLS(transcript.setup), lastWords: lastWords,
      circumstances: circumstances)
    var plan = try delivery.plan(envelope, choice, environment)
    for index in plan.candidates.indices {
      let policy = ScriptedPolicy.policy(for: plan.candidates[index].exchanger, among: transcript.policies)
      if let policy { plan.candidates[index].tls = policy }
    }
    let source = MemorySource(transcript.message ?? [], transcript.source, pieceLimit: chunking == .oneByte ? 1 : .max)
    return delivery.execute(plan, Message(source, extraHeader: envelope.extraHeader)).reports
  }

  /// What the transcript says besides dialogue and reports.
  var problems: [ScriptProblem] {
    var problems: [ScriptProblem] = []
    if let expected = transcript.directory, expected.bytes != directory {
      problems.append(ScriptProblem(line: expected.line, "the control directory is \((directory ?? []).text)"))
    }
    if let expected = transcript.dialect, expected.bytes != dialect.map({ Bytes($0.rawValue) }) {
      problems.append(ScriptProblem(line: expected.line, "the dialect is \(dialect?.rawValue ?? "none")"))
    }
    if let line = transcript.asksNoDNS, !resolver.rounds.isEmpty {
      let names = resolver.rounds.joined().map { "\($0.name.text) \($0.type)" }
      problems.append(ScriptProblem(line: line, "DNS was asked for \(names.joined(separator: ", "))"))
    }
    return problems
  }
}
