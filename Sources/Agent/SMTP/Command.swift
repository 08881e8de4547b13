// SMTP commands (RFC 5321 section 4.1). A command can't hold a line end: nothing that is put into one becomes a second.

/// One command line.
public struct Command: Equatable, Sendable {
  /// Without its CRLF. Where it holds a secret, `(secret)` stands for it.
  public let line: Bytes
  /// What goes out in its place.
  private let secretLine: Secret?

  /// For the wire. If the command `isSecret`, the bytes are to be wiped.
  var wire: Bytes {
    var bytes = Bytes()
    bytes.reserveCapacity((secretLine?.count ?? line.count) + 2)
    if let secretLine { secretLine.append(to: &bytes) } else { bytes += line }
    bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    return bytes
  }

  var isSecret: Bool { secretLine != nil }

  /// The command that begins a transaction.
  var isMail: Bool { line.starts(with: "MAIL FROM:".utf8) }

  /// Line ends can't come here, because addresses and names that hold them are refused before any connection; should one come all the
  /// same, it goes out as `?`, which no server takes for a command.
  private init(_ line: Bytes) {
    self.line = line.map { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") ? UInt8(ascii: "?") : $0 }
    secretLine = nil
  }

  /// - Parameter base64: can hold no line end.
  private init(_ start: Bytes, base64: Secret) {
    line = start + Bytes("(secret)")
    var whole = Bytes()
    whole.reserveCapacity(start.count + base64.count)
    whole += start
    base64.append(to: &whole)
    secretLine = Secret(taking: &whole)
  }

  static func ehlo(_ name: Bytes) -> Command { Command(Bytes("EHLO ") + name) }

  static func helo(_ name: Bytes) -> Command { Command(Bytes("HELO ") + name) }

  static func mail(_ sender: Address, _ parameters: MailParameters) -> Command {
    var line = Bytes("MAIL FROM:<") + (parameters.smtpUTF8 ? sender.internationalMailbox : sender.mailbox) + Bytes(">")
    if let size = parameters.size { line += Bytes(" SIZE=") + size }
    if let body = parameters.body { line += " BODY=\(body.rawValue)" }
    if parameters.smtpUTF8 { line += " SMTPUTF8" }
    if parameters.authenticated == .nobody { line += " AUTH=<>" }
    return Command(line)
  }

  static func recipient(_ recipient: Address, _ parameters: MailParameters) -> Command {
    Command(Bytes("RCPT TO:<") + (parameters.smtpUTF8 ? recipient.internationalMailbox : recipient.mailbox) + Bytes(">"))
  }

  static let data = Command(Bytes("DATA"))

  static let startTLS = Command(Bytes("STARTTLS"))

  static let quit = Command(Bytes("QUIT"))

  /// RFC 4954 section 4.
  static func auth(_ mechanism: String) -> Command { Command(Bytes("AUTH \(mechanism)")) }

  /// The same with an initial response; one of no bytes is written as `=`.
  static func auth(_ mechanism: String, base64: Secret) -> Command {
    base64.count == 0 ? Command(Bytes("AUTH \(mechanism) =")) : Command(Bytes("AUTH \(mechanism) "), base64: base64)
  }

  /// An answer to a challenge.
  static func response(base64: Secret) -> Command { base64.count == 0 ? Command([]) : Command([], base64: base64) }

  /// Gives an authentication up.
  static let cancel = Command(Bytes("*"))

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
  public var authenticated: Submitter?

  /// Who is said to have submitted the message (RFC 4954 section 5).
  public enum Submitter: Sendable {
    /// Nobody that we know of. That has to be said to a server to which we have authenticated: it would take us for the author.
    case nobody
  }

  public init(size: Bytes? = nil, body: Body? = nil, smtpUTF8: Bool = false, authenticated: Submitter? = nil) {
    self.size = size
    self.body = body
    self.smtpUTF8 = smtpUTF8
    self.authenticated = authenticated
  }
}
