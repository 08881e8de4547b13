// Programs that a test writes and lets be run, and what is left of them.
import Foundation

extension TemporaryFolder {
  /// Writes a program, and makes the folders on its way.
  ///
  /// Another process writes the file: a descriptor of ours that is open for writing would be in whatever another test forks meanwhile, and
  /// a file that is open for writing can't be run.
  /// - Returns: its path.
  @discardableResult
  public func install(_ name: String, _ content: some Collection<UInt8>, mode: String = "755") throws -> String {
    let path = "\(path)/\(name)"
    let commands = #"mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1""#
    var start = ProgramStart("/bin/sh", ["-c", commands, "sh", path, mode])
    start.environment = ["PATH": "/usr/bin:/bin"]
    start.input = .pipe(Array(content))
    let finished = try SpawnedProcess(start).finish()
    guard finished.ending == .exited(0) else { throw SpawnFault(description: String(decoding: finished.errors, as: UTF8.self)) }
    return path
  }

  @discardableResult
  public func install(_ name: String, _ content: String, mode: String = "755") throws -> String {
    try install(name, Array(content.utf8), mode: mode)
  }
}

/// A word that a test puts into the environment of what it starts, to find all of it again.
public struct ProcessMarker: Sendable {
  /// The variable.
  public static let name = "QMAILREMOTE_TEST_MARKER"
  public let value = "marker-\(UUID().uuidString)"

  public init() {}

  /// The processes that have the word in their environment or operands, and their command lines.
  public func survivors() throws -> [String] {
    let word = Data(value.utf8)
    let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { Int($0) != nil }
    return processes.compactMap { process in
      let parts = ["environ", "cmdline"].map { FileManager.default.contents(atPath: "/proc/\(process)/\($0)") ?? Data() }
      guard parts.contains(where: { $0.range(of: word) != nil }) else { return nil }
      return "\(process) \(String(decoding: parts[1], as: UTF8.self).replacingOccurrences(of: "\0", with: " "))"
    }
  }
}
