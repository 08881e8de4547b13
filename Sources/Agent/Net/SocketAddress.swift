// IP addresses in the form the system calls want them.
internal import CSystem

extension IPAddress {
  /// The address inside a `sockaddr`; nil for other families.
  @unsafe init?(_ socketAddress: UnsafePointer<sockaddr>) {
    let raw = unsafe UnsafeRawPointer(socketAddress)
    switch unsafe Int32(socketAddress.pointee.sa_family) {
    case AF_INET:
      let v4 = unsafe raw.loadUnaligned(as: sockaddr_in.self)
      self.init(bytes: unsafe withUnsafeBytes(of: v4.sin_addr) { unsafe Bytes($0) })
    case AF_INET6:
      let v6 = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
      self.init(bytes: unsafe withUnsafeBytes(of: v6.sin6_addr) { unsafe Bytes($0) })
    default: return nil
    }
  }

  var family: Int32 { isV6 ? AF_INET6 : AF_INET }

  /// Calls `body` with the address and a port as a `sockaddr`.
  func withSocketAddress<Result>(port: UInt16, scope: UInt32 = 0, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result)
    -> Result
  {
    if isV6 {
      var v6 = sockaddr_in6()
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      v6.sin6_scope_id = scope
      unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
      return unsafe withUnsafePointer(to: &v6) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
    var v4 = sockaddr_in()
    v4.sin_family = sa_family_t(AF_INET)
    v4.sin_port = port.bigEndian
    unsafe withUnsafeMutableBytes(of: &v4.sin_addr) { unsafe $0.copyBytes(from: bytes) }
    return unsafe withUnsafePointer(to: &v4) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
