// A table that is too large to be kept in memory: each look-up goes over the file again, which takes milliseconds for a million lines.
// Knows lines and keys, not what stands behind them.
internal import CSystem

/// Which file it is, and which version of it: whatever is done to a file changes one of these.
struct FileIdentity: Equatable {
  let device: UInt64
  let inode: UInt64
  let size: Int
  /// Seconds and nanoseconds since 1970 of the last change of the content, and of the last change of anything.
  let modified: [Int64]
  let changed: [Int64]

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int(status.st_size)
    modified = [Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec)]
    changed = [Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec)]
  }
}

/// A regular file that is open for reading.
struct OpenedFile: ~Copyable {
  let descriptor: FileDescriptor
  let identity: FileIdentity
}

/// A large control file.
final class LargeTable {
  private let name: String
  private let descriptor: FileDescriptor
  let identity: FileIdentity

  /// Files of this size and more; smaller ones are kept in memory.
  static let size = 65_536

  init(name: String, _ opened: consuming OpenedFile) {
    self.name = name
    identity = opened.identity
    descriptor = opened.descriptor
  }

  func place(line number: Int) -> String { "\(ControlFile.place(name)):\(number)" }

  /// Looks for lines with the keys of some questions, in one pass over the file.
  func search(for answers: inout KeyAnswers) throws(DeliveryFailure) {
    let search = LineSearch(keys: try LineKeys(answers.keys, folds: answers.folds))
    guard try search.lines(of: descriptor.number, { answers.take($0) }) else { throw .controlUnreadable(name, csys_errno()) }
  }
}

extension KeyAnswers {
  /// Only a line that changes an answer is copied.
  mutating func take(_ line: FoundLine) {
    guard wants(line.key) else { return }
    take(Line(number: line.number, text: line.trimmed, isTooLong: line.isTooLong), key: line.key)
  }
}
