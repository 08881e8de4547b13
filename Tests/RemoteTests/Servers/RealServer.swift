// Mail servers of other people, each in a network of its own: so the port can be a fixed one, and tests don't meet.
import Foundation
import Support

/// How a server is started.
struct ServerStart: Sendable {
  var program: String
  var operands: [String]
  /// The ports that it listens on when it is up.
  var ports = [RealServer.port]
  /// The Debian package that the program comes from.
  var package: String
  var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]
  var room = ServerRoom()
  /// A file for what it prints; nil: that is shown when the server doesn't start.
  var log: String?

  init(_ program: String, _ operands: [String], package: String) {
    self.program = program
    self.operands = operands
    self.package = package
  }
}

/// A server process on the loopback address of its own network.
final class RealServer: Sendable {
  let network: NetworkNamespace
  private let process: SpawnedProcess
  private let program: String
  /// Of the room.
  private let folder: TemporaryFolder

  static let port: UInt16 = 2_525
  /// For TLS from the first byte.
  static let implicitPort: UInt16 = 2_465

  /// Starts a program and waits until it takes connections.
  /// - Parameter package: the Debian package that the program comes from.
  convenience init(_ program: String, _ operands: [String], ports: [UInt16] = [RealServer.port], package: String) throws {
    var start = ServerStart(program, operands, package: package)
    start.ports = ports
    try self.init(start)
  }

  /// - Parameter network: with what else runs there; nil for a new one.
  init(_ start: ServerStart, in network: NetworkNamespace? = nil) throws {
    program = start.program
    folder = try TemporaryFolder()
    let network = try network ?? NetworkNamespace()
    self.network = network
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw SpawnFault(description: "\(program) is missing; it is in the package \(start.package)")
    }
    // A server that outlives its test, because that crashed, shouldn't do so for long.
    let command = ["--kill-after=5", "300"] + (try start.room.wrap([program] + start.operands, folder))
    var timed = ProgramStart("/usr/bin/timeout", command)
    timed.environment = start.environment
    timed.input = .file("/dev/null")
    let log = try start.log.map { try RealServer.open($0) }
    defer { if let log { close(log) } }
    if let log {
      timed.output = .descriptor(log)
      timed.errors = .descriptor(log)
    }
    process = try network.run { [timed] in try SpawnedProcess(timed) }
    let isUp = try network.run { [process] in
      eventually { process.isOver || start.ports.allSatisfy(RealServer.accepts) }
    }
    guard isUp, !process.isOver else {
      process.send(signal: SIGKILL)
      let finished = process.finish(within: 5)
      let said = start.log.flatMap { FileManager.default.contents(atPath: $0) }.map { visible($0) } ?? ""
      throw SpawnFault(description: "\(program) doesn't run: \(visible(finished.errors)) \(visible(finished.output)) \(said)")
    }
  }

  /// Delivers in the server's network.
  func run(_ remote: Remote) throws -> FinishedProcess { try network.run { try remote.run() } }

  func stop() throws {
    process.send(signal: SIGTERM)
    guard process.finish(within: 20).ending != .tookTooLong else {
      throw SpawnFault(description: "\(program) doesn't stop")
    }
  }

  /// Runs a command that prepares a server.
  /// - Throws: when it fails.
  static func command(_ program: String, _ operands: [String], input: [UInt8] = [], package: String) throws {
    var start = ProgramStart(program, operands)
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    start.input = .pipe(input)
    let finished = try SpawnedProcess(start).finish(within: 30)
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "\(program) \(operands): \(visible(finished.errors)) (package \(package))")
    }
  }

  /// For a test that fails before it stops the server.
  deinit { process.send(signal: SIGTERM) }

  private static func open(_ log: String) throws -> Int32 {
    let descriptor = Foundation.open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SpawnFault(description: "\(log): \(String(cString: strerror(errno)))") }
    return descriptor
  }

  private static func accepts(_ port: UInt16) -> Bool {
    guard let name = try? SocketName("127.0.0.1", port) else { return false }
    let descriptor = socket(name.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return name.connect(descriptor)
  }
}

extension TemporaryFolder {
  /// Waits for the messages of a mailbox in the format Maildir, and takes them out.
  func takeMessages(of box: String, count: Int, log: () -> String) throws -> [[UInt8]] {
    let new = "\(path)/\(box)/new"
    var names: [String] = []
    guard
      eventually({
        names = (try? FileManager.default.contentsOfDirectory(atPath: new)) ?? []
        return names.count >= count
      })
    else { throw SpawnFault(description: "\(names.count) messages in \(box) instead of \(count): \(log().suffix(2_000))") }
    return try names.sorted().map { name in
      let message = try read("\(box)/new/\(name)")
      try FileManager.default.removeItem(atPath: "\(new)/\(name)")
      return message
    }
  }
}
