// An envelope address: the bytes of argv, and the form that stands between < and > on the wire. Knows nothing of DNS or of rules
// about which addresses are wanted.

/// A sender or recipient of the envelope.
public struct Address: Equatable, Sendable {
  /// As it came in argv. Every look-up uses this form.
  public let raw: Bytes
  /// The canonical form: the local part quoted where RFC 5321 section 4.1.2 demands it, the domain as it came.
  public let mailbox: Bytes
  /// The same for a server that takes SMTPUTF8: bytes above 127 need no quotes, and the domain may be a U-label (RFC 6531 section 3.3).
  public let internationalMailbox: Bytes
  /// The canonical form without quotes: local part as it came, domain as in `mailbox`. For protocols that count bytes.
  public let unquoted: Bytes

  public init(_ raw: Bytes) { self.init(raw, asciiDomain: nil) }

  private init(_ raw: Bytes, asciiDomain: Bytes?) {
    self.raw = raw
    // No `@`: the whole string as it is, so that the null sender stays empty and a bare local part is not touched.
    guard let at = raw.lastIndex(of: UInt8(ascii: "@")) else {
      mailbox = raw
      internationalMailbox = raw
      unquoted = raw
      return
    }
    let localPart = raw[..<at]
    let domainPart = asciiDomain.map { Bytes("@") + $0 } ?? Bytes(raw[at...])
    mailbox = Address.quoted(localPart, isInternational: false) + domainPart
    unquoted = localPart + domainPart
    internationalMailbox = Address.quoted(localPart, isInternational: true) + raw[at...]
  }

  /// With the domain's A-label in the canonical form.
  /// - Throws: 5.1.2 when the domain has none.
  func withALabel() throws(DeliveryFailure) -> Address {
    guard let domain, domain.contains(where: { $0 > 127 }) else { return self }
    return Address(raw, asciiDomain: try Domain.aLabel(of: domain))
  }

  /// Only SMTPUTF8 can carry the local part.
  var needsSMTPUTF8: Bool { raw.prefix(raw.count - (domain.map { $0.count + 1 } ?? 0)).contains { $0 > 127 } }

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

  /// The command that carries an address.
  package enum Role: String {
    case sender = "MAIL FROM:<>"
    case recipient = "RCPT TO:<>"
  }

  /// Why no command line can carry the address; nil when one can. A line end in it would be a command of the sender's choice.
  package func fault(as role: Role) -> String? {
    if raw.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) {
      return "contains a line end or a null byte"
    }
    if let domain, domain.count > Address.domainLimit { return "has a domain of more than \(Address.domainLimit) bytes" }
    if mailbox.count + role.rawValue.utf8.count + 2 > Address.commandLimit { return "is longer than a command line" }
    return nil
  }

  private static func quoted(_ localPart: ArraySlice<UInt8>, isInternational: Bool) -> Bytes {
    guard needsQuotes(localPart, isInternational) else { return Bytes(localPart) }
    var quoted = Bytes("\"")
    for byte in localPart {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
      quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }

  private static func needsQuotes(_ localPart: ArraySlice<UInt8>, _ isInternational: Bool) -> Bool {
    guard let first = localPart.first, let last = localPart.last else { return true }
    let dot = UInt8(ascii: ".")
    if first == dot || last == dot { return true }
    var previous: UInt8 = 0
    for byte in localPart {
      if !(isAtomText(byte) || isInternational && byte > 127) || (byte == dot && previous == dot) { return true }
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
