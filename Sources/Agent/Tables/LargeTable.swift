// A table that is too large to be kept in memory: each look-up goes over the file again, which takes milliseconds for a million lines, or
// asks an index of it, if there is one. Knows lines and keys, not what stands behind them.
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

/// A regular file that is open.
struct OpenedFile: ~Copyable {
  let descriptor: FileDescriptor
  let identity: FileIdentity
}

/// A large control file.
final class LargeTable {
  let name: String
  let identity: FileIdentity
  private let descriptor: FileDescriptor
  private let indexes: TableIndexes?

  /// Files of this size and more; smaller ones are kept in memory.
  static let size = 65_536

  init(name: String, _ opened: consuming OpenedFile, _ indexes: TableIndexes? = nil) {
    self.name = name
    self.indexes = indexes
    identity = opened.identity
    descriptor = opened.descriptor
  }

  func place(line number: Int) -> String { "\(ControlFile.place(name)):\(number)" }

  /// Looks for lines with the keys of some questions.
  func search(for answers: inout KeyAnswers) throws(DeliveryFailure) {
    if let answered = indexes?.answer(answers, self) {
      answers = answered
      return
    }
    try go(over: LineSearch(keys: try LineKeys(answers.keys, folds: answers.folds))) { answers.take($0) }
  }

  func forEachLine(_ body: LineSearch.Found) throws(DeliveryFailure) { try go(over: LineSearch(keys: nil), body) }

  private func go(over search: LineSearch, _ body: LineSearch.Found) throws(DeliveryFailure) {
    guard try search.lines(of: descriptor.number, body) else { throw .controlUnreadable(name, csys_errno()) }
  }

  /// Nothing has been done to the file since it was opened.
  var isUnchanged: Bool {
    var status = stat()
    return unsafe fstat(descriptor.number, &status) == 0 && FileIdentity(status) == identity
  }

  /// The line at an offset.
  /// - Returns: nil when there is none with this key.
  func line(at offset: Int, _ number: Int, key: Bytes, folds: Bool) -> KeyAnswers.Line? {
    let lead = min(offset, 1)
    let most = lead + LineSearch.limit + 1
    guard offset >= 0, let keys = try? LineKeys([key], folds: folds) else { return nil }
    for limit in [min(1_024, most), most] {
      guard let bytes = FileDescriptor.read(descriptor.number, at: off_t(offset - lead), limit: limit) else { return nil }
      guard lead == 0 || bytes.first == 0 || bytes.first == UInt8(ascii: "\n") else { return nil }
      let text = bytes.dropFirst(lead).prefix { $0 != 0 && $0 != UInt8(ascii: "\n") }
      // Its end may be further on.
      if text.endIndex == limit, limit < most { continue }
      guard text.first != UInt8(ascii: "#"), keys.key(of: Bytes(text)) != nil else { return nil }
      return KeyAnswers.Line(number: number, text: Bytes(text).trimmedAtEnd, isTooLong: text.count > LineSearch.limit)
    }
    return nil
  }
}

extension KeyAnswers {
  /// Only a line that changes an answer is copied.
  mutating func take(_ line: FoundLine) {
    guard wants(line.key) else { return }
    take(Line(number: line.number, text: line.bytes.trimmedAtEnd, isTooLong: line.isTooLong), key: line.key)
  }
}
