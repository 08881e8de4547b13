// A descriptor with an owner: closed once, when the owner goes.
internal import CSystem

/// Owns a file descriptor.
package struct FileDescriptor: ~Copyable {
  package let number: Int32

  package init(owning number: Int32) { self.number = number }

  deinit { _ = close(number) }

  /// One read(2) of a descriptor, whoever owns it.
  /// - Returns: at most `limit` bytes, none at the end; nil on failure, with errno.
  package static func read(_ number: Int32, limit: Int) -> Bytes? {
    unsafe filled(limit) { unsafe csys_read(number, $0, limit) }
  }

  /// Waits until a read has something to say, be it the end or an error.
  /// - Returns: false when it has nothing in time.
  static func awaitInput(_ number: Int32, by deadline: Deadline, clock: any MonotonicClock) -> Bool {
    while true {
      var polled = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      let count = unsafe poll(&polled, 1, deadline.milliseconds(from: clock.now()))
      if count > 0 { return true }
      if count == 0, deadline.hasPassed(at: clock.now()) { return false }
      if count < 0, csys_errno() != EINTR { return true }
    }
  }

  /// One pread(2), likewise: the descriptor's own position doesn't move.
  static func read(_ number: Int32, at offset: off_t, limit: Int) -> Bytes? {
    unsafe filled(limit) { unsafe csys_pread(number, $0, limit, offset) }
  }

  @unsafe private static func filled(_ limit: Int, _ read: (UnsafeMutableRawPointer?) -> Int) -> Bytes? {
    var count = 0
    let bytes = unsafe Bytes(unsafeUninitializedCapacity: limit) { buffer, filled in
      count = unsafe read(UnsafeMutableRawPointer(buffer.baseAddress))
      filled = max(count, 0)
    }
    return count < 0 ? nil : bytes
  }
}
