// A table of failing addresses as bytes in memory, and the arithmetic on it. Pure: time and process number come in, what to write comes
// out. The rules are qmail's: qmail-remote(8), qmail-tcpto(8).
internal import Agent

/// What a record says.
struct TimeoutRecord: Equatable, Sendable {
  /// Failures in a row, each apart from the one before by the tolerance; 0 for none.
  let count: Int
  /// Seconds since 1970, of the last one that was counted.
  let time: Int64
}

extension TimeoutRecord {
  /// Another machine's or process's clock may be that far ahead of ours. A time beyond that was written by a clock that was wrong: it
  /// must not keep an address from being used until it comes.
  private static let skew: Int64 = 60

  private func isFromTheFuture(_ now: Int64) -> Bool { time - now > TimeoutRecord.skew }

  /// Whether an address is left alone. One failure may be chance. The end is not the same for all processes, so that the first after it
  /// is alone for a while in finding out whether the address is back.
  func isAvoided(now: Int64, penalty: Int, processID: Int32) -> Bool {
    let jitter = (60 + Int64(processID & 31)) * 64 - 3_600
    return count >= 2 && !isFromTheFuture(now) && now - time < Int64(penalty) + jitter
  }

  /// Whether another failure is the same one still.
  fileprivate func covers(_ now: Int64, tolerance: Int) -> Bool {
    count > 0 && !isFromTheFuture(now) && now - time < Int64(tolerance)
  }
}

/// What to do to a file so that it becomes the table after a change.
struct TableEdit: Equatable, Sendable {
  /// What to cut the file to, before anything is written: a process that is killed in between leaves a table behind, if one without its
  /// last record. nil leaves its size alone, or lets it grow.
  var cut: Int?
  let offset: Int
  let bytes: Bytes
}

/// A table and its layout.
struct TimeoutTable: Sendable {
  let layout: RecordLayout
  private let bytes: Bytes

  static let countLimit = 10

  /// nil when the bytes contradict the layout.
  init?(_ bytes: Bytes, layout: RecordLayout) {
    guard layout.fits(bytes) else { return nil }
    self.layout = layout
    self.bytes = bytes
  }

  /// What is known of an address; nil when it has no record.
  func record(of address: IPAddress) -> TimeoutRecord? { index(of: address).map(record) }

  /// After a failure.
  /// - Returns: nil when nothing changes, because the failure is covered by the last one or there is no room for the address.
  func afterFailure(of address: IPAddress, now: Int64, tolerance: Int) -> TableEdit? {
    guard layout.holds(address) else { return nil }
    guard let index = index(of: address) else {
      return layout == .sorted ? inserting(address, now) : replacing(victim, by: address, now)
    }
    let record = record(index)
    guard !record.covers(now, tolerance: tolerance) else { return nil }
    return rewriting(index, TimeoutRecord(count: min(record.count + 1, TimeoutTable.countLimit), time: now))
  }

  /// After a success.
  /// - Returns: nil when nothing changes, because the address has no failures.
  func afterSuccess(of address: IPAddress) -> TableEdit? {
    guard let index = index(of: address) else { return nil }
    if layout == .sorted { return removing(index) }
    let record = record(index)
    return record.count > 0 ? rewriting(index, TimeoutRecord(count: 0, time: record.time)) : nil
  }
}

// MARK: records

extension TimeoutTable {
  private var indices: Range<Int> { 0..<(bytes.count / layout.size) }

  private func slice(_ index: Int) -> ArraySlice<UInt8> { bytes[(index * layout.size)..<((index + 1) * layout.size)] }

  private func record(_ index: Int) -> TimeoutRecord {
    let slice = slice(index)
    let time = slice.dropFirst(layout.time.lowerBound).prefix(layout.time.count)
    let number = time.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // What is beyond this is a time that never comes, and one that arithmetic bears.
    let seconds = Int64(min(number, 1 << 40)) - layout.timeBase
    return TimeoutRecord(count: Int(slice[slice.startIndex + layout.countOffset]), time: seconds)
  }

  private func index(of address: IPAddress) -> Int? {
    guard layout.holds(address) else { return nil }
    return indices.first { index in
      let slice = slice(index)
      switch layout {
      case .plain, .sorted: return slice.starts(with: address.bytes)
      case .withFamily:
        return slice.first == AddressFamily.number(of: address) && slice.dropFirst(16).starts(with: address.bytes)
      }
    }
  }

  /// The record that a new address gets: a free one, else the one that matters least, being old or of few failures.
  private var victim: Int? {
    indices.first { record($0).count == 0 } ?? indices.min { weight($0) < weight($1) }
  }

  private func weight(_ index: Int) -> Int64 {
    let record = record(index)
    return record.time + Int64(record.count) * 1_024
  }
}

// MARK: edits

extension TimeoutTable {
  /// The bytes of a record with a count and a time; the others stay, as the families leave them.
  private func written(_ record: TimeoutRecord, over old: some Sequence<UInt8>) -> Bytes {
    var new = Bytes(old)
    new[layout.countOffset] = UInt8(clamping: record.count)
    var time = UInt64(bitPattern: record.time + layout.timeBase)
    for index in layout.time {
      new[index] = UInt8(truncatingIfNeeded: time)
      time >>= 8
    }
    return new
  }

  private func rewriting(_ index: Int, _ record: TimeoutRecord) -> TableEdit {
    TableEdit(offset: index * layout.size, bytes: written(record, over: slice(index)))
  }

  private func replacing(_ victim: Int?, by address: IPAddress, _ now: Int64) -> TableEdit? {
    guard let victim else { return nil }
    var new = Bytes(slice(victim))
    switch layout {
    case .plain, .sorted: new.replaceSubrange(..<address.bytes.count, with: address.bytes)
    case .withFamily:
      new.replaceSubrange(..<4, with: [AddressFamily.number(of: address), 0, 0, 0])
      new.replaceSubrange(16..<(16 + address.bytes.count), with: address.bytes)
    }
    return TableEdit(offset: victim * layout.size, bytes: written(TimeoutRecord(count: 1, time: now), over: new))
  }

  private func removing(_ index: Int) -> TableEdit {
    let rest = bytes[((index + 1) * layout.size)...]
    return TableEdit(cut: bytes.count - layout.size, offset: index * layout.size, bytes: Bytes(rest))
  }

  /// The new record in its place in the order, after the least of the others if the file is full.
  private func inserting(_ address: IPAddress, _ now: Int64) -> TableEdit? {
    let zeros = Bytes(repeating: 0, count: layout.size - address.bytes.count)
    let new = written(TimeoutRecord(count: 1, time: now), over: address.bytes + zeros)
    var records = indices.map { Bytes(slice($0)) }
    if bytes.count + layout.size > RecordLayout.sortedLimit, let victim { records.remove(at: victim) }
    records.insert(new, at: records.firstIndex { new.lexicographicallyPrecedes($0) } ?? records.endIndex)
    // Nothing before the first record that differs is written.
    let kept = zip(records, indices).prefix { $0.elementsEqual(slice($1)) }.count
    return TableEdit(offset: kept * layout.size, bytes: Bytes(records[kept...].joined()))
  }
}
