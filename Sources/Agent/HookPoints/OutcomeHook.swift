// Hook point: what happens after the reports are out.

/// Runs after the reports of a delivery are written.
public protocol OutcomeHook {
  /// - Returns: the exit status that the process is to end with; nil when there is nothing to say about it.
  func run(_ outcome: Outcome) -> Int32?
}
