// Datagrams to one address and from it. Knows nothing of what is in them.
internal import CSystem

/// A UDP socket that is connected, so that nobody else's datagrams come in.
package final class DatagramSocket {
  /// An error number.
  package struct Fault: Error {
    package let number: Int32
  }

  private let descriptor: FileDescriptor

  /// For poll(2).
  package var number: Int32 { descriptor.number }

  package init(to address: IPAddress, port: UInt16) throws(Fault) {
    let number = csys_udp_socket(address.family)
    guard number >= 0 else { throw Fault(number: csys_errno()) }
    descriptor = FileDescriptor(owning: number)
    guard unsafe address.withSocketAddress(port: port, { unsafe connect(number, $0, $1) }) == 0 else {
      throw Fault(number: csys_errno())
    }
  }

  package func send(_ bytes: Bytes) throws(Fault) {
    let sent = unsafe bytes.withUnsafeBytes { unsafe csys_send(number, $0.baseAddress, $0.count) }
    guard sent == bytes.count else { throw Fault(number: csys_errno()) }
  }

  /// - Returns: a datagram, at most `limit` bytes of it; nil if there is none now.
  package func receive(limit: Int) throws(Fault) -> Bytes? {
    if let bytes = FileDescriptor.read(number, limit: limit) { return bytes }
    guard csys_errno() == EAGAIN else { throw Fault(number: csys_errno()) }
    return nil
  }
}
