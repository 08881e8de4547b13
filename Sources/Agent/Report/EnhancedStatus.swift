// Enhanced status codes (RFC 3463). The class is the disposition: there is no second flag that could disagree with it.

/// A code such as 4.4.1.
public struct EnhancedStatus: Equatable, Sendable, CustomStringConvertible {
  /// What becomes of the message: class 2, 4 or 5.
  public enum Disposition: Int, Sendable, CaseIterable {
    case success = 2
    case temporary = 4
    case permanent = 5
  }

  public let disposition: Disposition
  /// 0 to 999 each (RFC 3463 section 2).
  public let subject: Int
  public let detail: Int

  public init(_ disposition: Disposition, _ subject: Int, _ detail: Int) {
    self.disposition = disposition
    self.subject = subject
    self.detail = detail
  }

  /// Reads `class.subject.detail`; nil for anything else.
  public init?(_ text: some Collection<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ $0.count <= 3 }), let first = parts[0].decimal,
      let disposition = Disposition(rawValue: first), let subject = parts[1].decimal, let detail = parts[2].decimal
    else { return nil }
    self.init(disposition, subject, detail)
  }

  public var description: String { "\(disposition.rawValue).\(subject).\(detail)" }
}
