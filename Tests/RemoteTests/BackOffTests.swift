// The built program and the table that its runs share: what one delivery learns, the next one knows.
import Foundation
import Support
import Testing

@Suite(.timeLimit(.minutes(3))) struct BackOffTests {
  private static let noConnection = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n^@"

  /// A queue with a table.
  private struct Queue {
    static let name = "queue/lock/tcpto"
    let folder: TemporaryFolder
    var path: String { "\(folder.path)/queue" }

    init(_ table: [UInt8]) throws {
      folder = try TemporaryFolder()
      try folder.write(Queue.name, table)
    }

    func table() throws -> [UInt8] { try folder.read(Queue.name) }
  }

  private func remote(_ dialect: String, _ queue: Queue, route: String) -> Remote {
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:\(route)\n"
    remote.environment = ["QMAILREMOTE_DIALECT": dialect, "QUEUEDIR": queue.path]
    if dialect == "indimail" { remote.operands = [remote.host, remote.sender, "", ""] + remote.recipients }
    return remote
  }

  private static func little(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(number >> ($0 * 8) & 255) } }

  private static func moment(of record: ArraySlice<UInt8>) -> Int {
    record.dropFirst(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// A table with one record, for 127.0.0.1.
  private static func table(_ dialect: String, count: UInt8, age: Int) -> [UInt8] {
    let tail = [count, 0, 0, 0] + little(Int(time(nil)) - age) + [0, 0, 0, 0]
    let record =
      dialect == "stock" || dialect == "skarnet"
      ? [127, 0, 0, 1] + tail : [2, 0, 0, 0] + tail + [127, 0, 0, 1] + [UInt8](repeating: 0, count: 12)
    return record + [UInt8](repeating: 0, count: (dialect == "indimail" ? 2_048 : 1_024) - record.count)
  }

  @Test func `refused twice, then passed over`() throws {
    let queue = try Queue([UInt8](repeating: 0, count: 1_024))
    let port = try QuietPort()
    let start = Int(time(nil))
    for count in 1...2 as ClosedRange<UInt8> {
      expect(try remote("sqmail", queue, route: "\(port.number)::0").run(), Self.noConnection)
      let record = try queue.table().prefix(32)
      #expect(Array(record.prefix(8)) == [2, 0, 0, 0, count, 0, 0, 0])
      #expect((start...Int(time(nil))).contains(Self.moment(of: record)))
      #expect(Array(record.dropFirst(12)) == [0, 0, 0, 0, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 12))
      #expect(try queue.table().dropFirst(32).allSatisfy { $0 == 0 })
    }
    let before = try queue.table()
    try port.listen()
    expect(try remote("sqmail", queue, route: "\(port.number)::0").run(), Self.noConnection)
    #expect(!port.wasCalled)
    #expect(try queue.table() == before)
  }

  @Test func `a second failure within the tolerance is the same failure`() throws {
    let queue = try Queue([UInt8](repeating: 0, count: 1_024))
    let port = try QuietPort()
    expect(try remote("sqmail", queue, route: "\(port.number)").run(), Self.noConnection)
    let once = try queue.table()
    expect(try remote("sqmail", queue, route: "\(port.number)").run(), Self.noConnection)
    #expect(try queue.table() == once)
    #expect(once[4] == 1)
  }

  @Test(arguments: ["stock", "skarnet"])
  func `to qmail and skarnet only silence counts`(_ dialect: String) throws {
    let queue = try Queue([UInt8](repeating: 0, count: 1_024))
    let refusing = try QuietPort()
    expect(try remote(dialect, queue, route: "\(refusing.number)").run(), Self.noConnection)
    #expect(try queue.table().allSatisfy { $0 == 0 })

    let silent = try QuietPort()
    try silent.beSilent()
    var delivery = remote(dialect, queue, route: "\(silent.number)")
    delivery.control["timeoutconnect"] = "1"
    let start = Int(time(nil))
    expect(try delivery.run(), Self.noConnection)
    let record = try queue.table().prefix(16)
    #expect(Array(record.prefix(8)) == [127, 0, 0, 1, 1, 0, 0, 0])
    // The moment of the failure, not that of the start.
    #expect((start + 1...Int(time(nil))).contains(Self.moment(of: record)))
    #expect(try queue.table().dropFirst(12).allSatisfy { $0 == 0 })
  }

  @Test(
    "limits from route, variable and default",
    arguments: ["stock", "sqmail", "indimail", "skarnet"],
    [
      (10, "", [:], false), (10, "::", [:], false), (6_000, "", [:], true), (10, ":0", [:], true),
      (10, "", ["MIN_PENALTY": "0"], true), (10, ":3600", ["MIN_PENALTY": "0"], false),
      (10, ":0", ["MIN_PENALTY": "3600"], true),
      (6_000, "", ["MIN_PENALTY": "9000"], false), (10, "", ["MIN_PENALTY": "none"], false),
    ] as [(Int, String, [String: String], Bool)])
  func limits(_ dialect: String, _ row: (age: Int, fields: String, environment: [String: String], isTried: Bool)) throws {
    let queue = try Queue(Self.table(dialect, count: 2, age: row.age))
    let before = try queue.table()
    let server = try ScriptedServer(SMTPScript())
    var delivery = remote(dialect, queue, route: "\(server.port)\(row.fields)")
    delivery.environment.merge(row.environment) { $1 }
    let finished = try delivery.run()
    let isOff = row.fields == ":0" || row.environment["MIN_PENALTY"] == "0" && row.fields.isEmpty
    #expect(server.finish().count == (row.isTried ? 1 : 0))
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == (row.isTried ? "K" : "Z"))
    // A success clears the count, and nothing else; without back-off nothing is touched.
    var after = before
    if row.isTried && !isOff { after[4] = 0 }
    #expect(try queue.table() == after)
  }

  @Test(
    "to indimail a server has failed until it greets, and until it takes EHLO if that is asked for",
    arguments: [
      (.greeting, "421 busy\r\n", [:], 2), (.greeting, "554 never\r\n", [:], 0), (.hello, "450 not now\r\n", [:], 0),
      (.hello, "450 not now\r\n", ["TRY_NEXT_MX_HELO_FAIL": ""], 2),
    ] as [(SMTPScript.Step, String, [String: String], UInt8)])
  func greetings(_ step: SMTPScript.Step, _ reply: String, _ environment: [String: String], _ count: UInt8) throws {
    let queue = try Queue([UInt8](repeating: 0, count: 2_048))
    let server = try ScriptedServer(SMTPScript(replies: [step: reply]))
    var delivery = remote("indimail", queue, route: "\(server.port)::0")
    delivery.environment.merge(environment) { $1 }
    for _ in 0..<3 { _ = try delivery.run() }
    #expect(server.finish().count == (count == 2 ? 2 : 3))
    #expect(try queue.table()[4] == count)
    #expect(try queue.table()[0] == (count == 2 ? 2 : 0))
  }

  @Test(arguments: [[:], ["TRY_NEXT_MX_HELO_FAIL": ""]])
  func `a dropped connection counts, and a session that goes well forgets it`(_ environment: [String: String]) throws {
    let queue = try Queue([UInt8](repeating: 0, count: 2_048))
    let dropping = try ScriptedServer { $0.close() }
    var delivery = remote("indimail", queue, route: "\(dropping.port)")
    delivery.environment.merge(environment) { $1 }
    _ = try delivery.run()
    #expect(dropping.finish().count == 1)
    #expect(try queue.table()[4] == 1)
    let server = try ScriptedServer(SMTPScript())
    delivery.control["smtproutes"] = ":127.0.0.1:\(server.port)\n"
    let finished = try delivery.run()
    #expect(SpawnVerdict(output: finished.output, ending: finished.ending).letter == "K")
    #expect(server.finish().count == 1)
    #expect(try Array(queue.table().prefix(5)) == [2, 0, 0, 0, 0])
    #expect(try Array(queue.table()[16..<20]) == [127, 0, 0, 1])
  }

  @Test(
    "nothing about the table holds a delivery up or fails it",
    arguments: ["no queue", "fifo", "link", "short", "of another family", "locked for ever"])
  func trouble(_ kind: String) throws {
    let table = Self.table(kind == "of another family" ? "sqmail" : "stock", count: 2, age: 10)
    let queue = try Queue(kind == "short" ? Array(table.prefix(1_000)) : table)
    let path = "\(queue.folder.path)/\(Queue.name)"
    var holder: Int32 = -1
    switch kind {
    case "no queue": try FileManager.default.removeItem(atPath: queue.path)
    case "fifo":
      unlink(path)
      try #require(mkfifo(path, 0o666) == 0)
    case "link":
      try #require(rename(path, "\(path).target") == 0)
      try #require(symlink("\(path).target", path) == 0)
    case "locked for ever":
      holder = open(path, O_RDONLY | O_CLOEXEC)
      try #require(flock(holder, LOCK_EX | LOCK_NB) == 0)
    default: break
    }
    defer { if holder >= 0 { close(holder) } }
    let server = try ScriptedServer(SMTPScript())
    expect(
      try remote("stock", queue, route: "\(server.port)").run(within: 20),
      "r^@K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n^@",
      verdict: "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n")
    server.finish()
    if kind == "link" { #expect(try queue.folder.read("\(Queue.name).target") == table) }
  }

  /// A write past the limit would be a signal, and the end of the delivery.
  @Test func `a limit of file sizes`() throws {
    let queue = try Queue([UInt8](repeating: 0, count: 1_024))
    let port = try QuietPort()
    let folder = try TemporaryFolder()
    try folder.write("control/me", "me.example.net\n")
    try folder.write("control/smtproutes", ":127.0.0.1:\(port.number)\n")
    let script = "ulimit -f 0 && exec \"$0\" \"$@\""
    var start = ProgramStart(
      "/bin/sh", ["-c", script, try Binary.path(), "example.com", "s@example.net", "r@example.com"])
    start.environment = [
      "CONTROLDIR": "\(folder.path)/control", "QUEUEDIR": queue.path, "QMAILREMOTE_DIALECT": "sqmail",
      "SWIFT_BACKTRACE": "enable=no",
    ]
    start.input = .file(try folder.write("message", "hello\n"))
    expect(try SpawnedProcess(start).finish(), Self.noConnection)
    #expect(try queue.table().allSatisfy { $0 == 0 })
  }
}

/// A port of this machine that nobody else gets, and that refuses connections until it is told to do otherwise.
private final class QuietPort {
  let number: UInt16
  private let descriptor: Int32
  private var filler: Int32 = -1

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard try SocketName("127.0.0.1", 0).bind(descriptor), let number = SocketName.port(of: descriptor) else {
      throw SpawnFault(description: "no port: \(String(cString: strerror(errno)))")
    }
    self.number = number
  }

  deinit {
    close(descriptor)
    if filler >= 0 { close(filler) }
  }

  /// Takes connections, and does nothing with them.
  func listen(backlog: Int32 = 16) throws {
    guard Foundation.listen(descriptor, backlog) == 0 else { throw SpawnFault(description: "listen") }
  }

  /// Doesn't answer at all: the one place where a connection can wait is taken.
  func beSilent() throws {
    try listen(backlog: 0)
    filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard try SocketName("127.0.0.1", number).connect(filler) else { throw SpawnFault(description: "connect") }
  }

  /// Whether somebody has connected.
  var wasCalled: Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, 0) > 0
  }
}
