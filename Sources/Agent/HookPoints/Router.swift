// Hook point: which way mail for a host takes.

/// Decides a route. The first answer wins; none from any router means the mail exchangers.
public protocol Router {
  /// Whether two recipients at one host may get different routes: then each is asked for by itself.
  var dependsOnRecipients: Bool { get }

  /// - Throws: 4.3.5 for a route that can't be followed, 4.3.0 for one that can't be read.
  func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route?
}
