// Netstrings (QMTP, section 6): a length in decimal, a colon, so many bytes, a comma. The encoding, and a strict parser that takes them
// from a stream as it comes and keeps no more of them than is wanted. Knows nothing of mail.

enum Netstring {
  static func encoded(_ content: some Collection<UInt8>) -> Bytes {
    opening(content.count) + content + [comma]
  }

  /// What stands before so many bytes.
  static func opening(_ count: Int) -> Bytes { Bytes("\(count):") }

  static let comma = UInt8(ascii: ",")
}

/// What came is no netstring.
struct MalformedNetstring: Error, Equatable {
  let words: String
}

/// Takes netstrings from a stream, one after the other.
struct NetstringParser {
  private enum State {
    /// The digits so far; nil before the first.
    case length(Int?)
    /// So many bytes are to come.
    case content(Int)
    case comma
  }

  /// Longer ones are refused.
  let limit: Int
  /// What stands further on is skipped.
  let keptLimit: Int
  private var state = State.length(nil)
  private var kept = Bytes()

  init(limit: Int, keptLimit: Int) {
    self.limit = limit
    self.keptLimit = keptLimit
  }

  /// Takes what belongs to the netstring off the front.
  /// - Returns: the content, at most `keptLimit` bytes of it, with the comma; nil as long as more is to come.
  /// - Throws: at the first byte that can't be right. The parser is of no use then.
  mutating func take(_ bytes: inout ArraySlice<UInt8>) throws(MalformedNetstring) -> Bytes? {
    while let first = bytes.first {
      switch state {
      case .length(let known):
        bytes = bytes.dropFirst()
        state = try next(first, known)
      case .content(let left):
        let piece = bytes.prefix(left)
        kept += piece.prefix(keptLimit - kept.count)
        bytes = bytes.dropFirst(piece.count)
        state = piece.count == left ? .comma : .content(left - piece.count)
      case .comma:
        bytes = bytes.dropFirst()
        guard first == Netstring.comma else { throw MalformedNetstring(words: "no comma at the end") }
        defer { self = NetstringParser(limit: limit, keptLimit: keptLimit) }
        return kept
      }
    }
    return nil
  }

  private func next(_ byte: UInt8, _ known: Int?) throws(MalformedNetstring) -> State {
    if byte == UInt8(ascii: ":"), let known { return known == 0 ? .comma : .content(known) }
    guard byte.isDigit else { throw MalformedNetstring(words: "a length that is no number") }
    // Nothing but the empty string has a length that begins with 0.
    guard known != 0 else { throw MalformedNetstring(words: "a length with a 0 in front") }
    // The limit keeps this far from overflowing.
    let length = (known ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
    guard length <= limit else { throw MalformedNetstring(words: "a length above \(limit)") }
    return .length(length)
  }
}
