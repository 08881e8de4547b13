// The index of a large table: a constant database (cdb) that says for each key where its line is. It holds no routes: what it finds is
// read from the table itself, and believed only if the key stands there. Knows lines and keys, not what stands behind them.
//
// That a key is not in the index sends mail elsewhere just as well, so that has to be certain too: all that a search reads has a
// checksum. Whatever is wrong, the index is of no use, and the table is gone over as if there were none.
internal import CSystem

/// How an index is laid out: the header of a cdb, the stamp (a record of its own, and the first), a record for each line, the hash tables.
enum TableIndexLayout {
  static let tableCount = 256
  static let headerSize = 8 * tableCount
  /// No line has a line feed in it, so no line's key is this one.
  static let stampKey = Bytes("\n\nqmail-remote, version 1")
  /// What the index is of, whether case counts, how large the index is, a checksum for each hash table, and one for all of this.
  static let stampDataSize = FileIdentity.size + 8 + 8 + 8 * tableCount + 8
  static let stampSize = 8 + stampKey.count + stampDataSize
  static let head = headerSize + stampSize

  /// Before the key of a line, so that it is no key of another program's.
  static let keyPrefix: UInt8 = 10
  /// Where the line begins, its number, and a checksum of the record.
  static let recordDataSize = 24

  static func recordSize(keyLength: Int) -> Int { 8 + 1 + keyLength + recordDataSize }

  /// Larger hash tables are not read for a look-up: the table is so large that it has no index.
  static let slotLimit = 1 << 15

  static let hashStart: UInt32 = 5_381
}

/// An index that is open, and fits its table.
struct TableIndex: ~Copyable {
  enum Finding: Equatable {
    case line(offset: Int, number: Int)
    case nothing
    /// The index can't be believed.
    case damaged
  }

  private let descriptor: FileDescriptor
  private let head: Bytes

  /// nil when it is no index, or one of another table, or of another version of it.
  /// - Parameter folds: capitals in keys are small letters.
  init?(_ opened: consuming OpenedFile, of table: FileIdentity, folds: Bool) {
    let size = opened.identity.size
    guard let head = FileDescriptor.read(opened.descriptor.number, at: 0, limit: TableIndexLayout.head),
      head == TableIndex.head(like: head, of: table, folds: folds, size: size)
    else { return nil }
    self.head = head
    descriptor = opened.descriptor
  }

  /// The head that an index would have whose hash tables are those of another head.
  static func head(like other: Bytes, of table: FileIdentity, folds: Bool, size: Int) -> Bytes? {
    guard other.count == TableIndexLayout.head else { return nil }
    let checksums = TableIndex.checksums
    var head = Bytes(other[..<TableIndexLayout.headerSize])
    head.appendLittle(UInt32(TableIndexLayout.stampKey.count))
    head.appendLittle(UInt32(TableIndexLayout.stampDataSize))
    head += TableIndexLayout.stampKey + table.bytes
    head.appendLittle(UInt64(folds ? 1 : 0))
    head.appendLittle(UInt64(size))
    head += other[checksums]
    head.appendLittle(head.checksum)
    return head
  }

  /// Where the checksums of the hash tables stand in the head.
  static let checksums = (TableIndexLayout.head - 8 - 8 * TableIndexLayout.tableCount)..<(TableIndexLayout.head - 8)

  /// - Parameter key: folded if the index is.
  func find(_ key: Bytes) -> Finding {
    let key = [TableIndexLayout.keyPrefix] + key
    let hash = key.tableHash
    let number = Int(hash & 0xff)
    guard let position = head.little32(at: 8 * number), let slots = head.little32(at: 8 * number + 4),
      let checksum = head.little64(at: TableIndex.checksums.lowerBound + 8 * number)
    else { return .damaged }
    guard slots > 0 else { return .nothing }
    guard slots <= TableIndexLayout.slotLimit, let table = read(at: Int(position), count: 8 * Int(slots)),
      table.checksum == checksum
    else { return .damaged }
    for step in 0..<slots {
      let slot = 8 * Int((hash >> 8 + step) % slots)
      guard let found = table.little32(at: slot), let position = table.little32(at: slot + 4) else { return .damaged }
      if position == 0 { return .nothing }
      if found == hash { return record(at: Int(position), key: key) }
    }
    return .nothing
  }

  /// Two keys of one hash are so rare that the table may be gone over for them.
  private func record(at position: Int, key: Bytes) -> Finding {
    var wanted = Bytes()
    wanted.appendLittle(UInt32(key.count))
    wanted.appendLittle(UInt32(TableIndexLayout.recordDataSize))
    wanted += key
    guard let record = read(at: position, count: wanted.count + TableIndexLayout.recordDataSize), record.starts(with: wanted),
      let offset = record.little64(at: wanted.count), let number = record.little64(at: wanted.count + 8),
      Bytes(record.dropLast(8)).checksum == record.little64(at: wanted.count + 16)
    else { return .damaged }
    return .line(offset: Int(clamping: offset), number: Int(clamping: number))
  }

  private func read(at position: Int, count: Int) -> Bytes? {
    let bytes = FileDescriptor.read(descriptor.number, at: off_t(position), limit: count)
    return bytes?.count == count ? bytes : nil
  }
}

extension FileIdentity {
  static let size = 56

  /// As an index holds it.
  var bytes: Bytes {
    var bytes = Bytes()
    for number in [device, inode, UInt64(size)] + (modified + changed).map({ UInt64(bitPattern: $0) }) {
      bytes.appendLittle(number)
    }
    return bytes
  }
}

extension Bytes {
  /// The bytes of a number, the lowest first.
  mutating func appendLittle(_ number: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }

  func little32(at offset: Int) -> UInt32? { little64(at: offset, count: 4).map { UInt32(truncatingIfNeeded: $0) } }

  func little64(at offset: Int) -> UInt64? { little64(at: offset, count: 8) }

  private func little64(at offset: Int, count: Int) -> UInt64? {
    guard offset >= 0, offset <= self.count - count else { return nil }
    return self[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  var checksum: UInt64 { unsafe withUnsafeBytes { unsafe csys_checksum($0.baseAddress, $0.count) } }

  var tableHash: UInt32 {
    unsafe withUnsafeBytes { unsafe csys_table_hash(TableIndexLayout.hashStart, $0.baseAddress, $0.count, 0) }
  }
}
