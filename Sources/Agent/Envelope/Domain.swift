// The host operand: where the envelope wants to go, before any route. Knows how literals are written, not what they lead to.

/// A domain or an address literal, as the first operand or a route's relay names it.
public struct Domain: Equatable, Sendable {
  /// As it was written, brackets included: the key of route look-ups and the name in reports.
  public let text: Bytes
  /// The address, when the text is one: `1.2.3.4`, `[1.2.3.4]`, `[2001:db8::1]`, `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
  public let literal: IPAddress?

  public init(_ text: Bytes) {
    self.text = text
    literal = Domain.literal(in: text)
  }

  private static func literal(in text: Bytes) -> IPAddress? {
    guard text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]"), text.count > 2 else {
      return IPAddress(v4: text[...])
    }
    let inside = text[1..<(text.count - 1)]
    let tag = "IPv6:"
    if inside.startsIgnoringCase(with: tag) { return IPAddress(v6: inside.dropFirst(tag.utf8.count)) }
    return IPAddress(v4: inside) ?? IPAddress(v6: inside)
  }
}
