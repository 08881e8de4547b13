// The layouts in which the four families keep failing addresses, and how to tell them apart. Knows no rule of back-off, opens no file.
internal import Agent

/// How one record is laid out. Numbers are little-endian.
enum RecordLayout: Sendable, CaseIterable {
  /// qmail's, 16 bytes: IPv4 address, count, three bytes, time in four, four bytes.
  case plain
  /// s/qmail's and indimail's, 32 bytes: family number in four, count, three bytes, time in four, four bytes, address of either family.
  case withFamily
  /// skarnet's tcpto6, 28 bytes: IPv6 address, count, three bytes, time in eight. The records are sorted by address, and one whose
  /// count is 0 is taken out, so that the file has the size of what it holds.
  case sorted

  var size: Int {
    switch self {
    case .plain: 16
    case .withFamily: 32
    case .sorted: 28
    }
  }

  var countOffset: Int { self == .sorted ? 16 : 4 }

  /// The bytes that are 0 in every record.
  var unused: [Int] { self == .sorted ? [17, 18, 19] : [5, 6, 7, 12, 13, 14, 15] }

  var time: Range<Int> { self == .sorted ? 20..<28 : 8..<12 }

  /// skarnet counts TAI seconds (without their offset of 2^62). TAI is 37 seconds ahead of UTC since 2017; should there be another leap
  /// second, an hour of back-off will be a second off.
  var timeBase: Int64 { self == .sorted ? 37 : 0 }

  /// Whether the layout has room for an address.
  func holds(_ address: IPAddress) -> Bool {
    switch self {
    case .plain: !address.isV6
    case .withFamily: true
    case .sorted: address.isV6
    }
  }
}

extension RecordLayout {
  /// skarnet's file has no size of its own. As many records as the others have are enough, and keep a delivery's search short.
  static let sortedLimit = 64 * 28

  /// More than any table has.
  static let readLimit = 2_049

  /// The layout of a file `tcpto`: 2,048 bytes are indimail's 64 records, 1,024 are qmail's 64 or s/qmail's 32. Any other size is
  /// nobody's, and what isn't known is neither believed nor written to.
  init?(size: Int, dialect: Dialect) {
    switch (size, dialect) {
    case (2_048, _): self = .withFamily
    case (1_024, .sqmail): self = .withFamily
    case (1_024, .stock), (1_024, .skarnet): self = .plain
    default: return nil
    }
  }

  /// Whether bytes can be a table of this layout. A table of another layout must be recognised: it would be read as failures that
  /// never were, and written to where its owner doesn't expect it.
  func fits(_ bytes: Bytes) -> Bool {
    guard bytes.count % size == 0, self != .sorted || bytes.count <= RecordLayout.sortedLimit else { return false }
    var previous: ArraySlice<UInt8>?
    for start in stride(from: 0, to: bytes.count, by: size) {
      guard fits(bytes, at: start) else { return false }
      guard self == .sorted else { continue }
      let address = bytes[start..<(start + 16)]
      if let previous, !previous.lexicographicallyPrecedes(address) { return false }
      previous = address
    }
    return true
  }

  private func fits(_ bytes: Bytes, at start: Int) -> Bool {
    let record = bytes[start..<(start + size)]
    let count = record[start + countOffset]
    let isSound = count <= TimeoutTable.countLimit && unused.allSatisfy { record[start + $0] == 0 }
    let hasFamily = AddressFamily.begins(record)
    switch self {
    // No mail server has the address of a network; a record of the other layout begins with a family number.
    case .plain: return !hasFamily && isSound
    // A record that was cleared keeps its address, so that only one that was never used has no family.
    case .withFamily: return hasFamily ? isSound : record.allSatisfy { $0 == 0 }
    case .sorted: return count > 0 && isSound
    }
  }
}

/// The numbers of the address families on Linux, as records hold them.
enum AddressFamily {
  static let v4: UInt8 = 2
  static let v6: UInt8 = 10

  /// Whether a record begins with one of them, in four bytes.
  static func begins(_ record: ArraySlice<UInt8>) -> Bool {
    (record.first == v4 || record.first == v6) && record.dropFirst().prefix(3).allSatisfy { $0 == 0 }
  }

  static func number(of address: IPAddress) -> UInt8 { address.isV6 ? v6 : v4 }
}
