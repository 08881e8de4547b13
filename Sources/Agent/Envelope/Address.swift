// An envelope address: the bytes of argv, and the form that stands between < and > on the wire. Knows nothing of DNS or of rules
// about which addresses are wanted.

/// A sender or recipient of the envelope.
public struct Address: Equatable, Sendable {
  /// As it came in argv. Every look-up uses this form.
  public let raw: Bytes
  /// The canonical form: the local part quoted where RFC 5321 section 4.1.2 demands it, the domain as it came.
  public let mailbox: Bytes

  public init(_ raw: Bytes) {
    self.raw = raw
    // No `@`: the whole string as it is, so that the null sender stays empty and a bare local part is not touched.
    guard let at = raw.lastIndex(of: UInt8(ascii: "@")) else {
      mailbox = raw
      return
    }
    mailbox = Address.quoted(raw[..<at]) + raw[at...]
  }

  /// The empty reverse path of a bounce (RFC 5321 section 4.5.5).
  public var isNull: Bool { raw.isEmpty }

  /// What follows the last `@`; nil without one.
  public var domain: ArraySlice<UInt8>? {
    raw.lastIndex(of: UInt8(ascii: "@")).map { raw[($0 + 1)...] }
  }

  /// Longest domain that DNS can carry as text (RFC 1035 section 3.1).
  static let domainLimit = 255
  /// RFC 5321 section 4.5.3.1.4 gives a command line 512 bytes, extensions add to it (1870, 4954); no server is known that
  /// takes 1,000 and not the address alone.
  static let commandLimit = 1_000

  /// Why no command line can carry the address; nil when one can. A line end in it would be a command of the sender's choice.
  var fault: String? {
    if raw.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) {
      return "contains a line end or a null byte"
    }
    if let domain, domain.count > Address.domainLimit { return "has a domain of more than \(Address.domainLimit) bytes" }
    if mailbox.count + "MAIL FROM:<>\r\n".utf8.count > Address.commandLimit { return "is longer than a command line" }
    return nil
  }

  private static func quoted(_ localPart: ArraySlice<UInt8>) -> Bytes {
    guard needsQuotes(localPart) else { return Bytes(localPart) }
    var quoted = Bytes("\"")
    for byte in localPart {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
      quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }

  private static func needsQuotes(_ localPart: ArraySlice<UInt8>) -> Bool {
    guard let first = localPart.first, let last = localPart.last else { return true }
    let dot = UInt8(ascii: ".")
    if first == dot || last == dot { return true }
    var previous: UInt8 = 0
    for byte in localPart {
      if !isAtomText(byte) || (byte == dot && previous == dot) { return true }
      previous = byte
    }
    return false
  }

  /// `atext` of RFC 5322 section 3.2.3, and the dot.
  private static func isAtomText(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-./=?^_`{|}~".utf8.contains(byte)
    }
  }
}
