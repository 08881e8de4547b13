// A name server that says over UDP and TCP exactly the bytes that a test wants to be said, when the test wants it.
import Foundation
import Support

@testable import Agent

final class HandmadeNameServer: Sendable {
  /// A question as it came.
  struct Query: Sendable {
    let bytes: [UInt8]
    let name: String
    /// nil for a type that the program has no business with.
    let type: RecordType?
    let isTCP: Bool
    /// Whether the AD bit asks for the status of DNSSEC.
    let asksValidation: Bool
    fileprivate let sender: sockaddr_in
  }

  /// Which bytes go out now, and as answers to which questions. Over TCP only those to the question at hand do.
  typealias Behaviour = @Sendable (Query) -> [(query: Query, bytes: [UInt8])]

  let port: UInt16
  private let datagrams: Int32
  private let listener: Int32
  private let behaviour: Behaviour
  private let asked = Shared<[Query]>([])
  private let stopping = Promise<Void>()
  private let stopped = Promise<Void>()

  /// For QMAILREMOTE_RESOLVER.
  var resolver: String { "127.0.0.1:\(port)" }

  /// The questions so far, in the order they came.
  var queries: [Query] { asked.value }

  /// On loopback in the network of the calling thread.
  /// - Parameter hasTCP: whether anybody listens for streams.
  init(hasTCP: Bool = true, _ behaviour: @escaping Behaviour) throws {
    self.behaviour = behaviour
    (datagrams, listener, port) = try HandmadeNameServer.sockets(hasTCP)
    Thread.detachNewThread { [self] in serve() }
  }

  /// - Returns: all questions.
  @discardableResult
  func finish() -> [Query] {
    stopping.keep(())
    _ = stopped.wait(seconds: 10)
    return queries
  }

  private static func sockets(_ hasTCP: Bool) throws -> (Int32, Int32, UInt16) {
    // The port that is free for datagrams may not be for streams.
    for _ in 0..<20 {
      let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      guard try SocketName("127.0.0.1", 0).bind(datagrams), let port = SocketName.port(of: datagrams) else { break }
      guard hasTCP else { return (datagrams, -1, port) }
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      if try SocketName("127.0.0.1", port).bind(listener), listen(listener, 16) == 0 { return (datagrams, listener, port) }
      close(datagrams)
      close(listener)
    }
    throw SpawnFault(description: "a name server of the test's own: \(String(cString: strerror(errno)))")
  }

  private func serve() {
    while stopping.now == nil {
      var polled = [datagrams, listener].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&polled, 2, 10) > 0 else { continue }
      if polled[0].revents != 0 { answerDatagram() }
      if polled[1].revents != 0 { answerStream() }
    }
    close(datagrams)
    if listener >= 0 { close(listener) }
    stopped.keep(())
  }

  private func answerDatagram() {
    var block = [UInt8](repeating: 0, count: 4_096)
    var sender = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let count = withUnsafeMutablePointer(to: &sender) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(datagrams, &block, block.count, 0, $0, &length) }
    }
    guard count > 0, let query = take(Array(block[..<count]), isTCP: false, sender) else { return }
    for (query, bytes) in behaviour(query) {
      var receiver = query.sender
      _ = withUnsafePointer(to: &receiver) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(datagrams, bytes, bytes.count, 0, $0, length) }
      }
    }
  }

  /// One question and its answers, behind their lengths (RFC 1035 section 4.2.2).
  private func answerStream() {
    let connection = accept(listener, nil, nil)
    guard connection >= 0 else { return }
    defer { close(connection) }
    guard let length = read(2, from: connection), let bytes = read(Int(length[0]) << 8 | Int(length[1]), from: connection),
      let query = take(bytes, isTCP: true, sockaddr_in())
    else { return }
    for (_, bytes) in behaviour(query) {
      var rest = (DNSWire.word(bytes.count) + bytes)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
    // The asker has what it wants when it goes.
    _ = read(1, from: connection)
  }

  private func read(_ count: Int, from connection: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var polled = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
      var block = [UInt8](repeating: 0, count: count - bytes.count)
      guard poll(&polled, 1, 10_000) > 0 else { return nil }
      let received = recv(connection, &block, block.count, 0)
      guard received > 0 else { return nil }
      bytes += block[..<received]
    }
    return bytes
  }

  private func take(_ bytes: [UInt8], isTCP: Bool, _ sender: sockaddr_in) -> Query? {
    var labels: [String] = []
    var offset = 12
    while offset < bytes.count, bytes[offset] > 0 {
      let end = offset + 1 + Int(bytes[offset])
      guard end < bytes.count else { return nil }
      labels.append(String(decoding: bytes[(offset + 1)..<end], as: UTF8.self))
      offset = end
    }
    guard offset + 4 < bytes.count else { return nil }
    let type = UInt16(bytes[offset + 1]) << 8 | UInt16(bytes[offset + 2])
    let query = Query(
      bytes: bytes, name: labels.joined(separator: "."), type: RecordType(rawValue: type), isTCP: isTCP,
      asksValidation: bytes[3] & 0x20 != 0, sender: sender)
    asked.change { $0.append(query) }
    return query
  }
}

/// A network with nothing in it but such a name server, so that no address of the machine gets in the way.
final class DNSCell: Sendable {
  let server: HandmadeNameServer
  private let network: NetworkNamespace

  init(hasTCP: Bool = true, _ behaviour: @escaping HandmadeNameServer.Behaviour) throws {
    let network = try NetworkNamespace()
    server = try network.run { try HandmadeNameServer(hasTCP: hasTCP, behaviour) }
    self.network = network
  }

  /// Answers each question with one response.
  convenience init(answering: @escaping @Sendable (HandmadeNameServer.Query) -> DNSResponse?) throws {
    try self.init { query in answering(query).map { [(query, $0.bytes)] } ?? [] }
  }

  deinit { server.finish() }

  /// What the program prints here.
  func explain(_ row: LookupCase, within seconds: Double = 60) throws -> String {
    try network.run { [resolver = server.resolver] in try Explain.run(row, resolver: resolver, within: seconds) }
  }
}
