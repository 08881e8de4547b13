// Hook point: which of the addresses are tried, and in which order.

/// Drops candidates or puts them into another order. Chained: each gets what the one before it kept.
public protocol CandidateFilter {
  /// For the plan, where it says why a candidate was left out: `hooks/candidates`.
  var name: String { get }

  /// - Parameters:
  ///   - candidates: in the order in which they would be tried; those of one preference that stand together race.
  ///   - route: nil for the mail exchangers.
  /// - Returns: those to try, in this order, none of them twice and no others; nil to leave them.
  /// - Throws: when the mail must not go to any of them.
  func candidates(
    _ candidates: [Candidate], for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [Candidate]?
}
