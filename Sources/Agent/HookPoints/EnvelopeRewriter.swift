// Hook point: the sender that the remote host sees.

/// What a rewriter has decided about a sender, and why.
public struct SenderDecision: Equatable, Sendable {
  /// The new sender, or the old one.
  public let sender: Address
  /// For the plan, with its source: `tagged (control/batvkey)`.
  public let reason: String

  public init(_ sender: Address, reason: String) {
    self.sender = sender
    self.reason = reason
  }
}

/// Rewrites the sender. Chained: each gets what the one before it made. Every look-up uses the original.
public protocol EnvelopeRewriter {
  /// - Parameters:
  ///   - sender: as it would go out so far.
  ///   - question: the original envelope.
  ///   - environment: with all edits.
  /// - Returns: nil for no opinion.
  /// - Throws: when the mail must not go out as it is.
  func sender(
    _ sender: Address, for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> SenderDecision?
}
