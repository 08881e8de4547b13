// Keeps the indexes of large tables as new as the tables. The work is done in Agent's Config; here is only when: after the reports, so
// that no delivery waits for it.
public import Agent

/// Makes the indexes that the delivery would have liked to have.
public struct TableUpkeep: OutcomeHook {
  private let control: ControlDirectory
  private let circumstances: Circumstances

  public init(_ control: ControlDirectory, _ circumstances: Circumstances) {
    self.control = control
    self.circumstances = circumstances
  }

  public func run(_ outcome: Outcome) -> Int32? {
    control.updateIndexes(now: circumstances.wallSeconds)
    return nil
  }
}
