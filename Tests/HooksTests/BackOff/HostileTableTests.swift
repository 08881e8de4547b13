// Files that are no table. A delivery must go on at once as if there were none: no address is avoided, nothing is written.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite(.timeLimit(.minutes(2))) struct HostileTableTests {
  private static let moment = Tables.moment

  /// Tables in which the two addresses of the tests fail.
  private static let plain = "c0000201 02000000 c3b2a165 00000000"
  private static let withFamily = """
    02000000 02000000 c3b2a165 00000000 c0000201 00000000 00000000 00000000 \
    0a000000 02000000 c3b2a165 00000000 20010db8 00000000 00000000 00000001
    """
  private static let sorted = "20010db8 00000000 00000000 00000001 02000000 e8b2a165 00000000"
  private static let addresses = ["192.0.2.1", "2001:db8::1"]

  private static func table(_ dialect: Dialect) -> String {
    dialect == .stock || dialect == .skarnet ? plain : withFamily
  }

  /// Everything that a delivery can ask and say.
  private func use(_ machine: Machine, patience: Int = TableFile.patience) throws -> [Bool] {
    let delivery = machine.delivery(patience: patience)
    let candidates = try Self.addresses.map(Tables.candidate)
    let avoided = candidates.map { delivery.isAvoided($0, BackOffLimits()) }
    for candidate in candidates {
      for event in [BackOffEvent.failed(.silence(candidate)), .connected(candidate), .greeted(candidate), .ready(candidate)] {
        delivery.record(event, BackOffLimits(maxTolerance: .init(0)))
      }
    }
    return avoided
  }

  @Test("the tables of these tests are good ones", arguments: Dialect.allCases)
  func good(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [Machine.main: Self.table(dialect), Machine.six: Self.sorted])
    #expect(try use(machine) == [true, true])
    #expect(try !machine.avoids("192.0.2.1"))
    #expect(try !machine.avoids("2001:db8::1"))
  }

  @Test("no queue, no file", arguments: Dialect.allCases)
  func missing(_ dialect: Dialect) throws {
    let bare = try Machine(dialect, [:])
    #expect(try use(bare) == [false, false])
    #expect(try FileManager.default.contentsOfDirectory(atPath: bare.folder.path) == [])
    let empty = try Machine(dialect, ["queue/lock/other": ""])
    #expect(try use(empty) == [false, false])
    #expect(!FileManager.default.fileExists(atPath: "\(empty.folder.path)/\(Machine.main)"))
  }

  @Test("a missing file is looked for once in a delivery", arguments: Dialect.allCases)
  func lookedForOnce(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [:])
    let delivery = machine.delivery()
    let candidate = try Tables.candidate("192.0.2.1")
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    try machine.folder.write(
      Machine.main, Tables.bytes(Self.table(dialect), size: dialect == .indimail ? 2_048 : 1_024))
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    #expect(machine.delivery().isAvoided(candidate, BackOffLimits()))
  }

  @Test("of another size", arguments: Dialect.allCases, [0, 1, 15, 16, 1_023, 1_025, 2_047, 2_049, 100_000])
  func size(_ dialect: Dialect, _ size: Int) throws {
    let bytes = Array(try Tables.bytes(Self.table(dialect), size: size).prefix(size))
    let machine = try Machine(dialect, [:])
    try machine.folder.write(Machine.main, bytes)
    #expect(try use(machine) == [false, false])
    #expect(try machine.table() == bytes)
  }

  @Test(
    "of another layout",
    arguments: [
      (.stock, withFamily, 1_024), (.skarnet, withFamily, 1_024), (.sqmail, plain, 1_024), (.indimail, plain, 1_024),
      (.indimail, withFamily, 1_024), (.indimail, plain, 2_048), (.stock, plain, 2_048), (.sqmail, plain, 2_048),
      (.stock, plain + "c0000202 0b000000 00000000 00000000", 1_024),
      (.stock, plain + "c0000202 01000000 00000000 00000001", 1_024),
      (.sqmail, withFamily + "03000000 01000000 00000000 00000000", 1_024),
    ] as [(Dialect, String, Int)])
  func layout(_ dialect: Dialect, _ hex: String, _ size: Int) throws {
    let bytes = try Tables.bytes(hex, size: size)
    let machine = try Machine(dialect, [:])
    try machine.folder.write(Machine.main, bytes)
    #expect(try use(machine) == [false, false])
    #expect(try machine.table() == bytes)
  }

  private static func sorted(_ number: UInt8) -> String {
    "20010db8 00000000 00000000 000000\(Tables.hex([number])) 02000000 e8b2a165 00000000"
  }

  @Test(
    "skarnet's file: unsorted, half a record, too large; IPv4 is not concerned",
    arguments: [sorted(2) + sorted, sorted + "00", sorted + sorted, (1..<66).map(sorted(_:)).joined()])
  func sortedFile(_ hex: String) throws {
    let machine = try Machine(.skarnet, [Machine.main: Self.plain, Machine.six: hex])
    #expect(try use(machine) == [true, false])
    #expect(try machine.table(Machine.six) == Tables.bytes(hex))
    #expect(try machine.table()[4] == 0)
  }

  @Test("a file that becomes something else is left alone from then on", arguments: Dialect.allCases)
  func change(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [Machine.main: Self.table(dialect)])
    let delivery = machine.delivery()
    let candidate = try Tables.candidate("192.0.2.1")
    #expect(delivery.isAvoided(candidate, BackOffLimits()))
    #expect(truncate("\(machine.folder.path)/\(Machine.main)", 77) == 0)
    #expect(!delivery.isAvoided(candidate, BackOffLimits()))
    delivery.record(.failed(.silence(candidate)), BackOffLimits())
    #expect(try machine.table().count == 77)
  }

  @Test(
    "no file at all: a link, a folder, a fifo, a socket, a device",
    arguments: Dialect.allCases, ["link", "dangling link", "folder", "fifo", "socket", "device"])
  func kind(_ dialect: Dialect, _ kind: String) throws {
    let machine = try Machine(dialect, [:])
    let target = "\(machine.folder.path)/target"
    let bytes = try Tables.bytes(Self.table(dialect), size: dialect == .indimail ? 2_048 : 1_024)
    try machine.folder.write("target", bytes)
    for name in [Machine.main, Machine.six] {
      let path = "\(machine.folder.path)/\(name)"
      let folder = (path as NSString).deletingLastPathComponent
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      switch kind {
      case "link": try #require(symlink(target, path) == 0)
      case "dangling link": try #require(symlink("\(target).new", path) == 0)
      case "folder": try #require(mkdir(path, 0o755) == 0)
      case "fifo": try #require(mkfifo(path, 0o666) == 0)
      case "socket": try #require(mknod(path, S_IFSOCK | 0o666, 0) == 0)
      default: try #require(mknod(path, S_IFCHR | 0o666, 0x0105) == 0)
      }
    }
    #expect(try use(machine) == [false, false])
    #expect(try machine.folder.read("target") == bytes)
    #expect(!FileManager.default.fileExists(atPath: "\(target).new"))
  }

  @Test("a device is no table, though it may read like an empty one")
  func device() {
    #expect(TableFile(path: Array("/dev/null".utf8)) { _ in .sorted }.look { _ in true } == nil)
  }

  @Test("a file that may not be written to, or not be read", arguments: Dialect.allCases, [0o000, 0o444, 0o222] as [mode_t])
  func permissions(_ dialect: Dialect, _ mode: mode_t) throws {
    let machine = try Machine(dialect, [Machine.main: Self.table(dialect), Machine.six: Self.sorted])
    let before = try machine.table()
    for name in [Machine.main, Machine.six] { chmod("\(machine.folder.path)/\(name)", mode) }
    #expect(try asNobody { try use(machine) } == [false, false])
    #expect(try machine.table() == before)
  }

  @Test("a file of somebody else that may be read and written to is the table", arguments: Dialect.allCases)
  func owner(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [Machine.main: Self.table(dialect), Machine.six: Self.sorted])
    for name in [Machine.main, Machine.six] {
      try #require(chown("\(machine.folder.path)/\(name)", 12_345, 12_345) == 0)
    }
    #expect(try use(machine) == [true, true])
    #expect(try !machine.avoids("192.0.2.1"))
  }

  @Test("a lock that is never released costs 200 ms, once", arguments: Dialect.allCases)
  func locked(_ dialect: Dialect) throws {
    let machine = try Machine(dialect, [Machine.main: Self.table(dialect)])
    let before = try machine.table()
    let holder = try Lock("\(machine.folder.path)/\(Machine.main)")
    let start = ContinuousClock.now
    let file = TableFile(path: Array("\(machine.folder.path)/\(Machine.main)".utf8)) {
      RecordLayout(size: $0, dialect: dialect)
    }
    #expect(file.look { _ in true } == nil)
    #expect(ContinuousClock.now - start >= .milliseconds(200))
    #expect(file.patience == 0)
    file.change { _ in TableEdit(offset: 0, bytes: [9]) }
    #expect(try use(machine, patience: 1) == [false, false])
    #expect(try machine.table() == before)
    // Who got no lock may have one later.
    holder.release()
    #expect(file.look { _ in true } == true)
  }

  @Test("a lock that is released is waited for")
  func waiting() throws {
    let machine = try Machine(.stock)
    let file = TableFile(path: Array("\(machine.folder.path)/\(Machine.main)".utf8), patience: 30_000) {
      RecordLayout(size: $0, dialect: .stock)
    }
    let holder = try Lock("\(machine.folder.path)/\(Machine.main)")
    let done = Promise<Bool>()
    let box = UncheckedFile(file: file)
    Thread.detachNewThread { done.keep(box.file.look { _ in true } ?? false) }
    // The other thread looks now or in a moment; either way it must not get in before the release.
    #expect(done.wait(seconds: 0.05) == nil)
    holder.release()
    #expect(done.wait(seconds: 60) == true)
  }
}

/// A file that one thread at a time uses.
private struct UncheckedFile: @unchecked Sendable {
  let file: TableFile
}

/// Somebody else's lock.
private final class Lock {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SpawnFault(description: "no lock on \(path)") }
  }

  func release() { close(descriptor) }
}

/// Runs `body` without the rights of root on files, on a thread that nobody else gets.
private func asNobody<Answer: Sendable>(_ body: @escaping () throws -> Answer) throws -> Answer {
  let work = Work(body: body)
  let answer = Promise<Result<Answer, any Error>>()
  Thread.detachNewThread {
    // setfsuid(2) is about the calling thread only.
    typealias SetUser = @convention(c) (uid_t) -> Int32
    guard let symbol = dlsym(nil, "setfsuid") else { return answer.keep(.failure(SpawnFault(description: "no setfsuid"))) }
    _ = unsafeBitCast(symbol, to: SetUser.self)(65_534)
    answer.keep(Result { try work.body() })
  }
  guard let answer = answer.wait(seconds: 60) else { throw SpawnFault(description: "a thread got lost") }
  return try answer.get()
}

/// What one thread hands to another and waits for.
private struct Work<Answer>: @unchecked Sendable {
  let body: () throws -> Answer
}
