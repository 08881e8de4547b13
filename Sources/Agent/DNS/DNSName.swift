// Names of DNS as text and as they go over the wire (RFC 1035 sections 3.1 and 5.1).

enum DNSName {
  /// Labels behind their lengths, up to the root's. What a label may not hold as text stands there as `\DDD`, or as `\X` for a sign that
  /// isn't a digit.
  /// - Returns: nil for what no question can hold: an empty label, one of more than 63 bytes, more than 255 in all.
  static func wire(of text: Bytes) -> Bytes? {
    var wire = Bytes()
    var label = Bytes()
    var rest = text[...]
    if rest.isEmpty { return [0] }
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "."):
        guard append(&label, to: &wire) else { return nil }
      case UInt8(ascii: "\\"):
        guard let byte = escaped(&rest) else { return nil }
        label.append(byte)
      default: label.append(byte)
      }
    }
    // The root's dot may be there.
    guard label.isEmpty || append(&label, to: &wire) else { return nil }
    return wire.count < 255 ? wire + [0] : nil
  }

  private static func append(_ label: inout Bytes, to wire: inout Bytes) -> Bool {
    guard (1...63).contains(label.count) else { return false }
    wire.append(UInt8(label.count))
    wire += label
    label = []
    return true
  }

  /// What a backslash stands for, with what follows it.
  private static func escaped(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
    guard let first = rest.first, first.isDigit else { return rest.popFirst() }
    guard rest.prefix(3).count == 3, let number = rest.prefix(3).decimal, let byte = UInt8(exactly: number) else { return nil }
    rest = rest.dropFirst(3)
    return byte
  }

  /// Appends a byte of a label as text: what would read as something else is written `\DDD`.
  static func append(_ byte: UInt8, to name: inout Bytes) {
    guard byte <= 32 || byte >= 127 || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "\\") else { return name.append(byte) }
    name.append(UInt8(ascii: "\\"))
    for divisor: UInt8 in [100, 10, 1] { name.append(UInt8(ascii: "0") + byte / divisor % 10) }
  }

  /// The one text of a name, without the root's dot, however it was written.
  static func canonical(_ text: Bytes) -> Bytes {
    guard let wire = wire(of: text) else { return text }
    var name = Bytes()
    var rest = wire[...]
    while let length = rest.popFirst(), length > 0 {
      if !name.isEmpty { name.append(UInt8(ascii: ".")) }
      for byte in rest.prefix(Int(length)) { append(byte, to: &name) }
      rest = rest.dropFirst(Int(length))
    }
    return name
  }
}

extension DNSQuestion {
  /// A UDP answer of this size crosses any network whole (DNS flag day 2020).
  private static let datagramLimit: UInt16 = 1_232

  /// A query of one question (RFC 1035 section 4.1). It asks for recursion, and by AD for the DNSSEC status (RFC 6840 section 5.7).
  /// - Parameter hasEDNS: with the record that says how large an answer may be (RFC 6891 section 6.1.2).
  /// - Returns: nil for a name that no question can hold.
  func query(id: UInt16, hasEDNS: Bool) -> Bytes? {
    guard let name = DNSName.wire(of: name) else { return nil }
    func word(_ number: UInt16) -> Bytes { [UInt8(number >> 8), UInt8(number & 0xff)] }
    let header = word(id) + [0x01, 0x20] + word(1) + word(0) + word(0) + word(hasEDNS ? 1 : 0)
    let question = header + name + word(type.rawValue) + word(1)
    return hasEDNS ? question + [0] + word(41) + word(DNSQuestion.datagramLimit) + [0, 0, 0, 0] + word(0) : question
  }
}
