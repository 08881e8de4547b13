import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite struct RecordLayoutTests {
  @Test("the layout by size and dialect; any other size is nobody's")
  func choice() {
    for dialect in Dialect.allCases {
      #expect(RecordLayout(size: 2_048, dialect: dialect) == .withFamily)
      for size in [0, 1, 16, 512, 1_023, 1_025, 1_792, 2_047, 2_049, 4_096] {
        #expect(RecordLayout(size: size, dialect: dialect) == nil, "\(size)")
      }
    }
    #expect(RecordLayout(size: 1_024, dialect: .stock) == .plain)
    #expect(RecordLayout(size: 1_024, dialect: .skarnet) == .plain)
    #expect(RecordLayout(size: 1_024, dialect: .sqmail) == .withFamily)
    #expect(RecordLayout(size: 1_024, dialect: .indimail) == nil)
  }

  private static let plain = "c0000201 02000000 c3b2a165 00000000"
  private static let clearedPlain = "c0000201 00000000 c3b2a165 00000000"
  private static let v4 = "02000000 02000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"
  private static let clearedV4 = "02000000 00000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"
  private static let v6 = "0a000000 02000000 c3b2a165 00000000 20010db8 04000000 00000000 00000001"
  private static let clearedV6 = "0a000000 00000000 c3b2a165 00000000 20010db8 04000000 00000000 00000001"
  private static let zeros = "00000000 00000000 00000000 00000000"
  private static let sorted = "20010db8 00000000 00000000 00000001 02000000 c3b2a165 00000000"
  private static let later = "20010db8 00000000 00000000 00000002 0a000000 c3b2a165 00000000"

  @Test(
    "what can be a table",
    arguments: [
      (.plain, ""), (.plain, plain), (.plain, plain + clearedPlain), (.plain, zeros + plain),
      (.plain, "c0000201 0a000000 ffffffff 00000000"), (.plain, "00000201 01000000 c3b2a165 00000000"),
      (.withFamily, ""), (.withFamily, v4), (.withFamily, v6 + clearedV4 + v4), (.withFamily, zeros + zeros + clearedV6),
      (.withFamily, "02000000 0a000000 c3b2a165 00000000 c0000201 20010db8 20010db8 20010db8"),
    ] as [(RecordLayout, String)])
  func fits(_ layout: RecordLayout, _ hex: String) throws {
    #expect(layout.fits(try Tables.bytes(hex, size: 1_024)))
    #expect(layout.fits(try Tables.bytes(hex, size: 2_048)))
  }

  @Test(
    "what contradicts the layout: records of another one, and nonsense",
    arguments: [
      (.plain, v4), (.plain, clearedV4), (.plain, v6), (.plain, clearedV6), (.plain, plain + plain + v4),
      (.plain, "c0000201 0b000000 c3b2a165 00000000"), (.plain, "c0000201 02010000 c3b2a165 00000000"),
      (.plain, "c0000201 02000001 c3b2a165 00000000"), (.plain, "c0000201 02000000 c3b2a165 00000001"),
      (.plain, "c0000201 00000000 c3b2a165 00000001"), (.plain, sorted), (.withFamily, plain), (.withFamily, clearedPlain),
      (.withFamily, clearedPlain + plain),
      (.withFamily, v4 + plain), (.withFamily, sorted),
      (.withFamily, "03000000 02000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "02010000 02000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "02000000 0b000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "02000000 02000001 c3b2a165 00000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "02000000 02000000 c3b2a165 01000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "00000000 02000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"),
      (.withFamily, "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001"),
    ] as [(RecordLayout, String)])
  func contradictions(_ layout: RecordLayout, _ hex: String) throws {
    #expect(!layout.fits(try Tables.bytes(hex, size: 1_024)))
    #expect(TimeoutTable(try Tables.bytes(hex, size: 1_024), layout: layout) == nil)
  }

  @Test(
    "what can be skarnet's file, and what can't",
    arguments: [
      ("", true), (sorted, true), (sorted + later, true), (later, true), (later + sorted, false), (sorted + sorted, false),
      (sorted + "00", false), (String(sorted.dropLast(2)), false),
      ("20010db8 00000000 00000000 00000001 00000000 c3b2a165 00000000", false),
      ("20010db8 00000000 00000000 00000001 0b000000 c3b2a165 00000000", false),
      ("20010db8 00000000 00000000 00000001 02000100 c3b2a165 00000000", false),
      ("20010db8 00000000 00000000 00000001 02000000 ffffffff ffffffff", true),
    ])
  func sortedFile(_ hex: String, _ fits: Bool) throws { #expect(RecordLayout.sorted.fits(try Tables.bytes(hex)) == fits) }

  @Test("a time that never comes stops nothing")
  func farTime() throws {
    let bytes = try Tables.bytes("20010db8 00000000 00000000 00000001 02000000 ffffffff ffffffff")
    let table = try #require(TimeoutTable(bytes, layout: .sorted))
    let address = try Tables.address("2001:db8::1")
    #expect(table.record(of: address)?.isAvoided(now: Tables.moment, penalty: 3_600, processID: 0) == false)
    let edit = try #require(table.afterFailure(of: address, now: Tables.moment, tolerance: 120))
    #expect(Tables.hex(edit.bytes) == "20010db8 00000000 00000000 00000001 03000000 e8b2a165 00000000")
  }
}
