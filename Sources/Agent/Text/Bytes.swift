// Bytes as they come from argv, files and the wire, and the few ASCII operations the agent needs. Knows no protocol. `String` is
// used for words we wrote ourselves only: it repairs what isn't UTF-8, and mail must go through unrepaired.

public typealias Bytes = [UInt8]

extension UInt8 {
  /// The byte with ASCII capitals folded to small letters; every other byte unchanged.
  package var lowered: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }

  package var isLetter: Bool { lowered >= UInt8(ascii: "a") && lowered <= UInt8(ascii: "z") }

  package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}

extension Collection<UInt8> {
  /// Equality without regard to ASCII case, which is how domains and control file keys compare.
  package func equalsIgnoringCase(_ other: some Collection<UInt8>) -> Bool {
    count == other.count && zip(self, other).allSatisfy { $0.lowered == $1.lowered }
  }

  /// Whether `words` stands somewhere after a blank or a tab.
  package func containsWordIgnoringCase(_ words: String) -> Bool {
    var rest = self[...]
    while let blank = rest.firstIndex(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) {
      rest = rest[index(after: blank)...]
      if rest.startsIgnoringCase(with: words) { return true }
    }
    return false
  }

  package func startsIgnoringCase(with prefix: String) -> Bool {
    self.prefix(prefix.utf8.count).equalsIgnoringCase(prefix.utf8)
  }

  /// The number that the bytes spell in decimal; nil when empty, when a byte is no digit, or when it doesn't fit.
  package var decimal: Int? {
    guard !isEmpty else { return nil }
    var number = 0
    for byte in self {
      guard byte.isDigit else { return nil }
      let (product, tooLarge) = number.multipliedReportingOverflow(by: 10)
      let (sum, overflow) = product.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !tooLarge, !overflow else { return nil }
      number = sum
    }
    return number
  }

  /// The bytes as text for people; what isn't UTF-8 is shown as U+FFFD.
  package var text: String { String(decoding: self, as: UTF8.self) }

  /// For reports: every byte that could break a line or a terminal shown as `?`.
  package var printable: Bytes { map { $0 < 33 || $0 > 126 ? UInt8(ascii: "?") : $0 } }
}

extension Bytes {
  /// With `new` wherever `old`, which isn't empty, stands.
  package func replacing(_ old: Bytes, by new: Bytes) -> Bytes {
    var result = Bytes()
    var rest = self[...]
    while rest.count >= old.count {
      if rest.starts(with: old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result + rest
  }

  package init(_ text: String) { self = Array(text.utf8) }

  /// The bytes that pairs of hexadecimal digits stand for; nil when something else is there.
  package static func hexadecimal(_ text: some Collection<UInt8>) -> Bytes? {
    var bytes = Bytes()
    var high: UInt8?
    for digit in text {
      guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
      if let first = high { bytes.append(first << 4 | UInt8(value)) }
      high = high == nil ? UInt8(value) : nil
    }
    return high == nil ? bytes : nil
  }

  /// In small hexadecimal digits.
  package var hexadecimal: String {
    map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  package static func += (bytes: inout Bytes, text: String) { bytes.append(contentsOf: text.utf8) }
}

extension BidirectionalCollection<UInt8> {
  /// Without the blanks, tabs and line feeds at the end, as control files are read. A carriage return is no blank there.
  package var trimmedAtEnd: SubSequence {
    var end = endIndex
    while end > startIndex {
      let previous = index(before: end)
      guard self[previous] == UInt8(ascii: " ") || self[previous] == UInt8(ascii: "\t") || self[previous] == UInt8(ascii: "\n")
      else { break }
      end = previous
    }
    return self[..<end]
  }
}
