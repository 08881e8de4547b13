// Searches the lines of a table for keys, in memory or block by block from a file, so that a table of any size takes the memory of one
// block. Knows lines and keys, not what stands behind them.
//
// An island of unsafe code around csys_lines_next. Why it is safe: a block is alive while its search runs, because it is a buffer of
// this file that only leaves with its owner, or an array inside of withUnsafeBytes; the C side reads between the block's beginning and
// the count given with it (lines.c); and the line that `found` gets lies in the block, as `line` and `length` say.
internal import CSystem

/// Keys to search for, each before a colon at the beginning of a line.
@safe final class LineKeys {
  fileprivate let handle: OpaquePointer

  /// - Parameter folds: ASCII case doesn't count.
  /// - Throws: 4.3.0 when there is no memory.
  init(_ keys: [Bytes], folds: Bool) throws(DeliveryFailure) {
    guard let handle = unsafe csys_keys_new(folds ? 1 : 0) else { throw .systemResources(ENOMEM) }
    unsafe self.handle = handle
    for key in keys {
      let status = unsafe key.withUnsafeBytes { unsafe csys_keys_add(handle, $0.baseAddress, $0.count) }
      guard status == 0 else { throw .systemResources(ENOMEM) }
    }
  }

  deinit { unsafe csys_keys_free(handle) }

  /// Which key a line has, whatever kind of line it is; nil for none.
  func key(of line: Bytes) -> Int? {
    var key = 0
    return unsafe line.withUnsafeBytes { unsafe csys_keys_match(handle, $0.baseAddress, $0.count, &key) } != 0 ? key : nil
  }
}

/// A line that was found. Valid until the search goes on.
@safe struct FoundLine {
  /// Its key, counted from 0; when all lines are wanted, the length of its key.
  let key: Int
  /// Counted from 1.
  let number: Int
  /// Of its first byte, from the beginning of the file.
  let offset: Int
  /// A null byte ends it.
  let endsInNull: Bool
  /// Without its end, at most one byte more than the limit of lines.
  private let text: UnsafeRawBufferPointer

  fileprivate init(_ lines: csys_lines, _ block: UnsafePointer<UInt8>, offset: Int) {
    key = unsafe lines.key
    number = unsafe Int(clamping: lines.number)
    self.offset = unsafe offset + lines.line
    endsInNull = unsafe lines.ends_in_null != 0
    let seen = unsafe min(lines.length, LineSearch.limit + 1)
    unsafe text = UnsafeRawBufferPointer(start: block + lines.line, count: seen)
  }

  var bytes: Bytes { unsafe Bytes(text) }

  /// It is longer than a line can be.
  var isTooLong: Bool { unsafe text.count > LineSearch.limit }
}

/// For lines of a search for all.
extension FoundLine {
  /// There is a colon, and a key before it.
  var hasKey: Bool { unsafe key < text.count }

  /// Goes on with the hash of a cdb.
  func hash(after start: UInt32, folds: Bool) -> UInt32 {
    unsafe csys_table_hash(start, text.baseAddress, min(key, text.count), folds ? 1 : 0)
  }

  func appendKey(to bytes: inout Bytes, folds: Bool) {
    let key = unsafe text[..<min(key, text.count)]
    if folds { unsafe bytes.append(contentsOf: key.lazy.map(\.lowered)) } else { unsafe bytes.append(contentsOf: key) }
  }
}

/// A search for lines with keys, or for all lines that have one.
struct LineSearch {
  typealias Found = (FoundLine) throws(DeliveryFailure) -> Void

  /// nil for all.
  let keys: LineKeys?

  /// No line of use is longer.
  static let limit = Int(csys_line_limit)

  /// Searches a whole table.
  func lines(of bytes: Bytes, _ found: Found) throws(DeliveryFailure) {
    var lines = unsafe LineSearch.beginning
    try unsafe bytes.withUnsafeBufferPointer { buffer throws(DeliveryFailure) in
      guard let block = buffer.baseAddress else { return }
      unsafe csys_lines_begin(&lines, block, buffer.count, 1)
      while unsafe csys_lines_next(&lines, keys?.handle) != 0 { try found(unsafe FoundLine(lines, block, offset: 0)) }
    }
  }

  /// Searches a file from its beginning; the descriptor's own position doesn't move.
  /// - Returns: whether it could be read to its end; if not, errno says why.
  func lines(of descriptor: Int32, _ found: Found) throws(DeliveryFailure) -> Bool {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: LineSearch.blockSize)
    defer { unsafe block.deallocate() }
    var lines = unsafe LineSearch.beginning
    /// Where the block begins in the file, and how much of it is left from the last one.
    var offset = 0
    var kept = 0
    while true {
      let count = unsafe csys_pread(descriptor, block + kept, LineSearch.blockSize - kept, off_t(offset + kept))
      guard count >= 0 else { return false }
      unsafe csys_lines_begin(&lines, block, kept + count, count == 0 ? 1 : 0)
      while unsafe csys_lines_next(&lines, keys?.handle) != 0 { try found(unsafe FoundLine(lines, block, offset: offset)) }
      if count == 0 { return true }
      if unsafe csys_lines_cut(&lines, keys?.handle) != 0 { try found(unsafe FoundLine(lines, block, offset: offset)) }
      let done = unsafe lines.next
      kept += count - done
      offset += done
      unsafe memmove(block, block + done, kept)
    }
  }

  private static var beginning: csys_lines {
    var lines = unsafe csys_lines()
    unsafe lines.next_number = 1
    return unsafe lines
  }

  /// Twice the limit of lines, so that reading goes on while there is a line to be finished; what the second-level cache of a processor
  /// holds.
  private static let blockSize = 2 * limit
}
