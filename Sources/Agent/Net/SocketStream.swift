// A connected TCP socket as a stream, non-blocking under poll(2).
internal import CSystem

/// One TCP connection. A class, because the descriptor has one owner and a connection's layers share it.
final class SocketStream: ByteStream {
  private let descriptor: FileDescriptor
  private let clock: any MonotonicClock

  init(_ descriptor: consuming FileDescriptor, clock: any MonotonicClock) {
    self.descriptor = descriptor
    self.clock = clock
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
