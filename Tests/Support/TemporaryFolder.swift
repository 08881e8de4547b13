// A folder of one test, gone when the test lets go of it.
import Foundation

public final class TemporaryFolder: Sendable {
  public let path: String

  /// - Parameter mode: servers that run as other users have to get in.
  public init(mode: mode_t = 0o755) throws {
    var template = Array((FileManager.default.temporaryDirectory.path + "/qmail-remote-test.XXXXXX").utf8CString)
    guard let made = mkdtemp(&template) else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    path = String(cString: made)
    chmod(path, mode)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and makes the folders on its way.
  /// - Returns: its path.
  @discardableResult
  public func write(_ name: String, _ content: some Collection<UInt8>) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(content).write(to: URL(fileURLWithPath: file))
    return file
  }

  @discardableResult
  public func write(_ name: String, _ content: String) throws -> String { try write(name, Array(content.utf8)) }

  public func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)"))) }
}
