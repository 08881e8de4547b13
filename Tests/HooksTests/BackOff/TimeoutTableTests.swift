import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite struct TimeoutTableTests {
  private static let moment = Tables.moment

  private func table(_ layout: RecordLayout, _ hex: String, size: Int) throws -> TimeoutTable {
    try #require(TimeoutTable(try Tables.bytes(hex, size: size), layout: layout), "\(hex)")
  }

  @Test(
    "the first failure of an address, byte for byte",
    arguments: [
      (.plain, 1_024, "192.0.2.1", 0x65A1_B2C3, "c0000201 01000000 c3b2a165 00000000"),
      (
        .withFamily, 2_048, "127.0.0.1", 0x6B01_15FD,
        "02000000 01000000 fd15016b 00000000 7f000001 00000000 00000000 00000000"
      ),
      (
        .withFamily, 1_024, "2001:db8::102", 0x65A1_B2C3,
        "0a000000 01000000 c3b2a165 00000000 20010db8 00000000 00000000 00000102"
      ),
      // 37 seconds further on: 0xc3 + 0x25 is 0xe8.
      (
        .sorted, 0, "2001:db8::102", 0x65A1_B2C3, "20010db8 00000000 00000000 00000102 01000000 e8b2a165 00000000"
      ),
      // 2106: a time of four bytes begins again, one of eight doesn't.
      (.plain, 1_024, "192.0.2.1", 0x1_0000_0007, "c0000201 01000000 07000000 00000000"),
      (.sorted, 0, "::1", 0x1_0000_0007, "00000000 00000000 00000000 00000001 01000000 2c000000 01000000"),
    ] as [(RecordLayout, Int, String, Int64, String)])
  func vectors(_ layout: RecordLayout, _ size: Int, _ address: String, _ now: Int64, _ record: String) throws {
    let edit = try table(layout, "", size: size).afterFailure(of: Tables.address(address), now: now, tolerance: 120)
    #expect(edit.map { Tables.hex($0.bytes) } == record)
    #expect(edit?.offset == 0)
    #expect(edit?.cut == nil)
  }

  /// A record with a count and an age at the moment, in each layout.
  private static func record(_ layout: RecordLayout, count: Int, age: Int64) -> String {
    let count = "0\(String(count, radix: 16))000000"
    switch layout {
    case .plain: return "c0000201 \(count) \(Tables.little(moment - age)) 00000000"
    case .withFamily: return "02000000 \(count) \(Tables.little(moment - age)) 00000000 c0000201 00000000 00000000 00000000"
    case .sorted: return "20010db8 00000000 00000000 00000001 \(count) \(Tables.little(moment - age + 37, 8))"
    }
  }

  private static func known(_ layout: RecordLayout) throws -> IPAddress {
    try Tables.address(layout == .sorted ? "2001:db8::1" : "192.0.2.1")
  }

  private func size(_ layout: RecordLayout) -> Int { layout == .sorted ? 0 : 1_024 }

  @Test(
    "who is left alone, and for how long",
    arguments: RecordLayout.allCases,
    [
      (1, 0, 0, 3_600, false), (2, 3_839, 0, 3_600, true), (2, 3_840, 0, 3_600, false), (2, 0, 0, 3_600, true),
      (10, 3_839, 0, 3_600, true), (10, 3_840, 0, 3_600, false), (2, 5_823, 31, 3_600, true), (2, 5_824, 31, 3_600, false),
      (2, 3_839, 32, 3_600, true), (2, 3_840, 32, 3_600, false), (2, 3_903, 1, 3_600, true), (2, 3_904, 1, 3_600, false),
      (2, 839, 0, 600, true), (2, 840, 0, 600, false), (2, 7_439, 0, 7_200, true), (2, 7_440, 0, 7_200, false),
      // Somebody's clock is ahead of ours, or is wrong.
      (2, -60, 0, 3_600, true), (2, -61, 0, 3_600, false), (10, -1_000_000, 0, Int(Int32.max), false),
    ] as [(Int, Int64, Int32, Int, Bool)])
  func threshold(_ layout: RecordLayout, _ row: (count: Int, age: Int64, process: Int32, penalty: Int, avoided: Bool)) throws {
    let hex = Self.record(layout, count: row.count, age: row.age)
    let record = try table(layout, hex, size: size(layout)).record(of: Self.known(layout))
    #expect(record == TimeoutRecord(count: row.count, time: Self.moment - row.age))
    #expect(record?.isAvoided(now: Self.moment, penalty: row.penalty, processID: row.process) == row.avoided)
  }

  @Test(
    "another failure of an address",
    arguments: RecordLayout.allCases,
    [
      (2, 119, 120, nil), (2, 120, 120, 3), (1, 0, 120, nil), (9, 120, 120, 10), (10, 120, 120, 10), (10, 119, 120, nil),
      (1, 0, 0, 2), (1, 599, 600, nil), (1, 600, 600, 2), (3, -1, 120, nil), (3, -60, 120, nil), (3, -61, 120, 4),
      (1, 1_000_000_000, 120, 2),
    ] as [(Int, Int64, Int, Int?)])
  func failure(_ layout: RecordLayout, _ row: (count: Int, age: Int64, tolerance: Int, after: Int?)) throws {
    let hex = Self.record(layout, count: row.count, age: row.age)
    let table = try table(layout, hex, size: size(layout))
    let edit = try table.afterFailure(of: Self.known(layout), now: Self.moment, tolerance: row.tolerance)
    #expect(edit.map { Tables.hex($0.bytes) } == row.after.map { Self.record(layout, count: $0, age: 0) })
    #expect(edit?.offset ?? 0 == 0)
    #expect(edit?.cut == nil)
  }

  @Test("success takes the count and leaves address and time", arguments: [RecordLayout.plain, .withFamily])
  func success(_ layout: RecordLayout) throws {
    for count in 1...10 {
      let edit = try table(layout, Self.record(layout, count: count, age: 77), size: 1_024)
        .afterSuccess(of: Self.known(layout))
      #expect(edit?.bytes == (try Tables.bytes(Self.record(layout, count: 0, age: 77))))
      #expect(edit?.offset == 0)
    }
    let cleared = try table(layout, Self.record(layout, count: 0, age: 77), size: 1_024)
    #expect(try cleared.afterSuccess(of: Self.known(layout)) == nil)
    #expect(try cleared.afterSuccess(of: Tables.address("192.0.2.99")) == nil)
    // And a failure after it is the first one.
    let edit = try cleared.afterFailure(of: Self.known(layout), now: Self.moment, tolerance: 120)
    #expect(edit?.bytes == (try Tables.bytes(Self.record(layout, count: 1, age: 0))))
  }

  @Test("a record of the other family is no record of the address")
  func families() throws {
    let table = try table(
      .withFamily,
      """
      0a000000 05000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000 \
      02000000 03000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000 \
      02000000 04000000 c3b2a165 00000000 c0000202 20010db8 00000000 00000102
      """, size: 1_024)
    #expect(try table.record(of: Tables.address("192.0.2.1"))?.count == 3)
    #expect(try table.record(of: Tables.address("c000:201::"))?.count == 5)
    // What an IPv6 address left behind the IPv4 address that took its place doesn't count.
    #expect(try table.record(of: Tables.address("192.0.2.2"))?.count == 4)
    #expect(try table.record(of: Tables.address("192.0.2.3")) == nil)
  }

  @Test("a layout for one family has no record of the other")
  func oneFamily() throws {
    let plain = try table(.plain, "20010db8 02000000 c3b2a165", size: 1_024)
    #expect(try plain.record(of: Tables.address("2001:db8::")) == nil)
    #expect(try plain.afterFailure(of: Tables.address("2001:db8::1"), now: Self.moment, tolerance: 120) == nil)
    let sorted = try table(.sorted, "", size: 0)
    #expect(try sorted.afterFailure(of: Tables.address("192.0.2.1"), now: Self.moment, tolerance: 120) == nil)
  }

  @Test("an IPv4 address takes the place of an IPv6 address as the families leave it")
  func leftovers() throws {
    let hex = (0..<32).map { _ in "0a000000 01000000 00000001 00000000 20010db8 11111111 22222222 33333333" }
    let edit = try table(.withFamily, hex.joined(), size: 1_024)
      .afterFailure(of: Tables.address("192.0.2.1"), now: Self.moment, tolerance: 120)
    #expect(edit.map { Tables.hex($0.bytes) } == "02000000 01000000 c3b2a165 00000000 c0000201 11111111 22222222 33333333")
  }

  @Test(
    "the place of a new address: free, else the one of least weight, which is its time and 1,024 seconds for each failure",
    arguments: [
      ([(1, 0), (0, 0), (0, 0)], 1), ([(3, 9_000), (2, 7_000), (1, 8_100)], 1), ([(3, 9_000), (2, 7_077), (1, 8_100)], 2),
      ([(1, 5_000), (1, 5_000), (1, 5_000)], 0), ([(10, 0), (1, 9_216), (1, 9_217)], 0),
      ([(10, 1), (1, 9_216), (1, 9_217)], 1),
    ] as [([(Int, Int64)], Int)])
  func victim(_ records: [(count: Int, time: Int64)], _ expected: Int) throws {
    // The three records again and again; the first of the equal ones has to go.
    let hex = (0..<64).map { index -> String in
      let record = records[index % 3]
      let count = Tables.hex([UInt8(record.count), 0, 0, 0])
      return "c00002\(Tables.hex([UInt8(index)])) \(count) \(Tables.little(record.time)) 00000000"
    }
    let edit = try table(.plain, hex.joined(), size: 1_024)
      .afterFailure(of: Tables.address("198.51.100.1"), now: Self.moment, tolerance: 120)
    #expect(edit == TableEdit(offset: expected * 16, bytes: try Tables.bytes("c6336401 01000000 c3b2a165 00000000")))
  }
}

