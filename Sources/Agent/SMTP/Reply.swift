// A reply of an SMTP server (RFC 5321 section 4.2), and the parser that takes it from the stream. Trusts nothing: what isn't a reply
// is an error that never counts as a refusal.

/// One reply, all of its lines.
public struct Reply: Equatable, Sendable {
  /// 200 to 599.
  public let code: Int
  /// Every line with its code, divided by LF, as it came but for the CRs.
  public let text: Bytes

  /// What the first digit says. 1yz and 3yz are neither: each place that expects one asks for it by its code.
  public var disposition: EnhancedStatus.Disposition? { EnhancedStatus.Disposition(rawValue: code / 100) }

  public var isPositive: Bool { disposition == .success }

  /// The enhanced status code (RFC 2034), if its class agrees with the code's first digit.
  public var enhancedStatus: EnhancedStatus? {
    let words = text.prefix { $0 != UInt8(ascii: "\n") }.dropFirst(4).prefix { $0 != UInt8(ascii: " ") }
    guard let status = EnhancedStatus(words), status.disposition == disposition else { return nil }
    return status
  }

  /// The text of each line, without code and separator.
  var lines: [ArraySlice<UInt8>] { text.split(separator: UInt8(ascii: "\n")).map { $0.dropFirst(4) } }

  /// How much of a reply a report shows (qmail-remote has always kept 5,000 bytes).
  static let shownLimit = 5_000

  /// The reply for a report: LF and TAB as they are, other control bytes as `?`, and an LF at the end.
  public var shown: Bytes { Reply.shown(text) }

  /// What a server said, likewise.
  static func shown(_ text: Bytes) -> Bytes {
    var shown = text.prefix(Reply.shownLimit).map { byte in
      byte >= 32 && byte != 127 || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") ? byte : UInt8(ascii: "?")
    }
    if shown.last != UInt8(ascii: "\n") { shown.append(UInt8(ascii: "\n")) }
    return shown
  }
}

/// What came is no reply.
public struct MalformedReply: Error, Equatable, Sendable {
  /// The line in question, as far as a report shows it.
  public let line: Bytes
}

/// Collects lines until they are a reply.
struct ReplyParser {
  private var code: Int?
  private var text = Bytes()
  private var lineCount = 0

  /// No honest server sends more; an endless reply must not fill the memory.
  static let textLimit = 65_536
  static let lineLimit = 1_000

  /// Takes one line without its LF.
  /// - Returns: the reply, with its last line.
  /// - Throws: when the line, or the reply as a whole, can't be one.
  mutating func take(_ line: ArraySlice<UInt8>) throws(MalformedReply) -> Reply? {
    let line = line.filter { $0 != UInt8(ascii: "\r") }
    let digits = line.prefix(3)
    // RFC 5321 section 4.2.1 allows a reply without text, and then without the blank.
    let separator = line.count > 3 ? line[3] : UInt8(ascii: " ")
    guard digits.count == 3, let number = digits.decimal, (200...599).contains(number),
      separator == UInt8(ascii: " ") || separator == UInt8(ascii: "-")
    else { throw MalformedReply(line: Bytes(line.prefix(Reply.shownLimit))) }
    // Some servers mix codes of one kind, and the last is what they mean; a reply that says yes and no says nothing.
    if let code, code / 100 != number / 100 { throw MalformedReply(line: Bytes(line.prefix(Reply.shownLimit))) }
    code = number
    text += line + [UInt8(ascii: "\n")]
    lineCount += 1
    guard text.count <= ReplyParser.textLimit, lineCount <= ReplyParser.lineLimit else {
      throw MalformedReply(line: Bytes("a reply without end".utf8))
    }
    guard separator == UInt8(ascii: " ") else { return nil }
    defer { self = ReplyParser() }
    return Reply(code: number, text: text)
  }
}
