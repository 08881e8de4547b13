// The host operand: where the envelope wants to go, before any route. Knows how literals and internationalised names are written, not
// what they lead to. The only file that knows libidn2.
internal import CIDN2

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

  /// The name for DNS and for servers that know ASCII only: the text itself, or its A-label (RFC 5891 section 5).
  /// - Throws: 5.1.2 for what is no domain, 4.3.0 when the library is missing.
  func aLabel() throws(DeliveryFailure) -> Bytes {
    // The root's dot is part of no name that a server or a certificate has.
    let isRooted = text.count > 1 && text.last == UInt8(ascii: ".")
    return try Domain.aLabel(of: isRooted ? text.dropLast() : text[...])
  }

  /// The same, or nil for what has none.
  package var aLabelIfAny: Bytes? {
    do throws(DeliveryFailure) {
      return try aLabel()
    } catch {
      return nil
    }
  }

  package static func aLabel(of text: ArraySlice<UInt8>) throws(DeliveryFailure) -> Bytes {
    guard text.contains(where: { $0 > 127 }) else { return Bytes(text) }
    var converted: UnsafeMutablePointer<CChar>?
    var problem: UnsafePointer<CChar>?
    let result = unsafe (Bytes(text) + [0]).withUnsafeBufferPointer {
      unsafe cidn2_to_a_label($0.baseAddress, &converted, &problem)
    }
    if result == cidn2_converted, let converted = unsafe converted {
      defer { unsafe cidn2_free(converted) }
      return unsafe Bytes(cString: converted)
    }
    let reason = unsafe problem.map { unsafe String(cString: $0) } ?? ""
    guard result == cidn2_refused else { throw .libraryMissing(reason) }
    throw .noALabel(Bytes(text), reason)
  }
}
