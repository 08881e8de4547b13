// Time on the monotonic clock: moments, and deadlines that may be absent.
internal import CSystem

/// A moment on the monotonic clock.
public struct Instant: Comparable, Sendable {
  let nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (earlier: Instant, later: Instant) -> Bool { earlier.nanoseconds < later.nanoseconds }

  /// Far moments saturate instead of overflowing: a control file may ask for any number of seconds.
  public func advanced(by duration: Duration) -> Instant {
    let (seconds, attoseconds) = duration.components
    let (whole, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow) = nanoseconds.addingReportingOverflow(whole)
    guard !tooLong, !overflow, sum < Int64.max - 1_000_000_000 else { return Instant(nanoseconds: .max) }
    return Instant(nanoseconds: sum + attoseconds / 1_000_000_000)
  }

  public func duration(to later: Instant) -> Duration { .nanoseconds(later.nanoseconds - nanoseconds) }
}

/// Where moments come from; a test brings its own.
public protocol MonotonicClock {
  func now() -> Instant
}

/// CLOCK_MONOTONIC, which no administrator sets.
public struct SystemClock: MonotonicClock {
  public init() {}

  public func now() -> Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}

/// A moment by which something must have happened, or never.
public struct Deadline: Sendable {
  private let moment: Instant?

  public static let never = Deadline(moment: nil)

  private init(moment: Instant?) { self.moment = moment }

  /// - Parameter limit: nil for no limit.
  public init(_ limit: Duration?, after start: Instant) {
    moment = limit.map { start.advanced(by: $0) }
  }

  public func earlier(_ other: Deadline) -> Deadline {
    guard let moment else { return other }
    guard let theirs = other.moment else { return self }
    return Deadline(moment: min(moment, theirs))
  }

  public func hasPassed(at now: Instant) -> Bool { moment.map { $0 <= now } ?? false }

  /// Milliseconds for poll(2), rounded up so that a wait never ends just before the deadline; -1 for never.
  package func milliseconds(from now: Instant) -> Int32 {
    guard let moment else { return -1 }
    guard moment > now else { return 0 }
    let left = (moment.nanoseconds - now.nanoseconds) / 1_000_000 + 1
    return Int32(clamping: left)
  }
}
