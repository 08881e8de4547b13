// Base64 (RFC 4648 section 4), as SASL profiles write it: with padding, in one line. Reads strictly: what two readers could read in two
// ways is nothing.

package enum Base64 {
  private static let alphabet = Bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  private static let padding = UInt8(ascii: "=")

  package static func encode(_ bytes: some Collection<UInt8>) -> Bytes {
    var text = Bytes()
    text.reserveCapacity(encodedCount(bytes.count))
    var group: (value: UInt32, count: Int) = (0, 0)
    for byte in bytes {
      group = (group.value << 8 | UInt32(byte), group.count + 1)
      guard group.count == 3 else { continue }
      append(group.value, letters: 4, to: &text)
      group = (0, 0)
    }
    guard group.count > 0 else { return text }
    append(group.value << UInt32(8 * (3 - group.count)), letters: group.count + 1, to: &text)
    while text.count % 4 > 0 { text.append(padding) }
    return text
  }

  /// How long the text of so many bytes is.
  package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  private static func append(_ group: UInt32, letters: Int, to text: inout Bytes) {
    for index in 0..<letters { text.append(alphabet[Int(group >> UInt32(18 - 6 * index) & 63)]) }
  }

  /// nil for what isn't base64: another letter, wrong padding, bits set that stand for nothing.
  package static func decode(_ text: some Collection<UInt8>) -> Bytes? {
    guard text.count % 4 == 0 else { return nil }
    let letters = text.prefix { $0 != padding }
    let paddingCount = text.count - letters.count
    guard paddingCount <= 2, text.dropFirst(letters.count).allSatisfy({ $0 == padding }) else { return nil }
    var bytes = Bytes()
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for letter in letters {
      guard let value = value(of: letter) else { return nil }
      bits = bits << 6 | value
      bitCount += 6
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
      bits &= (1 << bitCount) - 1
    }
    return bits == 0 ? bytes : nil
  }

  private static func value(of letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}

extension Base64 {
  /// The text of a secret, which is one too.
  package static func encode(_ secret: Secret) -> Secret {
    var plain = secret.bytes
    defer { plain.wipe() }
    var text = encode(plain)
    return Secret(taking: &text)
  }
}
