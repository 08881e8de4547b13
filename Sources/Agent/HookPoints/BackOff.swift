// Hook point: which addresses are left alone for a while because they failed before.

/// How long failures are tolerated, and how long an address is then left alone (qmail-remote(8) of indimail).
public struct BackOffLimits: Equatable, Sendable {
  public struct Limit: Equatable, Sendable {
    public let seconds: Int
    /// `control/smtproutes:3`, or the variable; nil for the default.
    public let source: String?

    /// - Parameter seconds: cut to what arithmetic with moments bears; nobody waits for more than 68 years.
    public init(_ seconds: Int, source: String? = nil) {
      self.seconds = min(max(seconds, 0), Int(Int32.max))
      self.source = source
    }
  }

  /// How long an address is left alone, at least; 0 turns back-off off.
  public let penalty: Limit
  /// For this long after a failure, another one is the same failure.
  public let maxTolerance: Limit
  /// A server that defers EHLO and HELO has failed, where the memory counts failures after the connection.
  public let countsHello: Bool

  public init(penalty: Limit = defaultPenalty, maxTolerance: Limit = defaultTolerance, countsHello: Bool = false) {
    self.penalty = penalty
    self.maxTolerance = maxTolerance
    self.countsHello = countsHello
  }

  public static let defaultPenalty = Limit(3_600)
  public static let defaultTolerance = Limit(120)
}

/// What happened to a candidate.
public enum BackOffEvent: Equatable, Sendable {
  /// It was no use, and why; which failures count is for the memory to know.
  case failed(CandidateFailure)
  case connected(Candidate)
  /// It greeted, and wants to talk.
  case greeted(Candidate)
  /// It accepted EHLO or HELO too.
  case ready(Candidate)
}

/// Remembers failing addresses across deliveries. There is one; it must never fail a delivery.
public protocol BackOff {
  /// Whether to pass over an address now. Asked before each connection, because another delivery may have learnt something.
  func isAvoided(_ candidate: Candidate, _ limits: BackOffLimits) -> Bool
  func record(_ event: BackOffEvent, _ limits: BackOffLimits)
}

/// Remembers nothing.
public struct NoBackOff: BackOff {
  public init() {}
  public func isAvoided(_ candidate: Candidate, _ limits: BackOffLimits) -> Bool { false }
  public func record(_ event: BackOffEvent, _ limits: BackOffLimits) {}
}
