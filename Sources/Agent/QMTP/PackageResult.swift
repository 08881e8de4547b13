// What a QMTP server says, and what a package comes to. Decides nothing: that is Verdict's.

/// A server's answer for one recipient (QMTP, section 5).
public struct QMTPResponse: Equatable, Sendable {
  public let disposition: EnhancedStatus.Disposition
  /// As it came, up to what a report shows.
  public let text: Bytes

  public init(_ disposition: EnhancedStatus.Disposition, _ text: Bytes) {
    self.disposition = disposition
    self.text = text
  }

  /// - Parameter content: of a netstring; nil for what is no answer.
  init?(_ content: Bytes) {
    guard let first = content.first else { return nil }
    switch first {
    case UInt8(ascii: "K"): self.init(.success, Bytes(content.dropFirst()))
    case UInt8(ascii: "Z"): self.init(.temporary, Bytes(content.dropFirst()))
    case UInt8(ascii: "D"): self.init(.permanent, Bytes(content.dropFirst()))
    default: return nil
    }
  }

  public var isPositive: Bool { disposition == .success }

  /// For a report, as a reply is shown.
  var shown: Bytes { Reply.shown(text.filter { $0 != UInt8(ascii: "\r") }) }
}

/// How a package ended.
public enum PackageEnd: Equatable, Sendable {
  /// There is an answer for every recipient.
  case answered
  /// The connection or its sense was lost when the last byte had gone out: another try may deliver the message twice.
  case lost(ConversationError)
  /// Our side failed, and the package was not sent to its end.
  case abandoned(DeliveryFailure)
}

/// What a package came to.
public struct PackageResult: Equatable, Sendable {
  /// In the order of the recipients; fewer than those if the answers broke off.
  public let responses: [QMTPResponse]
  public let end: PackageEnd

  public init(responses: [QMTPResponse], end: PackageEnd) {
    self.responses = responses
    self.end = end
  }
}
