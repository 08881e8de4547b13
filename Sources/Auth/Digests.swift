// What several mechanisms share: hexadecimal digits, and digests keyed by secrets.
internal import Agent

extension Bytes {
  /// Two small digits for each byte.
  var hexadecimal: Bytes {
    let digits = Bytes("0123456789abcdef")
    return flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  /// nil for what isn't pairs of digits.
  init?(hexadecimal text: Bytes) {
    guard text.count % 2 == 0 else { return nil }
    self = []
    reserveCapacity(text.count / 2)
    for index in stride(from: 0, to: text.count, by: 2) {
      guard let high = Bytes.value(text[index]), let low = Bytes.value(text[index + 1]) else { return nil }
      append(high << 4 | low)
    }
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Digest {
  /// RFC 2104's keyed digest.
  func keyed(by secret: Secret, _ bytes: Bytes) throws(MechanismFault) -> Bytes {
    var key = secret.bytes
    defer { key.wipe() }
    do throws(DeliveryFailure) {
      return try Digest.hmac(self, key: key, bytes)
    } catch {
      throw .failed(error.detail.text)
    }
  }
}
