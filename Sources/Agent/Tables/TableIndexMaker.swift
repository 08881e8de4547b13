// Makes the index of a large table, in memory that doesn't grow with the table: the table is gone over once for the records, and again
// for every few of the hash tables. Knows lines and keys, not what stands behind them.
internal import CSystem

/// One index in the making.
struct TableIndexMaker {
  private let table: LargeTable
  private let folds: Bool
  private let style: TableIndexStyle
  private var output: IndexOutput
  /// How many records each hash table is for.
  private var counts = [Int](repeating: 0, count: TableIndexLayout.tableCount)
  private var header = Bytes()
  private var checksums = Bytes()

  /// How many places are collected at a time.
  private static let batchLimit = 131_072

  /// - Parameters:
  ///   - folds: capitals in keys are small letters.
  ///   - descriptor: of an empty file, open for reading and writing.
  /// - Returns: whether there is an index in it now. There is none of a table that is too large, or that changes meanwhile.
  static func make(_ table: LargeTable, folds: Bool, _ style: TableIndexStyle, descriptor: Int32) -> Bool {
    var maker = TableIndexMaker(
      table: table, folds: folds, style: style,
      output: IndexOutput(descriptor: descriptor, position: TableIndexLayout.head))
    do throws(DeliveryFailure) {
      try maker.writeRecords()
      try maker.writeTables()
      try maker.writeHead()
      return table.isUnchanged
    } catch {
      return false
    }
  }

  private func forEachRecord(_ body: (IndexRecord) throws(DeliveryFailure) -> Void) throws(DeliveryFailure) {
    try table.forEachLine { line throws(DeliveryFailure) in
      guard line.hasKey else { return }
      try body(IndexRecord(line, folds: folds))
      if style == .skarnet, let route = SkarnetRoute(line) { try body(IndexRecord(route)) }
    }
  }

  private mutating func writeRecords() throws(DeliveryFailure) {
    var counts = counts
    var output = output
    try forEachRecord { record throws(DeliveryFailure) in
      counts[record.table] += 1
      try output.append(record.bytes)
    }
    try output.flush()
    self.output = output
    self.counts = counts
  }

  private mutating func writeTables() throws(DeliveryFailure) {
    var first = 0
    while first < counts.count {
      var end = first + 1
      while end < counts.count, counts[first...end].reduce(0, +) <= TableIndexMaker.batchLimit { end += 1 }
      for places in try places(first..<end) {
        let slots = try SlotTable(places, output).bytes
        header.appendLittle(UInt32(truncatingIfNeeded: output.position))
        header.appendLittle(UInt32(truncatingIfNeeded: slots.count / 8))
        checksums.appendLittle(slots.checksum)
        try output.append(slots)
      }
      first = end
    }
    try output.flush()
  }

  /// The hashes and positions of the records that some of the hash tables are for.
  private func places(_ tables: Range<Int>) throws(DeliveryFailure) -> [[IndexPlace]] {
    var places = tables.map { table in
      var places: [IndexPlace] = []
      places.reserveCapacity(counts[table])
      return places
    }
    var position = TableIndexLayout.head
    try forEachRecord { record in
      if tables.contains(record.table) {
        places[record.table - tables.lowerBound].append(
          IndexPlace(hash: record.hash, position: UInt32(truncatingIfNeeded: position)))
      }
      position += record.size
    }
    return places
  }

  /// At last: without it, what has been written is no index.
  private func writeHead() throws(DeliveryFailure) {
    var head = Bytes(repeating: 0, count: TableIndexLayout.head)
    head.replaceSubrange(..<TableIndexLayout.headerSize, with: header)
    head.replaceSubrange(TableIndex.checksums, with: checksums)
    guard let stamped = TableIndex.head(like: head, of: table.identity, folds: folds, size: output.position) else { return }
    var start = IndexOutput(descriptor: output.descriptor, position: 0)
    try start.append(stamped)
    try start.flush()
  }
}

/// One record of a line.
struct IndexRecord {
  private enum Content {
    case line(FoundLine, folds: Bool)
    case route(SkarnetRoute)
  }

  private let content: Content
  let hash: UInt32
  let size: Int

  private static let prefixHash = [TableIndexLayout.keyPrefix].tableHash

  init(_ line: FoundLine, folds: Bool) {
    content = .line(line, folds: folds)
    hash = line.hash(after: IndexRecord.prefixHash, folds: folds)
    size = TableIndexLayout.recordSize(keyLength: line.key)
  }

