// Hook point: settings for one delivery, as edits of the environment.

/// Edits the environment of a delivery before anything that reads it. Chained: each sees what those before it did.
public protocol EnvironmentEditor {
  /// Whether two recipients at one host may get different edits: then each is asked for by itself, and those whose edits are not the first
  /// recipient's wait for a delivery of their own.
  var dependsOnRecipients: Bool { get }

  /// - Parameters:
  ///   - route: what was decided; nil for the mail exchangers.
  ///   - environment: as it is so far.
  /// - Returns: the edits, in order, each with its source; none for no opinion.
  /// - Throws: 4.3.5 for an edit that may not be.
  func edits(
    for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [EnvironmentEdits]
}

extension EnvironmentEditor {
  public var dependsOnRecipients: Bool { false }
}
