// Hook point: which addresses are left alone for a while because they failed before.

/// How long failures are tolerated, and how long an address is then left alone (qmail-remote(8) of indimail).
public struct BackOffLimits: Equatable, Sendable {
  /// Seconds; 0 turns back-off off.
  public let penalty: Int
  /// Seconds.
  public let maxTolerance: Int

  public init(penalty: Int = 3_600, maxTolerance: Int = 120) {
    self.penalty = penalty
    self.maxTolerance = maxTolerance
  }
}

/// What happened to a candidate.
public enum BackOffEvent: Equatable, Sendable {
  /// It was no use, and why; which failures count is for the memory to know.
  case failed(CandidateFailure)
  case connected(Candidate)
  /// It greeted, and wants to talk.
  case greeted(Candidate)
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
