// Two things written again from their description alone, to compare with: the families' algorithm, as a loop over an array of bytes,
// and what the families' qmail-tcpto(8) prints of a file.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

/// The algorithm of qmail (`size` 16) and of s/qmail and indimail (`size` 32), byte by byte.
private struct Reference {
  let size: Int
  var file: [UInt8]

  init(size: Int, records: Int) {
    self.size = size
    file = [UInt8](repeating: 0, count: size * records)
  }

  private func when(_ start: Int) -> Int {
    Int(file[start + 8]) + Int(file[start + 9]) * 256 + Int(file[start + 10]) * 65_536 + Int(file[start + 11]) * 16_777_216
  }

  private mutating func setWhen(_ start: Int, _ now: Int) {
    file[start + 8] = UInt8(now % 256)
    file[start + 9] = UInt8(now / 256 % 256)
    file[start + 10] = UInt8(now / 65_536 % 256)
    file[start + 11] = UInt8(now / 16_777_216 % 256)
  }

  private func start(_ address: [UInt8]) -> Int? {
    var start = 0
    while start < file.count {
      let isHere =
        size == 16
        ? Array(file[start..<start + 4]) == address
        : Int(file[start]) == (address.count == 4 ? 2 : 10) && Array(file[start + 16..<start + 16 + address.count]) == address
      if isHere { return start }
      start += size
    }
    return nil
  }

  func skips(_ address: [UInt8], now: Int, pid: Int) -> Bool {
    guard let start = start(address) else { return false }
    return file[start + 4] >= 2 && now - when(start) < (60 + pid % 32) * 64
  }

  mutating func timedOut(_ address: [UInt8], now: Int) {
    if let start = start(address) {
      if file[start + 4] != 0 && now < when(start) + 120 { return }
      file[start + 4] = min(file[start + 4] + 1, 10)
      setWhen(start, now)
      return
    }
    var place = -1
    var least = Int.max
    var start = 0
    while start < file.count {
      if file[start + 4] == 0 {
        place = start
        break
      }
      if when(start) + Int(file[start + 4]) * 1_024 < least {
        place = start
        least = when(start) + Int(file[start + 4]) * 1_024
      }
      start += size
    }
    if size == 32 { file[place] = address.count == 4 ? 2 : 10 }
    for (index, byte) in address.enumerated() { file[place + (size == 16 ? 0 : 16) + index] = byte }
    file[place + 4] = 1
    setWhen(place, now)
  }

  mutating func connected(_ address: [UInt8]) {
    if let start = start(address) { file[start + 4] = 0 }
  }
}

@Suite struct ReferenceTests {
  /// More addresses than records, so that many of them have to go.
  private static func addresses(_ dialect: Dialect) throws -> [String] {
    (0..<100).map { number in
      let hasRoomForV6 = dialect == .sqmail || dialect == .indimail
      return hasRoomForV6 && number % 3 == 0 ? "2001:db8::\(number + 1)" : "192.0.\(number % 5).\(number)"
    }
  }

  @Test("1,500 random failures and successes leave the file of the families' algorithm", arguments: Dialect.allCases)
  func random(_ dialect: Dialect) throws {
    let machine = try Machine(dialect)
    var reference = Reference(
      size: dialect == .stock || dialect == .skarnet ? 16 : 32, records: dialect == .sqmail ? 32 : 64)
    var generator = SeededGenerator(seed: 20_260)
    let addresses = try Self.addresses(dialect)
    var now = Int(Tables.moment)
    var skipped = 0
    for step in 0..<1_500 {
      now += Int.random(in: 0...60, using: &generator)
      // Some addresses are used far more often than others, as in life.
      let number = min(Int.random(in: 0..<100, using: &generator), Int.random(in: 0..<100, using: &generator))
      let text = addresses[number]
      let address = try Tables.address(text).bytes
      let processID = Int32.random(in: 1...100_000, using: &generator)
      let delivery = machine.delivery(at: Int64(now), processID: processID)
      let candidate = try Tables.candidate(text)
      let isAvoided = delivery.isAvoided(candidate, BackOffLimits())
      #expect(isAvoided == reference.skips(address, now: now, pid: Int(processID)), "step \(step)")
      if isAvoided { skipped += 1 }
      if Int.random(in: 0..<10, using: &generator) == 0 {
        for event in [BackOffEvent.connected(candidate), .greeted(candidate)] { delivery.record(event, BackOffLimits()) }
        reference.connected(address)
      } else {
        delivery.record(.failed(.silence(candidate)), BackOffLimits())
        reference.timedOut(address, now: now)
      }
      let isEqual = try machine.table() == reference.file
      try #require(isEqual, "step \(step)")
    }
    // All of it was used: addresses were avoided, and the table was full.
    #expect(skipped > 50)
    #expect(stride(from: 4, to: reference.file.count, by: reference.size).contains { reference.file[$0] == 10 })
    #expect(try machine.table().last { $0 != 0 } != nil)
  }

