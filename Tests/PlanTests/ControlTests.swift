// The tables of control files and variables, played on a real control directory.
import Foundation
import Support
import Testing

/// A delivery from a control directory on disk.
private func plan(
  _ folder: TemporaryFolder, environment: [String], sender: String = "s@x.y", recipient: String = "r@a.example",
  host: String = "a.example", own: [String] = []
) -> PlanResult {
  let input = PlanInput(
    operands: [host, sender, recipient].map { Array($0.utf8) }, environment: environment.map { Array($0.utf8) },
    zone: """
      a.example A 192.0.2.1 secure
      a.example AAAA NODATA secure
      a.example MX NODATA secure
      b.example MX 12801 mxps.example
      mxps.example A 192.0.2.2
      relay.example A 192.0.2.60
      alias.example CNAME a.example
      """, believesValidation: true, own: own)
  return input.result(folder: folder.path)
}

/// Whether a result has a line, or a report that begins so. `look-ups: ` is about DNS, which a plan has no line for.
private func has(_ result: PlanResult, _ line: String) -> Bool {
  if line.hasPrefix("look-ups: ") { return result.lookupSeconds.map { "look-ups: \($0) s" } == line }
  let lines = result.lines.map { String(decoding: $0, as: UTF8.self) }
  if line.hasPrefix("!") { return !lines.contains { $0.hasPrefix(line.dropFirst()) } }
  return lines.contains { $0 == line || line.hasPrefix("report: ") && $0.hasPrefix(line) }
}

@Suite("Control files")
struct ControlTableTests {
  private func folder(_ row: ControlRow, _ content: [UInt8]?) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    if row.name != "me" { try folder.write("me", "me.test\n") }
    for (name, other) in row.others { try folder.write(name, other) }
    if let content { try folder.write(row.name, content) }
    return folder
  }

  private func result(_ row: ControlRow, _ folder: TemporaryFolder) -> PlanResult {
    plan(folder, environment: row.environment, sender: row.sender, own: row.own)
  }

  @Test("present, absent and malformed", arguments: ControlRow.all)
  func states(_ row: ControlRow) throws {
    let present = result(row, try folder(row, row.present.content))
    #expect(has(present, row.present.line), "\(present.text)")
    let absent = result(row, try folder(row, nil))
    #expect(has(absent, row.absent), "\(absent.text)")
    let malformed = result(row, try folder(row, row.malformed.content))
    #expect(has(malformed, row.malformed.line), "\(malformed.text)")
    // A row whose file changes nothing would prove nothing.
    #expect(!has(absent, row.present.line) && !has(present, row.absent))
    #expect(!has(malformed, row.present.line))
  }

  /// Root reads everything, so the file that can't be read is a folder.
  @Test("there and unreadable: deferred, and named", arguments: ControlRow.all)
  func unreadable(_ row: ControlRow) throws {
    let folder = try folder(row, nil)
    try FileManager.default.createDirectory(atPath: "\(folder.path)/\(row.name)", withIntermediateDirectories: false)
    let result = result(row, folder)
    #expect(has(result, "report: ZUnable to read control files. (#4.3.0)\ncontrol/\(row.name): "), "\(result.text)")
  }

  @Test("no file and no variable has two rows, or a row and an owner")
  func once() {
    let files = ControlRow.all.map(\.name) + Owner.allCases.flatMap(\.files)
    #expect(Set(files).count == files.count)
    let variables = VariableRow.all.map(\.name) + ["CONTROLDIR"] + Owner.allCases.flatMap(\.variables)
    #expect(Set(variables).count == variables.count)
  }
}

@Suite("Variables")
struct VariableTableTests {
  private func result(_ row: VariableRow, _ value: String?) throws -> PlanResult {
    let folder = try TemporaryFolder()
    try folder.write("me", "me.test\n")
    for (name, content) in row.control { try folder.write(name, content + "\n") }
    try FileManager.default.createDirectory(atPath: "\(folder.path)/folder", withIntermediateDirectories: false)
    return plan(
      folder, environment: row.environment + (value.map { ["\(row.name)=\($0)"] } ?? []), recipient: row.recipient,
      host: row.host)
  }

  @Test("set, set to nothing, unset and malformed", arguments: VariableRow.all)
  func states(_ row: VariableRow) throws {
    let present = try result(row, row.present.value)
    #expect(has(present, row.present.line), "\(present.text)")
    let empty = try result(row, "")
    #expect(has(empty, row.empty), "\(empty.text)")
    let absent = try result(row, nil)
    #expect(has(absent, row.absent), "\(absent.text)")
    #expect(!has(absent, row.present.line))
    guard let malformed = row.malformed else { return }
    let wrong = try result(row, malformed.value)
    #expect(has(wrong, malformed.line), "\(wrong.text)")
    #expect(!has(wrong, row.present.line))
  }

  @Test("a variable that names what can't be read defers", arguments: VariableRow.all.filter(\.isFileName))
  func unreadable(_ row: VariableRow) throws {
    let result = try result(row, "folder")
    #expect(has(result, "report: ZUnable to read control files. (#4.3.0)\ncontrol/folder: "), "\(result.text)")
  }

  @Test("CONTROLDIR: set, set to nothing, unset")
  func controlDirectory() {
    func directory(_ environment: [String]) -> [UInt8] {
      PlanInput(
        operands: ["192.0.2.1", "s@x", "r@y"].map { Array($0.utf8) }, environment: environment.map { Array($0.utf8) },
        control: ["me": [109]]
      ).result().directory
    }
    #expect(directory(["CONTROLDIR=/srv/control"]) == Array("/srv/control".utf8))
    #expect(directory(["CONTROLDIR="]) == Array("/var/qmail/control".utf8))
    #expect(directory([]) == Array("/var/qmail/control".utf8))
    // No directory is no file: there is no name to greet with.
    let missing = PlanInput(operands: ["192.0.2.1", "s@x", "r@y"].map { Array($0.utf8) }).result(folder: "/nowhere/at/all")
    #expect(has(missing, "report: ZUnable to read control files. (#4.3.0)\ncontrol/me: there is none"))
  }
}
