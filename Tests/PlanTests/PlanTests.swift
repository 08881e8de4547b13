// Every golden plan in the folder beside this file, and proof that a plan which is another one is noticed.
import Foundation
import Support
import Testing

/// A plan's file, as far as it could be read.
struct PlanCase: Sendable, CustomTestStringConvertible {
  let path: String
  let content: Result<PlanFile, TranscriptError>

  var testDescription: String { URL(filePath: path).lastPathComponent }

  /// What is wrong with the plan; a file that can't be read is wrong too.
  func problems() -> [ScriptProblem] {
    do {
      return try content.get().problems()
    } catch {
      return [ScriptProblem(line: error.line, error.words)]
    }
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Plans").path

  static let files: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".plan") }.sorted()
  }()

  static let all: [PlanCase] = files.map { name in
    let path = "\(folder)/\(name)"
    return PlanCase(path: path, content: Result { () throws(TranscriptError) in try PlanFile(text: text(path)) })
  }

  static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

@Suite("Golden plans")
struct GoldenPlanTests {
  @Test("a delivery is planned as the file has it", arguments: PlanCase.all)
  func plan(_ plan: PlanCase) {
    for problem in plan.problems() {
      Issue.record(
        "\(plan.path):\(problem.line): \(problem.words)",
        sourceLocation: SourceLocation(
          fileID: "PlanTests/\(URL(filePath: plan.path).lastPathComponent)", filePath: plan.path, line: max(problem.line, 1),
          column: 1))
    }
  }

  /// Without this, a moved folder would make every test above pass.
  @Test("the plans are there, and numbered") func filesAreThere() {
    #expect(PlanCase.files.count >= 60)
    let numbers = PlanCase.files.map { $0.prefix { $0 != "-" } }
    #expect(numbers.allSatisfy { $0.count == 3 && Int($0) != nil })
    #expect(Set(numbers).count == numbers.count, "two plans have one number")
  }

  @Test("no plan shows a password") func noSecrets() {
    for plan in PlanCase.all {
      guard case .success(let file) = plan.content else { continue }
      #expect(!file.input.result().text.contains("hunter2"), "\(plan.testDescription)")
    }
  }
}

@Suite("The reader of plans")
struct PlanReaderTests {
  /// Any one line of any plan, changed or left out, is a problem of that line.
  @Test("a changed line fails", arguments: PlanCase.all)
  func changedLine(_ plan: PlanCase) throws {
    // A plan that is wrong as it is has its own failure above.
    guard plan.problems().isEmpty else { return }
    let lines = PlanCase.text(plan.path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (index, line) in lines.enumerated() where line.hasPrefix("= ") {
      var changed = lines
      changed[index] += "x"
      let problems = try PlanFile(text: changed.joined(separator: "\n")).problems()
      #expect(problems.map(\.line) == [index + 1])
      #expect(problems.first?.words.contains("  - \(line.dropFirst(2))x") == true)
      changed.remove(at: index)
      guard changed.contains(where: { $0.hasPrefix("= ") }) else { continue }
      #expect(!(try PlanFile(text: changed.joined(separator: "\n")).problems().isEmpty))
    }
  }

  @Test("a difference shows what is missing, what is too much, and what is common")
  func difference() throws {
    let text = """
      # one line too many, one missing, one changed
      $ qmail-remote [192.0.2.1] s@x r@y
      control/me: me.test
      = dialect: stock
      = hello: you.test
      = host: [192.0.2.1]
      = sender: <s@x>
      = recipient: <r@y>
      = recipient: <r@z>
      = time: 60 s to connect, 1200 s for each reply
      = family: 6
      = back-off: 3600 s after failures of 120 s
      = exchanger: 0 [192.0.2.1], not validated, 192.0.2.1
      = tls: may (the default of dialect stock)
      = candidate 1: 192.0.2.1 port 25, [192.0.2.1], preference 0
      """
    let problem = try #require(try PlanFile(text: text).problems().first)
    #expect(problem.line == 5)
    #expect(
      problem.words == """
        another plan than expected:
            dialect: stock
          - hello: you.test
          + hello: me.test
            host: [192.0.2.1]
            sender: <s@x>
            recipient: <r@y>
          - recipient: <r@z>
          + route: none, so the mail exchangers of the host
            time: 60 s to connect, 1200 s for each reply
            family: 6
            back-off: 3600 s after failures of 120 s
            exchanger: 0 [192.0.2.1], not validated, 192.0.2.1
            tls: may (the default of dialect stock)
            candidate 1: 192.0.2.1 port 25, [192.0.2.1], preference 0
        """)
  }

  @Test(
    "facts besides the plan are checked",
    arguments: [
      ("directory: /elsewhere", 3), ("header: X: 1\\n", 3), ("size: 12", 3), ("dns none", 3),
      ("directory: /var/qmail/control", 0),
      ("size: none", 0),
    ])
  func facts(_ line: String, _ wrongLine: Int) throws {
    let text = """
      # facts
      $ qmail-remote a.example s@x r@y
      \(line)
      control/me: me.test
      dns a.example MX SERVFAIL
      = report: ZSorry, I couldn't find any host by that name. (#4.1.2)
      """
    #expect(try PlanFile(text: text).problems().map(\.line) == (wrongLine == 0 ? [] : [wrongLine]))
  }

  @Test(
    "what is no plan is refused, with its line",
    arguments: [
      ("", 1), ("no title\n$ qmail-remote a\n= x", 1), ("# t\n= x", 1), ("# t\n$ qmail-remote a", 1), ("# t\n$ mail a\n= x", 2),
      ("# t\n$ qmail-remote a\n$ qmail-remote b\n= x", 3), ("# t\nnonsense\n", 2), ("# t\ndns a.example NS b\n", 2),
      ("# t\ncdb/x: key\n", 2), ("# t\ntable/x: key\n", 2), ("# t\n= x \n", 2),
    ])
  func refusals(_ text: String, _ line: Int) {
    #expect { try PlanFile(text: text) } throws: { ($0 as? TranscriptError)?.line == line }
  }
}
