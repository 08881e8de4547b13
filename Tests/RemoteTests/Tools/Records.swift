// Records of deliveries as a reader gets them: checked against their schema, then taken apart.
import Foundation
import Support
import Testing

/// One object of a record.
struct RecordObject {
  private let members: [String: Any]

  init(_ value: Any?) throws { members = try #require(value as? [String: Any]) }

  /// - Parameter path: names, divided by dots.
  func value(_ path: String) -> Any? {
    var value: Any? = members
    for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
    return value is NSNull ? nil : value
  }

  func text(_ path: String) -> String? { value(path) as? String }
  func number(_ path: String) -> Int? { value(path) as? Int }
  func objects(_ path: String) throws -> [RecordObject] { try (value(path) as? [Any] ?? []).map { try RecordObject($0) } }
}

enum Records {
  /// The records of a file, if all of them are as they should be.
  static func read(_ bytes: [UInt8], at location: SourceLocation = #_sourceLocation) throws -> [RecordObject] {
    var start = ProgramStart("/usr/bin/python3", [TestScripts.path("record.py")])
    start.input = .pipe(bytes)
    let checked = try SpawnedProcess(start).finish()
    #expect(visible(checked.errors) == "", sourceLocation: location)
    #expect(checked.ending == .exited(0), sourceLocation: location)
    let lines = bytes.split(separator: 10)
    #expect(visible(checked.output) == "\(lines.count)\\n", sourceLocation: location)
    return try lines.map { try RecordObject(JSONSerialization.jsonObject(with: Data($0))) }
  }
}
