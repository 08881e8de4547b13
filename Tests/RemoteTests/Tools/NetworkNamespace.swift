// Networks of a test's own: namespaces without a name, which the kernel removes with the last thing in them, however the test ends.
import Foundation
import Support

/// A network namespace of the kernel (network_namespaces(7)). Sockets and processes that are made in it stay in it.
final class NetworkNamespace: Sendable {
  private let descriptor: Int32

  /// - Throws: when the test may not make namespaces; it has to run as root.
  init() throws {
    descriptor = try NetworkNamespace.onOwnThread {
      guard GNUFunctions.makeNetworkNamespace() else {
        throw SpawnFault(
          description: "a network namespace can't be made, the tests have to run as root: \(String(cString: strerror(errno)))")
      }
      let descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw SpawnFault(description: "the new network namespace can't be opened") }
      return descriptor
    }
    try command("ip", "link", "set", "lo", "up")
  }

  /// A network whose sockets keep next to nothing: who writes has to wait for the reader, as on a slow line, and what is read was
  /// sent just now. With the usual megabytes no side of a test would ever wait.
  static func narrow() throws -> NetworkNamespace {
    let network = try NetworkNamespace()
    try network.set("ipv4/tcp_wmem", "4096 4096 4096")
    try network.set("ipv4/tcp_rmem", "4096 4096 4096")
    return network
  }

  deinit { close(descriptor) }

  /// Calls `body` in the namespace.
  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    try NetworkNamespace.onOwnThread { [descriptor] in
      guard GNUFunctions.enterNetworkNamespace(descriptor) else {
        throw SpawnFault(description: "the network namespace can't be entered: \(String(cString: strerror(errno)))")
      }
      return try body()
    }
  }

  /// Runs a command in the namespace.
  /// - Throws: when it fails.
  func command(_ program: String, _ operands: String...) throws {
    let finished = try run {
      var start = ProgramStart(program, operands)
      start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
      start.input = .file("/dev/null")
      return try SpawnedProcess(start).finish(within: 20)
    }
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "\(program) \(operands.joined(separator: " ")): \(visible(finished.errors))")
    }
  }

  /// Writes a file below /proc/sys/net.
  func set(_ name: String, _ value: String) throws {
    try run {
      guard let file = fopen("/proc/sys/net/\(name)", "w") else { throw SpawnFault(description: "\(name) can't be set") }
      fputs(value, file)
      guard fclose(file) == 0 else { throw SpawnFault(description: "\(name) can't be set to \(value)") }
    }
  }

  /// Joins two namespaces by a cable.
  func join(_ other: NetworkNamespace, _ name: String, _ otherName: String) throws {
    let path = "/proc/\(getpid())/fd/\(other.descriptor)"
    try command("ip", "link", "add", name, "type", "veth", "peer", "name", otherName, "netns", path)
  }

  /// A thread that enters a namespace is never given back to anybody else.
  private static func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    let outcome = Promise<Swift.Result<Result, any Error>>()
    Thread.detachNewThread { outcome.keep(Swift.Result { try body() }) }
    guard let outcome = outcome.wait(seconds: 300) else { throw SpawnFault(description: "a namespace's thread got lost") }
    return try outcome.get()
  }
}
