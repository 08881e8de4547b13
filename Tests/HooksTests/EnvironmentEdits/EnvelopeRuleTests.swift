// Rules by sender and recipient: which apply, in which order, and what can't be followed.
import Agent
import Testing

@testable import Hooks

/// The edits of a site's rules, each as `NAME=value (place)`, or the report.
private func edits(
  _ files: [String: String], sender: String = "s@x.test", recipients: [String] = ["r@y.test"],
  environment: [String: String] = [:]
) -> [String] {
  let control = ControlDirectory(files: files.mapValues(bytes))
  let start = Environment(["ENVRULES_REMOTE": ""].merging(environment) { $1 })
  let question = RouteQuestion(
    host: Domain(bytes("y.test")), sender: Address(bytes(sender)), recipients: recipients.map { Address(bytes($0)) })
  guard let editor = EnvelopeRuleEditor(control, start) else { return ["no editor"] }
  do {
    return try editor.edits(for: question, route: nil, environment: start).flatMap { edits in
      edits.edits.map { edit in
        switch edit {
        case .set(let name, let value): "\(name.text)=\(value.text) (\(edits.source))"
        case .unset(let name): "\(name.text)= (\(edits.source))"
        }
      }
    }
  } catch {
    return [error.report.text.dropLast().text]
  }
}

@Suite struct EnvelopeRuleTests {
  @Test func `only where it is wanted`() {
    let control = ControlDirectory(files: [:])
    #expect(EnvelopeRuleEditor(control, Environment(["ENVRULES": "1"])) == nil)
    #expect(EnvelopeRuleEditor(control, Environment(["ENVRULES_REMOTE": ""])) != nil)
    #expect(edits([:]) == [])
  }

  @Test(
    arguments: [
      ("s@x.test:A=1\n", ["A=1 (control/fromd.envrules:1)"]), ("*:A=1,B=,C=x\\,y\n", nil), ("S@x.test:A=1\n", []),
      ("# *:A=0\n\n*@x.test:A=1\n", ["A=1 (control/fromd.envrules:3)"]), ("*@x.test", []), ("nonsense\n*:A=1", nil),
      // Every line that matches applies, and the last one decides.
      ("*:A=1\ns@*:A=2\nt@*:A=3\n*.test:A=\n", nil), ("*:A=a:b", ["A=a:b (control/fromd.envrules:1)"]), ("*:", []),
      ("<>:A=1\n:A=2\n", []), ("[st]@x.test: A=1, B=2 \n", nil),
    ] as [(String, [String]?)])
  func `lines`(_ file: String, _ expected: [String]?) {
    let others = [
      "*:A=1,B=,C=x\\,y\n": ["A=1", "B=", "C=x,y"].map { "\($0) (control/fromd.envrules:1)" },
      "nonsense\n*:A=1": ["A=1 (control/fromd.envrules:2)"],
      "*:A=1\ns@*:A=2\nt@*:A=3\n*.test:A=\n": [
        "A=1 (control/fromd.envrules:1)", "A=2 (control/fromd.envrules:2)", "A= (control/fromd.envrules:4)",
      ],
      "[st]@x.test: A=1, B=2 \n": ["A=1", "B=2"].map { "\($0) (control/fromd.envrules:1)" },
    ]
    #expect(edits(["fromd.envrules": file]) == expected ?? others[file])
  }

  @Test(
    arguments: [
      ("<>:A=1\n", 1), (":A=1\n", 1), ("*:A=1\n", 1), ("?*:A=1\n", nil), ("s@x.test:A=1\n", nil), ("<>x:A=1\n", nil),
    ] as [(String, Int?)])
  func `the null sender`(_ file: String, _ line: Int?) {
    #expect(edits(["fromd.envrules": file], sender: "") == line.map { ["A=1 (control/fromd.envrules:\($0))"] } ?? [])
  }

  @Test func `the sender's rules, then the recipient's`() {
    let files = [
      "fromd.envrules": "*:A=1,RCPTRULES=other,QREGEX=1\n", "rcpt.envrules": "*:A=2\n", "other": "^r@:A=3\n",
      "third": "r@y.test:B=1\n",
    ]
    #expect(
      edits(files) == [
        "A=1 (control/fromd.envrules:1)", "RCPTRULES=other (control/fromd.envrules:1)", "QREGEX=1 (control/fromd.envrules:1)",
        "A=3 (control/other:1)",
      ])
    #expect(
      edits(files, environment: ["FROMRULES": "none", "RCPTRULES": "third"]) == ["B=1 (control/third:1)"])
    #expect(
      edits(files, environment: ["FROMRULES": "none", "RCPTRULES": "third", "QREGEX": "1"]) == ["B=1 (control/third:1)"])
  }

  /// An empty expression is found in every text; an empty pattern still means the null address alone.
  @Test func `an empty pattern among regular expressions`() {
    #expect(edits(["fromd.envrules": ":A=1\n"], environment: ["QREGEX": "1"]) == [])
    #expect(edits(["fromd.envrules": ":A=1\n"], sender: "", environment: ["QREGEX": "1"]) == ["A=1 (control/fromd.envrules:1)"])
  }

  private static func invalid(_ fault: String, line: Int = 2) -> [String] {
    ["Unable to use control/rcpt.envrules:\(line): \(fault). (#4.3.5)"]
  }

  @Test(
    arguments: [
      ("A\n", [:], invalid("an edit of the environment has no =")),
      ("=1\n", [:], invalid("an edit of the environment has no name")),
      ("PATH=/tmp\n", [:], invalid("PATH may not be edited")),
      ("A=1,LD_PRELOAD=x\n", [:], invalid("LD_PRELOAD may not be edited")),
      ("QMAILREMOTE=x\n", [:], invalid("QMAILREMOTE may not be edited")),
      ("HOOKDIR=\n", [:], invalid("HOOKDIR may not be edited")),
      ("CONTROLDIR=x\n", [:], invalid("CONTROLDIR may not be edited")),
      ("SMTPROUTE=:x\n", [:], invalid("SMTPROUTE may not be edited")),
      ("ENVRULES_REMOTE=\n", [:], invalid("ENVRULES_REMOTE may not be edited")),
      ("A=1\n[x:A=1\n", [:], invalid("its pattern has a [ without its ]", line: 3)),
      (
        "A=1\n(:A=1\n", ["QREGEX": "1"],
        invalid("its regular expression is wrong: Unmatched ( or \\(", line: 3)
      ),
    ] as [(String, [String: String], [String])])
  func `what can't be followed is named`(_ rest: String, _ environment: [String: String], _ expected: [String]) {
    // In a rule for another recipient nobody minds what may not be edited.
    let pattern = environment.isEmpty ? "*" : "."
    let file = "nobody:PATH=x,CONTROLDIR=y\n\(pattern):\(rest)"
    #expect(edits(["rcpt.envrules": file], environment: environment) == expected)
  }
}
