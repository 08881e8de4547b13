// The text of transcripts: escapes, repetition, shell-like words, and bytes shown so that a person can compare them. Knows no line
// of the format.

/// What is wrong with a transcript, and where.
public struct TranscriptError: Error, Equatable, CustomStringConvertible {
  public let line: Int
  public let words: String

  public init(line: Int = 0, _ words: String) {
    self.line = line
    self.words = words
  }

  public var description: String { "line \(line): \(words)" }
}

/// Reads and writes the escapes that every text in a transcript may hold: `\n \r \t \0 \\ \xNN`, a backslash before any sign that is
/// neither letter nor digit for that sign, and `\(text*100)` for a text a hundred times.
public enum TranscriptText {
  /// The bytes that a text stands for.
  public static func bytes(_ text: some StringProtocol) throws(TranscriptError) -> [UInt8] {
    var rest = Array(text.utf8)[...]
    let bytes = try read(&rest, until: nil)
    return bytes
  }

  /// Divides a command line into words at blanks. `'` and `"` group, and make an empty word possible; escapes work everywhere.
  public static func words(_ text: some StringProtocol) throws(TranscriptError) -> [[UInt8]] {
    var rest = Array(text.utf8)[...]
    var words: [[UInt8]] = []
    var word: [UInt8]?
    while let byte = rest.first {
      switch byte {
      case UInt8(ascii: " "):
        rest.removeFirst()
        if let word { words.append(word) }
        word = nil
      case UInt8(ascii: "'"), UInt8(ascii: "\""):
        rest.removeFirst()
        let inside = try read(&rest, until: byte)
        guard rest.popFirst() == byte else { throw TranscriptError("a quote is not closed") }
        word = (word ?? []) + inside
      case UInt8(ascii: "\\"):
        word = (word ?? []) + (try escape(&rest))
      default:
        rest.removeFirst()
        word = (word ?? []) + [byte]
      }
    }
    if let word { words.append(word) }
    return words
  }

  /// Bytes for a person: what isn't printable is escaped, and long texts are cut in the middle.
  public static func shown(_ bytes: some Collection<UInt8>, limit: Int = 400) -> String {
    guard bytes.count <= limit else {
      let half = limit / 2
      return "\(shown(bytes.prefix(half))) … \(bytes.count - 2 * half) bytes … \(shown(bytes.suffix(half)))"
    }
    return bytes.map { byte in
      switch byte {
      case UInt8(ascii: "\n"): "\\n"
      case UInt8(ascii: "\r"): "\\r"
      case UInt8(ascii: "\t"): "\\t"
      case UInt8(ascii: "\\"): "\\\\"
      case 0: "\\0"
      case 32..<127: String(UnicodeScalar(byte))
      default: "\\x\(hexDigits[Int(byte >> 4)])\(hexDigits[Int(byte & 15)])"
      }
    }.joined()
  }

  private static let hexDigits: [Character] = Array("0123456789abcdef")

  private static func read(_ rest: inout ArraySlice<UInt8>, until end: UInt8?) throws(TranscriptError) -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = rest.first, byte != end {
      if byte == UInt8(ascii: "\\") {
        bytes += try escape(&rest)
      } else {
        bytes.append(byte)
        rest.removeFirst()
      }
    }
    return bytes
  }

  private static func escape(_ rest: inout ArraySlice<UInt8>) throws(TranscriptError) -> [UInt8] {
    rest.removeFirst()
    guard let letter = rest.popFirst() else { throw TranscriptError("a backslash at the end") }
    switch letter {
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "0"): return [0]
    case UInt8(ascii: "x"):
      let digits = rest.prefix(2)
      guard digits.count == 2, let byte = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
        throw TranscriptError("\\x without two hexadecimal digits")
      }
      rest.removeFirst(2)
      return [byte]
    case UInt8(ascii: "("): return try repetition(&rest)
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "1")...UInt8(ascii: "9"):
      throw TranscriptError("\\\(String(UnicodeScalar(letter))) is no escape")
    default: return [letter]
    }
  }

  /// What follows `\(`, up to its `)`.
  private static func repetition(_ rest: inout ArraySlice<UInt8>) throws(TranscriptError) -> [UInt8] {
    let text = try read(&rest, until: UInt8(ascii: "*"))
    guard rest.popFirst() != nil else { throw TranscriptError("\\( without *") }
    let digits = rest.prefix { $0 != UInt8(ascii: ")") }
    guard let count = Int(String(decoding: digits, as: UTF8.self)), count > 0, digits.endIndex < rest.endIndex else {
      throw TranscriptError("\\( without *number)")
    }
    rest.removeFirst(digits.count + 1)
    return Array(repeatElement(text, count: count).joined())
  }
}
