import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite struct TimeoutBackOffTests {
  private static let moment = Tables.moment

  /// The used records of a table, in the order of the file.
  private func records(_ machine: Machine, _ name: String = Machine.main, size: Int) throws -> [String] {
    let table = try machine.table(name)
    return stride(from: 0, to: table.count, by: size).map { table[$0..<($0 + size)] }
      .filter { $0.contains { $0 != 0 } }.map(Tables.hex)
  }

  @Test("two failures, and the address is left alone until its time; success forgets them", arguments: Dialect.allCases)
  func life(_ dialect: Dialect) throws {
    let machine = try Machine(dialect)
    let address = "192.0.2.1"
    try machine.fail(address)
    #expect(try !machine.avoids(address))
    try machine.fail(address, at: Self.moment + 119)
    #expect(try !machine.avoids(address, at: Self.moment + 119))
    try machine.fail(address, at: Self.moment + 120)
    #expect(try machine.avoids(address, at: Self.moment + 120))
    #expect(try machine.avoids(address, at: Self.moment + 120 + 3_839))
    #expect(try !machine.avoids(address, at: Self.moment + 120 + 3_840))
    #expect(try !machine.avoids("192.0.2.2", at: Self.moment + 120))
    try machine.succeed(address, at: Self.moment + 5_000)
    #expect(try !machine.avoids(address, at: Self.moment + 120))
    let record =
      switch dialect {
      case .stock, .skarnet: "c0000201 00000000 3bb3a165 00000000"
      case .sqmail, .indimail: "02000000 00000000 3bb3a165 00000000 c0000201 00000000 00000000 00000000"
      }
    #expect(try records(machine, size: dialect == .stock || dialect == .skarnet ? 16 : 32) == [record])
    #expect(try machine.table().count == (dialect == .indimail ? 2_048 : 1_024))
  }

  @Test("IPv6 in the table of the dialect, or in skarnet's file if there is one", arguments: Dialect.allCases)
  func v6(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [Machine.main: "", Machine.six: ""])
    let address = "2001:db8::1"
    try machine.fail(address)
    try machine.fail(address, at: Self.moment + 120)
    #expect(try machine.avoids(address, at: Self.moment + 120))
    switch dialect {
    case .stock, .skarnet:
      #expect(try machine.table().allSatisfy { $0 == 0 })
      #expect(Tables.hex(try machine.table(Machine.six)) == "20010db8 00000000 00000000 00000001 02000000 60b3a165 00000000")
    case .sqmail, .indimail:
      #expect(try machine.table(Machine.six).isEmpty)
      let record = "0a000000 02000000 3bb3a165 00000000 20010db8 00000000 00000000 00000001"
      #expect(try records(machine, size: 32) == [record])
    }
    try machine.succeed(address, at: Self.moment + 120)
    #expect(try !machine.avoids(address, at: Self.moment + 120))
    #expect(try machine.table(Machine.six).isEmpty)
  }

  @Test("without skarnet's file, IPv6 addresses are tried always", arguments: [Dialect.stock, .skarnet])
  func withoutSix(_ dialect: Dialect) throws {
    let machine = try Machine(dialect)
    for round in 0..<5 { try machine.fail("2001:db8::1", at: Self.moment + Int64(round) * 200) }
    #expect(try !machine.avoids("2001:db8::1", at: Self.moment + 800))
    #expect(try machine.table().allSatisfy { $0 == 0 })
  }

  @Test("indimail's table is known by its size", arguments: Dialect.allCases)
  func bySize(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, size: 2_048)
    try machine.fail("192.0.2.1")
    #expect(
      try records(machine, size: 32) == ["02000000 01000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000"])
  }

  @Test("a penalty of 0: nothing is looked at, nothing is written", arguments: Dialect.allCases)
  func off(_ dialect: Dialect) throws {
    let machine = try Machine(dialect)
    let off = BackOffLimits(penalty: .init(0))
    try machine.fail("192.0.2.1")
    try machine.fail("192.0.2.1", at: Self.moment + 120)
    let before = try machine.table()
    #expect(try machine.avoids("192.0.2.1", at: Self.moment + 120))
    #expect(try !machine.avoids("192.0.2.1", at: Self.moment + 120, off))
    try machine.fail("192.0.2.1", at: Self.moment + 240, off)
    try machine.fail("192.0.2.9", at: Self.moment + 240, off)
    try machine.succeed("192.0.2.1", at: Self.moment + 240, off)
    #expect(try machine.table() == before)
  }

  @Test("penalty and tolerance")
  func limits() throws {
    let machine = try Machine(.stock)
    let limits = BackOffLimits(penalty: .init(600), maxTolerance: .init(10))
    try machine.fail("192.0.2.1", limits)
    try machine.fail("192.0.2.1", at: Self.moment + 9, limits)
    #expect(try !machine.avoids("192.0.2.1", at: Self.moment + 9, limits))
    try machine.fail("192.0.2.1", at: Self.moment + 10, limits)
    #expect(try machine.avoids("192.0.2.1", at: Self.moment + 10 + 839, limits))
    #expect(try !machine.avoids("192.0.2.1", at: Self.moment + 10 + 840, limits))
    // No number is too large for arithmetic.
    let endless = BackOffLimits(penalty: .init(.max), maxTolerance: .init(.max))
    try machine.fail("192.0.2.1", at: Self.moment + 10_000, endless)
    #expect(try machine.avoids("192.0.2.1", at: Self.moment + 10_000, endless))
    #expect(try machine.table()[4] == 2)
  }

  @Test("the moment of a failure is its own, not that of the start")
  func time() throws {
    let machine = try Machine(.stock)
    let delivery = machine.delivery()
    let candidate = try Tables.candidate("192.0.2.1")
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    machine.clock.advance(by: .milliseconds(70_999))
    delivery.record(.failed(.silence(candidate)), BackOffLimits())
    #expect(try records(machine, size: 16) == ["c0000201 01000000 \(Tables.little(Self.moment + 70)) 00000000"])
  }

  @Test("a success clears only what the delivery knew of: it has nothing to write else")
  func knowledge() throws {
    let machine = try Machine(.stock)
    let candidate = try Tables.candidate("192.0.2.1")
    let delivery = machine.delivery()
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    try machine.fail("192.0.2.1")
    delivery.record(.connected(candidate), BackOffLimits())
    #expect(try machine.table()[4] == 1)
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    delivery.record(.connected(candidate), BackOffLimits())
    #expect(try machine.table()[4] == 0)
  }

  @Test("failures of another kind neither count nor clear")
  func otherFailures() throws {
    let machine = try Machine(.sqmail)
    try machine.fail("192.0.2.1")
    let before = try machine.table()
    let candidate = try Tables.candidate("192.0.2.1")
    let delivery = machine.delivery(at: Self.moment + 1_000)
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    let failure = CandidateFailure(candidate, .connect, .broken(.transport(.failed(EADDRNOTAVAIL))))
    delivery.record(.failed(failure), BackOffLimits())
    #expect(try machine.table() == before)
  }

  @Test(
    "the queue",
    arguments: [
      (.stock, [:], "/var/qmail/queue"), (.sqmail, [:], "/var/qmail/queue"), (.skarnet, [:], "/var/qmail/queue"),
      (.indimail, [:], "/var/indimail/queue"), (.indimail, ["QUEUEDIR": "/q/1"], "/q/1"), (.stock, ["QUEUEDIR": "/q"], "/q"),
      (.stock, ["QUEUEDIR": ""], "/var/qmail/queue"),
    ] as [(Dialect, [String: String], String)])
  func queue(_ dialect: Dialect, _ environment: [String: String], _ path: String) {
    #expect(TimeoutBackOff.queue(dialect, Environment(environment)).text == path)
  }

  @Test("the queue of the environment is used")
  func environment() throws {
    let machine = try Machine(.stock)
    let circumstances = Circumstances(clock: machine.clock, wallSeconds: Self.moment, seed: 0, processID: 1)
    let delivery = TimeoutBackOff(.stock, Environment(["QUEUEDIR": "\(machine.folder.path)/queue"]), circumstances)
    delivery.record(.failed(.silence(try Tables.candidate("192.0.2.1"))), BackOffLimits())
    #expect(try machine.table()[4] == 1)
  }
}
