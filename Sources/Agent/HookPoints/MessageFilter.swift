// Hook point: the message as it is sent. A signer, say.

/// Makes another message of a message. Chained: each gets what the one before it made. Asked once, before the first connection, so that
/// every server gets the same message.
public protocol MessageFilter {
  /// For the plan: `hooks/message`.
  var name: String { get }

  /// - Parameter message: as it would be sent, with the lines that go in front; line ends are those of the queue.
  /// - Returns: the new message, with `MessageFile(environment)` begun; nil to leave it as it is.
  /// - Throws: when the mail must not go out as it is.
  func message(_ message: MessageFile, for plan: DeliveryPlan) throws(DeliveryFailure) -> MessageFile?
}
