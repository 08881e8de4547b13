// SMTP commands (RFC 5321 section 4.1). A command can't hold a line end: nothing that is put into one becomes a second.

/// One command line.
public struct Command: Equatable, Sendable {
  /// Without its CRLF.
  public let line: Bytes

  /// For the wire.
  var wire: Bytes { line + [UInt8(ascii: "\r"), UInt8(ascii: "\n")] }

  /// Line ends can't come here, because addresses and names that hold them are refused before any connection; should one come all the
  /// same, it goes out as `?`, which no server takes for a command.
  private init(_ line: Bytes) {
    self.line = line.map { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") ? UInt8(ascii: "?") : $0 }
  }

  static func ehlo(_ name: Bytes) -> Command { Command(Bytes("EHLO ") + name) }

  static func helo(_ name: Bytes) -> Command { Command(Bytes("HELO ") + name) }

  static func mail(_ sender: Address, _ parameters: MailParameters) -> Command {
    var line = Bytes("MAIL FROM:<") + (parameters.smtpUTF8 ? sender.internationalMailbox : sender.mailbox) + Bytes(">")
    if let size = parameters.size { line += Bytes(" SIZE=") + size }
    if let body = parameters.body { line += " BODY=\(body.rawValue)" }
    if parameters.smtpUTF8 { line += " SMTPUTF8" }
    return Command(line)
  }

  static func recipient(_ recipient: Address, _ parameters: MailParameters) -> Command {
    Command(Bytes("RCPT TO:<") + (parameters.smtpUTF8 ? recipient.internationalMailbox : recipient.mailbox) + Bytes(">"))
  }

  static let data = Command(Bytes("DATA"))

  static let quit = Command(Bytes("QUIT"))

  /// RFC 3030 section 2.
  static func lastChunk(_ count: Int) -> Command { Command(Bytes("BDAT \(count) LAST")) }
}

/// What MAIL says of the message, given what the server understands.
public struct MailParameters: Equatable, Sendable {
  /// RFC 6152 section 2.
  public enum Body: String, Sendable {
    case sevenBit = "7BIT"
    case eightBitMIME = "8BITMIME"
  }

  /// Digits (RFC 1870 section 4).
  public var size: Bytes?
  public var body: Body?
  /// RFC 6531 section 3.4.
  public var smtpUTF8: Bool

  public init(size: Bytes? = nil, body: Body? = nil, smtpUTF8: Bool = false) {
    self.size = size
    self.body = body
    self.smtpUTF8 = smtpUTF8
  }
}
