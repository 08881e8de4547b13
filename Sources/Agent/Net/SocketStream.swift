// TCP sockets: connecting and streaming, non-blocking under poll(2).
internal import CSystem

/// Connects with real sockets.
public struct SocketNetwork: Network {
  private let clock: any MonotonicClock

  public init(clock: any MonotonicClock) { self.clock = clock }

  public func connect(to candidate: Candidate, by deadline: Deadline) throws(TransportError) -> any ByteStream {
    let stream = try SocketStream(family: candidate.address.family, clock: clock)
    try stream.connect(to: candidate.address, port: candidate.port, by: deadline)
    return stream
  }
}

/// One TCP connection. A class, because the descriptor has one owner and a connection's layers share it.
final class SocketStream: ByteStream {
  private let descriptor: FileDescriptor
  private let clock: any MonotonicClock

  fileprivate init(family: Int32, clock: any MonotonicClock) throws(TransportError) {
    let number = csys_tcp_socket(family)
    guard number >= 0 else { throw .failed(csys_errno()) }
    descriptor = FileDescriptor(owning: number)
    self.clock = clock
  }

  fileprivate func connect(to address: IPAddress, port: UInt16, by deadline: Deadline) throws(TransportError) {
    let number = descriptor.number
    let status = unsafe address.withSocketAddress(port: port) { unsafe CSystem.connect(number, $0, $1) }
    if status == 0 { return }
    // An interrupted connect goes on as a non-blocking one does.
    guard csys_errno() == EINPROGRESS || csys_errno() == EINTR else { throw .failed(csys_errno()) }
    _ = try wait(for: POLLOUT, by: deadline)
    var reason: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 else { throw .failed(csys_errno()) }
    if reason == ETIMEDOUT { throw .timedOut }
    if reason != 0 { throw .failed(reason) }
  }

  func read(into buffer: inout Bytes, by deadline: Deadline) throws(TransportError) {
    while true {
      _ = try wait(for: POLLIN, by: deadline)
      if try readAvailable(into: &buffer) { return }
    }
  }

  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    while true {
      if let count = try writeAvailable(bytes) { return count }
      _ = try wait(for: POLLOUT, by: deadline)
    }
  }

  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout Bytes, by deadline: Deadline) throws(TransportError) -> Int {
    while true {
      if let count = try writeAvailable(bytes) { return count }
      guard try wait(for: POLLIN | POLLOUT, by: deadline) & POLLIN != 0 else { continue }
      do {
        if try readAvailable(into: &buffer) { return 0 }
      } catch {
        // Nothing more will be read; what is still to be sent goes or fails by itself.
        guard case .closed = error else { throw error }
        return try write(bytes, by: deadline)
      }
    }
  }

  var hasInput: Bool {
    var polled = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&polled, 1, 0) > 0
  }

  /// - Returns: what is possible, of `events`; errors count as all of it, and the next call tells which.
  private func wait(for events: Int32, by deadline: Deadline) throws(TransportError) -> Int32 {
    while true {
      var polled = pollfd(fd: descriptor.number, events: Int16(events), revents: 0)
      let count = unsafe poll(&polled, 1, deadline.milliseconds(from: clock.now()))
      if count > 0 {
        let seen = Int32(polled.revents)
        return seen & (POLLERR | POLLHUP | POLLNVAL) != 0 ? events : seen
      }
      if count == 0, deadline.hasPassed(at: clock.now()) { throw .timedOut }
      if count < 0, csys_errno() != EINTR { throw .failed(csys_errno()) }
    }
  }

  /// Replies are short; a long list of them takes a few calls more.
  private static let readSize = 4_096

  private func readAvailable(into buffer: inout Bytes) throws(TransportError) -> Bool {
    guard let block = FileDescriptor.read(descriptor.number, limit: SocketStream.readSize) else {
      guard csys_errno() == EAGAIN else { throw .failed(csys_errno()) }
      return false
    }
    if block.isEmpty { throw .closed }
    if buffer.isEmpty { buffer = block } else { buffer += block }
    return true
  }

  /// nil when nothing fits now.
  private func writeAvailable(_ bytes: ArraySlice<UInt8>) throws(TransportError) -> Int? {
    let number = descriptor.number
    let count = unsafe bytes.withUnsafeBytes { unsafe csys_send(number, $0.baseAddress, $0.count) }
    if count > 0 { return count }
    guard csys_errno() == EAGAIN else { throw .failed(csys_errno()) }
    return nil
  }
}
