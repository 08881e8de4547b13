// Lines to and from a process that a test talks with.
import Foundation

/// One end of a socket pair. Not for several threads at once.
public final class LineChannel: Sendable {
  private let descriptor: Int32
  private let rest = Shared<[UInt8]>([])

  private init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// - Returns: our end, and the descriptor that becomes the process's input and output; the caller closes that.
  public static func make() throws -> (LineChannel, Int32) {
    var ends: [Int32] = [0, 0]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw SpawnFault(description: "socketpair: \(String(cString: strerror(errno)))")
    }
    return (LineChannel(ends[0]), ends[1])
  }

  /// - Parameter line: without its end.
  public func send(_ line: [UInt8]) throws {
    let bytes = line + [10]
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 || errno == EINTR else {
        throw SpawnFault(description: "a process that is talked with: \(String(cString: strerror(errno)))")
      }
      sent += max(count, 0)
    }
  }

  /// - Returns: the next line without its end; nil when the other end is closed.
  /// - Throws: when nothing comes in time.
  public func line(within seconds: Double = 60) throws -> [UInt8]? {
    let limit = TimeLimit(seconds: seconds)
    var held = rest.value
    while true {
      if let end = held.firstIndex(of: 10) {
        let line = Array(held[..<end])
        held.removeSubrange(...end)
        rest.change { [held] in $0 = held }
        return line
      }
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wait, 1, limit.milliseconds) != 0 else {
        throw SpawnFault(description: "a process that is talked with says nothing more than \(visible(held))")
      }
      var block = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &block, block.count, 0)
      if count == 0 || (count < 0 && errno != EINTR) { return nil }
      held += block.prefix(max(count, 0))
    }
  }
}
