// Waiting on a clock that only moves when somebody waits.
import Agent

extension TestClock {
  /// Longer than any limit that a delivery has.
  private static let patience = 100_000

  /// Lets time pass until the deadline.
  /// - Returns: how many seconds that took; nil if there is no end to it.
  func run(until deadline: Deadline) -> Int? {
    let start = now()
    for _ in 0..<TestClock.patience where !deadline.hasPassed(at: now()) { advance(by: .seconds(1)) }
    return deadline.hasPassed(at: now()) ? Int(start.duration(to: now()).components.seconds) : nil
  }
}
