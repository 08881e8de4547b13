// Mail servers of other people, each in a network of its own: so the port can be a fixed one, and tests don't meet.
import Foundation
import Support

/// A server process on the loopback address of its own network.
final class RealServer: Sendable {
  let network: NetworkNamespace
  private let process: SpawnedProcess
  private let programs: String

  static let port: UInt16 = 2_525

  /// Starts a program and waits until it takes connections.
  /// - Parameter package: the Debian package that the program comes from.
  init(_ program: String, _ operands: [String], ports: [UInt16] = [RealServer.port], package: String) throws {
    programs = program
    let network = try NetworkNamespace()
    self.network = network
    // A server that outlives its test, because that crashed, shouldn't do so for long.
    var start = ProgramStart("/usr/bin/timeout", ["--kill-after=5", "300", program] + operands)
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]
    start.input = .file("/dev/null")
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw SpawnFault(description: "\(program) is missing; it is in the package \(package)")
    }
    process = try network.run { [start] in try SpawnedProcess(start) }
    let isUp = try network.run { [process] in
      eventually { process.isOver || ports.allSatisfy(RealServer.accepts) }
    }
    guard isUp, !process.isOver else {
      process.send(signal: SIGKILL)
      let finished = process.finish(within: 5)
      throw SpawnFault(description: "\(program) doesn't run: \(visible(finished.errors)) \(visible(finished.output))")
    }
  }

  /// Delivers in the server's network.
  func run(_ remote: Remote) throws -> FinishedProcess { try network.run { try remote.run() } }

  func stop() throws {
    process.send(signal: SIGTERM)
    guard process.finish(within: 20).ending != .tookTooLong else {
      throw SpawnFault(description: "\(programs) doesn't stop")
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