/// skarnet's file, which is kept sorted and without records of no failures.
@Suite struct SortedTableTests {
  private func bytes(_ records: [(Int, Int)]) throws -> [UInt8] {
    try records.flatMap { number, count in
      try Tables.bytes("20010db8 00000000 00000000 \(Tables.hex([0, 0, UInt8(number >> 8), UInt8(number & 255)]))")
        + Tables.bytes("\(Tables.hex([UInt8(count), 0, 0, 0])) \(Tables.little(Tables.moment - Int64(number) + 37, 8))")
    }
  }

  private func address(_ number: Int) throws -> IPAddress { try Tables.address("2001:db8::\(String(number, radix: 16))") }

  @Test("a new address gets its place in the order", arguments: [([2, 4, 6], 1), ([2, 4, 6], 3), ([2, 4, 6], 7), ([], 5)])
  func insertion(_ numbers: [Int], _ new: Int) throws {
    let before = try bytes(numbers.map { ($0, 3) })
    let table = try #require(TimeoutTable(before, layout: .sorted))
    let edit = try #require(
      try table.afterFailure(of: address(new), now: Tables.moment - Int64(new), tolerance: 120))
    let expected = (numbers.map { ($0, 3) } + [(new, 1)]).sorted { $0.0 < $1.0 }
    #expect(edit.applied(to: before) == (try bytes(expected)))
    #expect(edit.offset == numbers.filter { $0 < new }.count * 28)
    #expect(edit.cut == nil)
  }

  @Test("success takes the record out, and what is cut first leaves a table", arguments: [0, 1, 2])
  func removal(_ index: Int) throws {
    let before = try bytes([(2, 1), (4, 2), (6, 10)])
    let table = try #require(TimeoutTable(before, layout: .sorted))
    let edit = try #require(try table.afterSuccess(of: address([2, 4, 6][index])))
    var expected = [(2, 1), (4, 2), (6, 10)]
    expected.remove(at: index)
    #expect(edit.applied(to: before) == (try bytes(expected)))
    #expect(edit.cut == 56)
    #expect(TimeoutTable(Array(before[..<56]), layout: .sorted) != nil)
    #expect(try table.afterSuccess(of: address(3)) == nil)
  }

  @Test("64 addresses are all that it holds")
  func bound() throws {
    // The weight of number 40 is the least: one failure only.
    let before = try bytes((1...64).map { ($0 * 2, $0 == 40 ? 1 : 2) })
    let table = try #require(TimeoutTable(before, layout: .sorted))
    for new in [1, 79, 80, 81, 129] where new != 80 {
      let edit = try #require(try table.afterFailure(of: address(new), now: Tables.moment - Int64(new), tolerance: 120))
      let expected = (1...64).filter { $0 != 40 }.map { ($0 * 2, 2) } + [(new, 1)]
      #expect(edit.applied(to: before) == (try bytes(expected.sorted { $0.0 < $1.0 })))
      #expect(edit.cut == nil)
    }
    #expect(TimeoutTable(try bytes((1...65).map { ($0, 2) }), layout: .sorted) == nil)
  }
}
