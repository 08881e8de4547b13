// A real TCP server whose every move a test decides, and which remembers what the other side did.
import Foundation

/// What a server saw of one connection.
public struct Dialogue: Sendable {
  /// The lines that were read as lines, without their CRLF.
  public var lines: [String] = []
  /// What each recv(2) gave: a flight of commands is one of them.
  public var segments: [[UInt8]] = []
  /// What was read as a message, as it was on the wire.
  public var bodies: [[UInt8]] = []
  /// How the serving ended, if not as the script wanted it.
  public var fault: PeerFault?
  /// The script has come to its end.
  public var isOver = false
}

/// A dialogue that went otherwise than the script of the server.
public enum PeerFault: Error, Equatable, Sendable {
  case closed(wanted: String)
  case reset(wanted: String)
  case timedOut(wanted: String)
  case unexpected(String, wanted: String)
}

/// Listens on a port of its own, and serves one connection after the other on a thread.
public final class ScriptedServer: Sendable {
  public let port: UInt16
  private let listener: Int32
  private let records = Shared<[Dialogue]>([])
  private let released = Promise<Void>()
  private let stopping = Shared(false)
  private let stopped = Promise<Void>()

  /// In the network namespace of the calling thread.
  /// - Parameters:
  ///   - port: 0 for a free one.
  ///   - serve: the script, called for each connection; the connection is closed after it.
  public init(
    address: String = "127.0.0.1", port: UInt16 = 0, serve: @escaping @Sendable (Peer) throws -> Void
  ) throws {
    (listener, self.port) = try ScriptedServer.listen(address, port)
    Thread.detachNewThread { [self] in
      while let connection = accept() { handle(connection, serve) }
      close(listener)
      stopped.keep(())
    }
  }

  private func handle(_ connection: Int32, _ serve: (Peer) throws -> Void) {
    let index = records.change {
      $0.append(Dialogue())
      return $0.count - 1
    }
    let peer = Peer(connection, released: released) { [records] edit in records.change { edit(&$0[index]) } }
    var fault: PeerFault?
    do {
      try serve(peer)
    } catch {
      fault = error as? PeerFault ?? .unexpected("\(error)", wanted: "no other error")
    }
    peer.close()
    records.change {
      $0[index].fault = fault
      $0[index].isOver = true
    }
  }

  /// The connections so far, in order.
  public var dialogues: [Dialogue] { records.value }

  /// Ends stalls, serves the connections that have come, and takes no more.
  /// - Returns: all dialogues.
  @discardableResult
  public func finish(within seconds: Double = 30) -> [Dialogue] {
    released.keep(())
    stopping.change { $0 = true }
    _ = stopped.wait(seconds: seconds)
    return records.value
  }

  /// nil when the server stops and no connection waits.
  private func accept() -> Int32? {
    while true {
      let isLast = stopping.value
      var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      guard poll(&polled, 1, 10) > 0 else {
        if isLast { return nil }
        continue
      }
      let connection = Foundation.accept(listener, nil, nil)
      if connection >= 0 {
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        // A reply is on its way when it has been sent; otherwise a reset would take back those that wait for an acknowledgement.
        var one: Int32 = 1
        setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        return connection
      }
      if errno != EINTR && errno != ECONNABORTED { return nil }
    }
  }

  private static func listen(_ address: String, _ port: UInt16) throws -> (Int32, UInt16) {
    let socketAddress = try SocketName(address, port)
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(socketAddress.family, kind, 0)
    guard descriptor >= 0 else { throw SpawnFault(description: "socket: \(String(cString: strerror(errno)))") }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    guard socketAddress.bind(descriptor), Foundation.listen(descriptor, 16) == 0, let bound = SocketName.port(of: descriptor)
    else {
      let reason = String(cString: strerror(errno))
      Foundation.close(descriptor)
      throw SpawnFault(description: "listening on \(address):\(port): \(reason)")
    }
    return (descriptor, bound)
  }
}

/// An address and a port as bind(2) wants them.
public struct SocketName {
  private var storage = sockaddr_in6()
  private let length: socklen_t
  public let family: Int32

  public init(_ address: String, _ port: UInt16) throws {
    var v4 = in_addr()
    if inet_pton(AF_INET, address, &v4) == 1 {
      family = AF_INET
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let name = sockaddr_in(
        sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: v4, sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: name, as: sockaddr_in.self) }
      return
    }
    family = AF_INET6
    length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    storage.sin6_family = sa_family_t(AF_INET6)
    storage.sin6_port = port.bigEndian
    guard inet_pton(AF_INET6, address, &storage.sin6_addr) == 1 else {
      throw SpawnFault(description: "\(address) is no IP address")
    }
  }

  public func bind(_ descriptor: Int32) -> Bool {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.bind(descriptor, $0, length) == 0 }
    }
  }

  public func connect(_ descriptor: Int32) -> Bool {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, length) == 0 }
    }
  }

  /// The port that a socket is bound to.
  public static func port(of descriptor: Int32) -> UInt16? {
    var name = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let status = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
    }
    // The port stands at the same place for both families.
    return status == 0 ? UInt16(bigEndian: name.sin6_port) : nil
  }
}
