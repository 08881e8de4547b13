// Whether the resolver's word on DNSSEC may be believed (D4): the AD bit is not signed, so it has to come over a path that nobody else
// writes to. That is loopback, or what the administrator vouches for.
internal import CSystem

enum ResolverTrust {
  /// Every one of the servers is on this machine.
  /// - Parameter servers: in the form of QMAILREMOTE_RESOLVER.
  static func isLocal(servers: Bytes) -> Bool {
    let entries = servers.split(separator: UInt8(ascii: ","))
    return !entries.isEmpty && entries.allSatisfy { address(inServer: Bytes($0).trimmed)?.isLoopback == true }
  }

  /// Every nameserver of a resolv.conf is on this machine, or it says `options trust-ad` (resolv.conf(5)). Without a nameserver line the
  /// library asks this machine.
  static func isTrusted(resolvConf: Bytes) -> Bool {
    var isLocal = true
    var vouched = false
    for line in resolvConf.split(separator: UInt8(ascii: "\n")) {
      let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
      switch words.first?.text {
      case "nameserver": isLocal = isLocal && words.count > 1 && IPAddress(words[1])?.isLoopback == true
      case "options": vouched = vouched || words.contains { $0.elementsEqual("trust-ad".utf8) }
      default: break
      }
    }
    return isLocal || vouched
  }

  /// As `isTrusted(resolvConf:)` for the system's file. A file that can't be read is no reason to believe anything.
  static func systemIsTrusted() -> Bool {
    let number = unsafe csys_open("/etc/resolv.conf", O_RDONLY)
    guard number >= 0 else { return csys_errno() == ENOENT }
    let descriptor = FileDescriptor(owning: number)
    // What is longer than any resolv.conf is not read to its end, and then not believed.
    guard let bytes = FileDescriptor.read(descriptor.number, limit: sizeLimit), bytes.count < sizeLimit else { return false }
    return isTrusted(resolvConf: bytes)
  }

  private static let sizeLimit = 65_536

  /// `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`.
  private static func address(inServer server: Bytes) -> IPAddress? {
    if server.first == UInt8(ascii: "["), let bracket = server.firstIndex(of: UInt8(ascii: "]")) {
      return IPAddress(server[1..<bracket])
    }
    return IPAddress(server) ?? server.lastIndex(of: UInt8(ascii: ":")).flatMap { IPAddress(server[..<$0]) }
  }
}

extension Bytes {
  /// Without blanks at either end.
  fileprivate var trimmed: Bytes { Bytes(drop { $0 == UInt8(ascii: " ") }.trimmedAtEnd) }
}
