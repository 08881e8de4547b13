// Hook point: the sender that the remote host sees.

/// Rewrites the sender. Chained: each gets what the one before it made. Every look-up uses the original.
public protocol EnvelopeRewriter {
  /// - Parameters:
  ///   - sender: as it would go out so far.
  ///   - question: the original envelope.
  /// - Returns: the new sender; nil to leave it.
  /// - Throws: when the mail must not go out as it is.
  func sender(
    _ sender: Address, for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> Address?
}
