// Large tables in deliveries of the built program: they are found in, take no memory, and get an index.
import Foundation
import Support
import Testing

/// A server that looks at the process of a delivery when that has sent its message and waits for the answer.
private final class WatchingServer<Value: Sendable>: Sendable {
  let server: ScriptedServer
  private let running = Shared<Promise<Running>?>(nil)
  private let seen = Shared<Value?>(nil)

  init(_ look: @escaping @Sendable (SpawnedProcess) -> Value?) throws {
    let script = SMTPScript(hold: { [running, seen] step in
      guard step == .message, let process = running.value?.wait(seconds: 20)?.process else { return }
      let value = look(process)
      seen.change { $0 = value }
    })
    server = try ScriptedServer(script)
  }

  /// One delivery, which has to succeed.
  func deliver(_ remote: Remote) throws -> Value {
    let promise = Promise<Running>()
    running.change { $0 = promise }
    let process = try remote.start()
    promise.keep(process)
    LargeTableTests.expectAccepted(process.finish())
    return try #require(seen.value)
  }
}

@Suite struct LargeTableTests {
  fileprivate static func expectAccepted(_ finished: FinishedProcess) {
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(finished, "r^@\(accepted)^@", verdict: accepted)
  }

  /// The route of the delivery, and many others around it.
  private static func routes(_ count: Int, to port: UInt16) -> String {
    var text = ""
    text.reserveCapacity(50 * count)
    for number in 0..<count {
      if number == count / 2 { text += "example.com:127.0.0.1:\(port)\n" }
      text += "\(number % 3 == 0 ? "." : "")customer-\(number).example:relay\(number % 64).example.net:26\n"
    }
    return text
  }

  @Test func `a million routes take the memory of one`() throws {
    let watching = try WatchingServer(\.peakAddressSpace)
    var remote = Remote()
    remote.control["smtproutes"] = "example.com:127.0.0.1:\(watching.server.port)\n"
    let one = try watching.deliver(remote)
    remote.control["smtproutes"] = Self.routes(1_000_000, to: watching.server.port)
    let million = try watching.deliver(remote)
    watching.server.finish()
    #expect(million - one < 1_048_576, "\(one) bytes with one route, \(million) bytes with a million")
  }

  // MARK: the index

  /// A control directory and a run directory for several deliveries.
  private static func folders(to port: UInt16) throws -> (TemporaryFolder, Remote) {
    let folder = try TemporaryFolder()
    try folder.write("control/me", "me.example.net\n")
    try folder.write("control/smtproutes", routes(30_000, to: port))
    try FileManager.default.createDirectory(atPath: "\(folder.path)/run", withIntermediateDirectories: false)
    var remote = Remote()
    remote.environment = ["CONTROLDIR": "\(folder.path)/control", "QMAILREMOTE_RUNDIR": "\(folder.path)/run"]
    return (folder, remote)
  }

  private static func kept(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/run").sorted()
  }

  @Test func `after the first deliveries, little is read of a large table`() throws {
    let watching = try WatchingServer(\.bytesRead)
    let (folder, remote) = try Self.folders(to: watching.server.port)
    let size = try folder.read("control/smtproutes").count
    #expect(try watching.deliver(remote) > size)
    // A table that was changed in these seconds waits for one of the next deliveries.
    let isIndexed = try eventually {
      _ = try watching.deliver(remote)
      return try Self.kept(folder).contains { $0.hasSuffix(".cdb") }
    }
    #expect(isIndexed)
    #expect(try watching.deliver(remote) < size / 4)

    // With another table, for which it is no use, all is read again.
    try folder.write("control/smtproutes", "# changed\n" + Self.routes(30_000, to: watching.server.port))
    #expect(try watching.deliver(remote) > size)
    watching.server.finish()
  }

  @Test func `sixteen deliveries at once make one index`() throws {
    let server = try ScriptedServer(SMTPScript())
    let (folder, remote) = try Self.folders(to: server.port)
    let isIndexed = try eventually {
      Self.expectAccepted(try remote.run())
      return try Self.kept(folder).contains { $0.hasSuffix(".cdb") }
    }
    #expect(isIndexed)
    for round in 0..<3 {
      // What a builder that was killed has left is in nobody's way.
      for name in try Self.kept(folder) where name.hasSuffix(".cdb") {
        try folder.write("run/\(name).new", String(repeating: "x", count: round * 100_000))
        unlink("\(folder.path)/run/\(name)")
      }
      for finished in inParallel(Array(0..<16), width: 16, { _ in try? remote.run() }) {
        Self.expectAccepted(try #require(finished))
      }
      #expect(try Self.kept(folder).map { String($0.drop { $0 != "." }) } == [".cdb", ".cdb.lock"])
    }
    Self.expectAccepted(try remote.run())
    #expect(server.finish().allSatisfy { $0.fault == nil })
  }

  @Test func `an explanation makes no index`() throws {
    let (folder, remote) = try Self.folders(to: 1)
    let explained = try eventually {
      var start = ProgramStart(
        try Binary.path("qmail-remote-explain"), [remote.host, remote.sender] + remote.recipients)
      start.environment = remote.environment
      let finished = try SpawnedProcess(start).finish()
      #expect(String(decoding: finished.output, as: UTF8.self).contains("(control/smtproutes:15001)"))
      var status = stat()
      stat("\(folder.path)/control/smtproutes", &status)
      return time(nil) > status.st_ctim.tv_sec + 2
    }
    #expect(explained)
    #expect(try Self.kept(folder).isEmpty)
  }
}
