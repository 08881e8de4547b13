// Hook point: which addresses are left alone for a while because they failed before.

/// Remembers failing addresses across deliveries. There is one; it must never fail a delivery.
public protocol BackOff {
  /// Whether to pass over an address now. Asked before each connection, because another delivery may have learnt something.
  func isAvoided(_ candidate: Candidate) -> Bool
  /// The candidate was no use, and why; which failures count is for the memory to know.
  func recordFailure(_ failure: CandidateFailure)
  /// The address took a connection.
  func recordSuccess(_ candidate: Candidate)
}

/// Remembers nothing.
public struct NoBackOff: BackOff {
  public init() {}
  public func isAvoided(_ candidate: Candidate) -> Bool { false }
  public func recordFailure(_ failure: CandidateFailure) {}
  public func recordSuccess(_ candidate: Candidate) {}
}
