// One report as qmail-rspawn reads it: a letter, text, a null byte (qmail-remote(8), RESULTS). Knows nothing of how it came about.

/// A recipient or message report.
public struct Report: Equatable, Sendable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case recipientAccepted = 0x72  // r
    case recipientRejected = 0x68  // h
    case recipientDeferred = 0x73  // s
    case success = 0x4B  // K
    case deferral = 0x5A  // Z
    case failure = 0x44  // D

    /// The letter of a message report.
    package init(message disposition: EnhancedStatus.Disposition) {
      self =
        switch disposition {
        case .success: .success
        case .temporary: .deferral
        case .permanent: .failure
        }
    }

    /// The letter of a recipient report.
    init(recipient disposition: EnhancedStatus.Disposition) {
      self =
        switch disposition {
        case .success: .recipientAccepted
        case .temporary: .recipientDeferred
        case .permanent: .recipientRejected
        }
    }
  }

  public let kind: Kind
  /// Holds no null byte: that would end the report and let a server forge the next one.
  public let text: Bytes

  public init(_ kind: Kind, _ text: Bytes = []) {
    self.kind = kind
    self.text = text.map { $0 == 0 ? UInt8(ascii: "?") : $0 }
  }

  public init(_ kind: Kind, _ text: String) { self.init(kind, Bytes(text)) }

  /// The bytes for descriptor 1.
  public var wire: Bytes { [kind.rawValue] + text + [0] }
}

/// All reports of a delivery: one for each recipient that has an answer, in the order of argv, then the message's.
public struct Reports: Equatable, Sendable {
  public let recipients: [Report]
  public let message: Report

  public init(recipients: [Report] = [], message: Report) {
    self.recipients = recipients
    self.message = message
  }

  public var wire: Bytes { recipients.flatMap(\.wire) + message.wire }
}
