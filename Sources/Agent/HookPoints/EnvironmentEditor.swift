// Hook point: settings for one delivery, as edits of the environment.

/// Edits the environment of a delivery before anything that reads it. Chained: each sees what those before it did.
public protocol EnvironmentEditor {
  /// - Parameters:
  ///   - route: what was decided; nil for the mail exchangers.
  ///   - environment: as it is so far.
  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.5 for an edit that may not be.
  func edits(
    for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> EnvironmentEdits?
}
