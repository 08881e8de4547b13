// A service over UDP whose answers a test writes: such as qmail-daned(8).
import Foundation

/// A socket on loopback that answers each datagram in a thread of its own, until it is told to stop.
public final class DatagramServer: Sendable {
  public let port: UInt16
  private let number: Int32
  private let address: sockaddr_in
  private let questions = LockedQuestions()
  private let ended = DispatchSemaphore(value: 0)

  final class LockedQuestions: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [[UInt8]] = []

    func add(_ question: [UInt8]) { lock.withLock { all.append(question) } }
    var list: [[UInt8]] { lock.withLock { all } }
  }

  /// In the network of the calling thread.
  /// - Parameter answer: nil for silence.
  public init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) throws {
    let number = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, size) + getsockname(number, $0, &size) }
    }
    guard number >= 0, bound == 0 else { throw SpawnFault(description: "no socket") }
    self.number = number
    self.address = address
    port = UInt16(bigEndian: address.sin_port)
    let (questions, ended) = (questions, ended)
    Thread.detachNewThread {
      defer { ended.signal() }
      while true {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &peer) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { recvfrom(number, &buffer, buffer.count, 0, $0, &size) }
        }
        // An empty datagram ends the thread.
        guard count > 0 else { return }
        let question = Array(buffer.prefix(count))
        questions.add(question)
        guard let reply = answer(question) else { continue }
        _ = withUnsafePointer(to: &peer) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sendto(number, reply, reply.count, 0, $0, size) }
        }
      }
    }
  }

  /// Ends the thread and closes the socket.
  @discardableResult
  public func stop() -> [[UInt8]] {
    var own = address
    _ = withUnsafePointer(to: &own) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(number, nil, 0, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    ended.wait()
    _ = close(number)
    return questions.list
  }
}
