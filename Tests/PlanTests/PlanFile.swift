// A golden plan: what goes into a delivery, and the words in which the plan has to come out. This file reads the format; README.md beside
// the plans explains it.
import Agent
import Auth
import Support

/// Everything that a plan depends on.
struct PlanInput: Sendable {
  var operands: [[UInt8]] = []
  var environment: [[UInt8]] = []
  var control: [String: [UInt8]] = [:]
  var zone = ""
  /// What the resolvers say of DNSSEC is believed.
  var believesValidation = false
  var own: [String] = []
  /// Seconds since 1970.
  var wallSeconds: Int64 = 0
}

/// A golden plan as its file has it.
struct PlanFile: Sendable {
  var input = PlanInput()
  /// The lines after `=`, with their numbers.
  private(set) var expected: [TranscriptLine] = []
  /// What must be true besides, if the file says it.
  private(set) var directory: TranscriptLine?
  private(set) var header: TranscriptLine?
  private(set) var size: TranscriptLine?
  private(set) var asksNoDNS: Int?

  private var databases: [String: [(key: [UInt8], value: [UInt8])]] = [:]
  private var assignments: [UInt8] = []

  init(text: String) throws(TranscriptError) {
    try ScenarioText.read(text, kind: "plan") { line, number throws(TranscriptError) in try take(line, number) }
    guard !input.operands.isEmpty || text.contains("\n$ ") else { throw TranscriptError(line: 1, "no command line ($)") }
    guard !expected.isEmpty else { throw TranscriptError(line: 1, "no plan (=)") }
    try makeDatabases()
  }

  private mutating func take(_ line: Substring, _ number: Int) throws(TranscriptError) {
    let (word, rest) = ScenarioText.divided(line)
    switch word {
    case "$": input.operands = try ScenarioText.operands(rest, isFirst: input.operands.isEmpty)
    case "env": input.environment.append(try TranscriptText.bytes(rest))
    case "dns": try takeZoneLine(rest, number)
    case "own": input.own.append(String(rest))
    case "time:": input.wallSeconds = Int64(rest) ?? 0
    case "remote_auth:": assignments += try TranscriptText.bytes(rest) + [10]
    case "directory:": directory = try PlanFile.fact(rest, number)
    case "header:": header = try PlanFile.fact(rest, number)
    case "size:": size = try PlanFile.fact(rest, number)
    case "=": expected.append(try PlanFile.fact(rest, number))
    default: try takeFileLine(word, rest)
    }
  }

  private static func fact(_ text: Substring, _ number: Int) throws(TranscriptError) -> TranscriptLine {
    TranscriptLine(line: number, bytes: try TranscriptText.bytes(text))
  }

  /// The lines of FakeResolver; `none`: no question may be asked; `validated`: the resolvers are believed.
  private mutating func takeZoneLine(_ text: Substring, _ number: Int) throws(TranscriptError) {
    switch text {
    case "none": asksNoDNS = number
    case "validated": input.believesValidation = true
    default: input.zone += try ScenarioText.zoneLine(text)
    }
  }

  /// `control/name: line`, `control/name= text` without a line end, and `cdb/name: key value` for a record; the key may be quoted.
  private mutating func takeFileLine(_ word: Substring, _ text: Substring) throws(TranscriptError) {
    if let (name, end) = ScenarioText.file(word, in: "control") {
      input.control[name, default: []] += try TranscriptText.bytes(text) + end
    } else if let (name, _) = ScenarioText.file(word, in: "cdb") {
      let words = try TranscriptText.words(text)
      guard words.count >= 2 else { throw TranscriptError("a record has a key and a value") }
      databases[name, default: []].append((words[0], Array(words.dropFirst().joined(separator: [32]))))
    } else {
      throw TranscriptError("no line of a plan starts with \(word)")
    }
  }

  private mutating func makeDatabases() throws(TranscriptError) {
    for (name, records) in databases { input.control[name] = try PlanFile.database(records) }
    if !assignments.isEmpty { input.control["remote_auth.cdb"] = try PlanFile.database(ofAssignments: assignments) }
  }

  /// remote_auth.cdb from its text form, as the program for it makes it.
  static func database(ofAssignments text: [UInt8]) throws(TranscriptError) -> [UInt8] {
    let records: [(key: [UInt8], data: [UInt8])]
    do throws(AssignmentText.Fault) {
      records = try AssignmentText.records(text)
    } catch {
      throw TranscriptError("line \(error.line) of remote_auth is no assignment")
    }
    return try database(records.map { ($0.key, $0.data) })
  }

  static func database(_ records: [(key: [UInt8], value: [UInt8])]) throws(TranscriptError) -> [UInt8] {
    guard let file = TemporaryDatabase() else { throw TranscriptError("no memory for a database") }
    do throws(DeliveryFailure) {
      let maker = try ConstantDatabaseMaker(descriptor: file.descriptor)
      for record in records { try maker.add(record.key, record.value) }
      try maker.finish()
    } catch {
      throw TranscriptError("no database: \(error.report.text)")
    }
    return file.content()
  }
}
