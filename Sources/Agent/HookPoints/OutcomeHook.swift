// Hook point: what happens after the reports are out.

/// Runs after the reports of a delivery are written.
public protocol OutcomeHook {
  /// What it would do, for the plan: a line for each outcome that it waits for.
  /// - Parameter environment: with all edits.
  func intentions(_ environment: Environment) -> [String]

  /// - Returns: the exit status that the process is to end with; nil when there is nothing to say about it.
  func run(_ outcome: Outcome) -> Int32?
}

extension OutcomeHook {
  public func intentions(_ environment: Environment) -> [String] { [] }
}
