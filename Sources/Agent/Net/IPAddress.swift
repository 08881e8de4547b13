// IP addresses as values: reading, printing, comparing, and the blocks of CIDR notation. Opens nothing.
internal import CSystem

/// An IPv4 or IPv6 address in network order.
public struct IPAddress: Hashable, Sendable {
  /// 4 or 16 bytes.
  public let bytes: Bytes

  public var isV6: Bool { bytes.count == 16 }

  /// - Parameter bytes: 4 or 16 of them; nil for any other count.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = Bytes(bytes)
  }

  /// An address in either notation, without brackets.
  public init?(_ text: some Collection<UInt8>) {
    let bytes = Bytes(text)
    guard let address = IPAddress(v4: bytes[...]) ?? IPAddress(v6: bytes[...]) else { return nil }
    self = address
  }

  /// Four decimal octets. Leading zeros are decimal too, as qmail has always read them; 256 is refused, which wrapped there.
  init?(v4 text: ArraySlice<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var octets = Bytes()
    for part in parts {
      guard part.count <= 10, let number = part.decimal, number <= 255 else { return nil }
      octets.append(UInt8(number))
    }
    bytes = octets
  }

  init?(v6 text: ArraySlice<UInt8>) {
    // 45 characters hold the longest notation, one with an IPv4 tail.
    guard text.contains(UInt8(ascii: ":")), text.count <= 45, !text.contains(0) else { return nil }
    var octets = Bytes(repeating: 0, count: 16)
    let terminated = Bytes(text) + [0]
    let read = unsafe terminated.withUnsafeBytes { source in
      unsafe octets.withUnsafeMutableBytes { target in
        unsafe inet_pton(AF_INET6, source.bindMemory(to: CChar.self).baseAddress, target.baseAddress)
      }
    }
    guard read == 1 else { return nil }
    bytes = octets
  }

  /// RFC 5952 text, without brackets.
  public var text: String {
    guard isV6 else { return "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3])" }
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let length = unsafe bytes.withUnsafeBytes { source in
      unsafe buffer.withUnsafeMutableBufferPointer { target -> Int in
        guard unsafe inet_ntop(AF_INET6, source.baseAddress, target.baseAddress, socklen_t(target.count)) != nil,
          let start = target.baseAddress
        else { return 0 }
        return unsafe strlen(start)
      }
    }
    return buffer[..<length].map { UInt8(bitPattern: $0) }.text
  }

  /// The IPv4 address inside `::ffff:0:0/96`, else the address itself: one host, however it is written.
  var unmapped: IPAddress {
    let prefix: Bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    guard isV6, bytes.starts(with: prefix), let v4 = IPAddress(bytes: bytes[12...]) else { return self }
    return v4
  }

  /// `127.0.0.0/8` and `::1`.
  var isLoopback: Bool { isV6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 : bytes.first == 127 }

  /// `0.0.0.0` and `::`, which connect to this host.
  var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
}

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3), or one address.
public struct IPBlock: Equatable, Sendable {
  let address: IPAddress
  let prefixLength: Int

  /// `address` or `address/length`; nil for anything else.
  public init?(_ text: some Collection<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = IPAddress(first) else { return nil }
    self.address = address
    let bits = address.bytes.count * 8
    guard parts.count == 2 else {
      prefixLength = bits
      return
    }
    guard let length = parts[1].decimal, length <= bits else { return nil }
    prefixLength = length
  }

  func contains(_ other: IPAddress) -> Bool {
    guard other.isV6 == address.isV6 else { return false }
    let whole = prefixLength / 8
    guard address.bytes[..<whole] == other.bytes[..<whole] else { return false }
    let rest = prefixLength % 8
    guard rest > 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> rest)
    return address.bytes[whole] & mask == other.bytes[whole] & mask
  }
}