  init(_ route: SkarnetRoute) {
    content = .route(route)
    hash = route.key.tableHash
    size = 8 + route.key.count + route.data.count
  }

  /// Which hash table it is in.
  var table: Int { Int(hash & 0xff) }

  var bytes: Bytes {
    var bytes = Bytes()
    bytes.reserveCapacity(size)
    switch content {
    case .line(let line, let folds):
      bytes.appendLittle(UInt32(1 + line.key))
      bytes.appendLittle(UInt32(TableIndexLayout.recordDataSize))
      bytes.append(TableIndexLayout.keyPrefix)
      line.appendKey(to: &bytes, folds: folds)
      bytes.appendLittle(UInt64(line.offset))
      bytes.appendLittle(UInt64(line.number))
      bytes.appendLittle(bytes.checksum)
    case .route(let route):
      bytes.appendLittle(UInt32(route.key.count))
      bytes.appendLittle(UInt32(route.data.count))
      bytes += route.key + route.data
    }
    return bytes
  }
}

/// A record's hash and where it is.
struct IndexPlace {
  let hash: UInt32
  let position: UInt32
}

/// One of the hash tables: half of its slots are free. Of equal keys it has one.
private struct SlotTable {
  private var slots: [IndexPlace]
  private let output: IndexOutput

  init(_ places: [IndexPlace], _ output: IndexOutput) throws(DeliveryFailure) {
    guard places.count <= TableIndexLayout.slotLimit / 2 else { throw .systemResources(EFBIG) }
    self.output = output
    slots = Array(repeating: IndexPlace(hash: 0, position: 0), count: 2 * places.count)
    // Keys that somebody has chosen for their hashes are not worth the time.
    var patience = 64 * places.count
    for place in places { try insert(place, &patience) }
  }

  private mutating func insert(_ place: IndexPlace, _ patience: inout Int) throws(DeliveryFailure) {
    var slot = Int(place.hash >> 8) % slots.count
    while slots[slot].position != 0 {
      if slots[slot].hash == place.hash, let key = key(at: place.position), key == self.key(at: slots[slot].position) {
        // The last line of equals wins; for the other program it is the first.
        if key.first == TableIndexLayout.keyPrefix { slots[slot] = place }
        return
      }
      patience -= 1
      guard patience > 0 else { throw .systemResources(EFBIG) }
      slot = (slot + 1) % slots.count
    }
    slots[slot] = place
  }

  private func key(at position: UInt32) -> Bytes? {
    guard let count = output.read(at: Int(position), count: 4)?.little32(at: 0) else { return nil }
    return output.read(at: Int(position) + 8, count: Int(count))
  }

  var bytes: Bytes {
    var bytes = Bytes()
    bytes.reserveCapacity(8 * slots.count)
    for place in slots {
      bytes.appendLittle(place.hash)
      bytes.appendLittle(place.position)
    }
    return bytes
  }
}

/// Writes from some position on, a block at a time.
private struct IndexOutput {
  let descriptor: Int32
  /// Of the next byte.
  private(set) var position: Int
  private var buffer = Bytes()

  private static let blockSize = 65_536

  init(descriptor: Int32, position: Int) {
    self.descriptor = descriptor
    self.position = position
  }

  /// - Throws: 4.3.0 when it can't be written, or when it gets larger than a cdb can be.
  mutating func append(_ bytes: Bytes) throws(DeliveryFailure) {
    guard position + bytes.count <= Int(UInt32.max) else { throw .systemResources(EFBIG) }
    buffer += bytes
    position += bytes.count
    if buffer.count >= IndexOutput.blockSize { try flush() }
  }

  mutating func flush() throws(DeliveryFailure) {
    var done = 0
    while done < buffer.count {
      let count = unsafe buffer[done...].withUnsafeBytes { rest in
        unsafe csys_pwrite(descriptor, rest.baseAddress, rest.count, off_t(position - rest.count))
      }
      guard count > 0 else { throw .systemResources(csys_errno()) }
      done += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// What has been written; nil when it isn't there.
  func read(at position: Int, count: Int) -> Bytes? {
    let bytes = FileDescriptor.read(descriptor, at: off_t(position), limit: count)
    return bytes?.count == count ? bytes : nil
  }
}