  @Test("whatever is in a file, arithmetic bears it, and an edit leaves a table", arguments: RecordLayout.allCases)
  func anyBytes(_ layout: RecordLayout) throws {
    var generator = SeededGenerator(seed: 7)
    let address = try Tables.address(layout == .sorted ? "8000::" : "128.0.0.0")
    var tables = 0
    for _ in 0..<3_000 {
      var bytes: [UInt8] = []
      // Often enough what a table would have there, else anything.
      for _ in 0..<Int.random(in: 0...8, using: &generator) {
        var record = (0..<layout.size).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for index in layout.unused { record[index] = 0 }
        record[layout.countOffset] = UInt8.random(in: 0...10, using: &generator)
        if layout == .withFamily { record.replaceSubrange(..<4, with: [Bool.random(using: &generator) ? 2 : 10, 0, 0, 0]) }
        if layout == .sorted { record[0] = UInt8(bytes.count / 28 * 30 + 30) }
        if Int.random(in: 0..<10, using: &generator) == 0 { record[Int.random(in: 0..<layout.size, using: &generator)] = 255 }
        bytes += record
      }
      guard let table = TimeoutTable(bytes, layout: layout) else { continue }
      tables += 1
      let now = Int64.random(in: 0...(1 << 40), using: &generator)
      _ = table.record(of: address)?.isAvoided(now: now, penalty: Int(Int32.max), processID: .min)
      for edit in [
        table.afterFailure(of: address, now: now, tolerance: Int(Int32.max)), table.afterSuccess(of: address),
      ] {
        #expect(TimeoutTable(edit?.applied(to: bytes) ?? bytes, layout: layout) != nil)
      }
    }
    #expect(tables > 500)
  }

  /// What each family's qmail-tcpto prints of a file.
  private static func listing(_ file: [UInt8], _ dialect: Dialect, now: Int64) -> [String] {
    let size = dialect == .stock || dialect == .skarnet ? 16 : 32
    return (0..<file.count / size).compactMap { number -> String? in
      let record = Array(file[number * size..<number * size + size])
      guard record[4] >= 1 else { return nil }
      let when = (8...11).reversed().reduce(Int64(0)) { $0 * 256 + Int64(record[$1]) }
      let words = "timed out \(now - when) seconds ago; # recent timeouts: \(record[4])"
      let v4 = { (start: Int) in record[start..<start + 4].map { "\($0)" }.joined(separator: ".") }
      if size == 16 { return "\(v4(0)) \(words)" }
      let v6 = stride(from: 16, to: 32, by: 2).map { String(Int(record[$0]) * 256 + Int(record[$0 + 1]), radix: 16) }
      let address = record[0] == 2 ? v4(16) : v6.joined(separator: ":")
      return dialect == .sqmail ? "\(address) \(words)" : "\(address) \(record[0] == 2 ? "ipv4" : "ipv6") \(words)"
    }
  }

  @Test(
    "what the families' programs print of our files",
    arguments: [
      (.stock, ["192.0.2.1 timed out 380", "192.0.2.3 timed out 500"]),
      (.skarnet, ["192.0.2.1 timed out 380", "192.0.2.3 timed out 500"]),
      (.sqmail, ["192.0.2.1 timed out 380", "2001:db8:0:0:0:0:0:7 timed out 380", "192.0.2.3 timed out 500"]),
      (
        .indimail,
        ["192.0.2.1 ipv4 timed out 380", "2001:db8:0:0:0:0:0:7 ipv6 timed out 380", "192.0.2.3 ipv4 timed out 500"]
      ),
    ] as [(Dialect, [String])])
  func listings(_ dialect: Dialect, _ lines: [String]) throws {
    let machine = try Machine(dialect)
    for round in 0..<3 {
      for address in ["192.0.2.1", "2001:db8::7"] { try machine.fail(address, at: Tables.moment + Int64(round) * 120 + 380) }
      if round == 0 { try machine.fail("192.0.2.2", at: Tables.moment) }
    }
    try machine.succeed("192.0.2.2")
    try machine.fail("192.0.2.3", at: Tables.moment + 500)
    let shown = Self.listing(try machine.table(), dialect, now: Tables.moment + 1_000)
    #expect(shown == lines.map { "\($0) seconds ago; # recent timeouts: \($0.hasSuffix("500") ? 1 : 3)" })
  }
}

/// Many deliveries at once.
@Suite(.timeLimit(.minutes(5))) struct WritersTests {
  @Test(
    "16 writers on 4 addresses leave the counts of a serial run",
    arguments: Dialect.allCases, ["192.0.2.", "2001:db8::"])
  func writers(_ dialect: Dialect, _ prefix: String) throws {
    let addresses = (1...4).map { "\(prefix)\($0)" }
    let usesSix = prefix.contains(":") && (dialect == .stock || dialect == .skarnet)
    let name = usesSix ? Machine.six : Machine.main
    // Without a lock, one of the first rounds goes wrong.
    for _ in 0..<10 {
      let machine = try Machine(dialect, [Machine.main: "", Machine.six: ""])
      // Each counted failure counts: four writers with two failures each make eight for each address.
      let limits = BackOffLimits(maxTolerance: .init(0))
      let writers = try (0..<16).map { number in
        Writer(
          delivery: machine.delivery(patience: 60_000), candidate: try Tables.candidate(addresses[number % 4]), limits: limits)
      }
      let waiting = Shared(16)
      _ = inParallel(writers, width: 16) { writer in
        waiting.change { $0 -= 1 }
        while waiting.value > 0 { sched_yield() }
        for _ in 0..<2 { writer.fail() }
      }
      let table = try machine.table(name)
      let size = usesSix ? 28 : dialect == .sqmail || dialect == .indimail ? 32 : 16
      let counts = stride(from: usesSix ? 16 : 4, to: table.count, by: size).map { table[$0] }
      try #require(counts.filter { $0 != 0 } == [8, 8, 8, 8])
      #expect(try addresses.allSatisfy { try machine.avoids($0) })
    }
  }

  /// Used by one thread.
  private struct Writer: @unchecked Sendable {
    let delivery: TimeoutBackOff
    let candidate: Candidate
    let limits: BackOffLimits

    func fail() {
      _ = delivery.isAvoided(candidate, limits)
      delivery.record(.failed(.silence(candidate)), limits)
    }
  }
}
