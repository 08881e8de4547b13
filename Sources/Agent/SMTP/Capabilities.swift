// What a server offers in its reply to EHLO (RFC 5321 section 4.1.1.1).

/// The extensions that a delivery uses.
public struct Capabilities: Equatable, Sendable {
  /// RFC 2920.
  public private(set) var pipelining = false
  /// RFC 3030.
  public private(set) var chunking = false
  /// RFC 6152.
  public private(set) var eightBitMIME = false
  /// RFC 1870.
  public private(set) var size = false
  /// RFC 6531.
  public private(set) var smtpUTF8 = false

  /// Of a server that only knows HELO.
  public init() {}

  /// Reads the keywords of each line but the first, which is the greeting. Case doesn't count.
  public init(_ reply: Reply) {
    for line in reply.lines.dropFirst() {
      let keyword = line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\t") }
      switch Bytes(keyword.map(\.lowered)).text {
      case "pipelining": pipelining = true
      case "chunking": chunking = true
      case "8bitmime": eightBitMIME = true
      case "size": size = true
      case "smtputf8": smtpUTF8 = true
      default: break
      }
    }
  }
}
