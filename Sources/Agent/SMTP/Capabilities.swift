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
  /// The mechanisms of RFC 4954, in capitals, each once, in the server's order.
  public private(set) var mechanisms: [String] = []
  /// RFC 3207.
  public private(set) var startTLS = false

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
      // `AUTH=` is how servers wrote it before RFC 2554.
      case "auth": addMechanisms(line.dropFirst(keyword.count + 1))
      case "starttls": startTLS = true
      default: break
      }
    }
  }

  /// What is no name of a mechanism (RFC 4422 section 3.1) is passed over.
  private mutating func addMechanisms(_ words: ArraySlice<UInt8>) {
    for word in words.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      let isName =
        word.count <= 20 && word.allSatisfy { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
      let name = word.text.uppercased()
      if isName, !mechanisms.contains(name), mechanisms.count < Capabilities.mechanismLimit { mechanisms.append(name) }
    }
  }

  /// IANA's registry has fewer.
  private static let mechanismLimit = 100
}
