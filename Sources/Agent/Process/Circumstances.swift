// What a delivery takes from the moment and the machine: clock, random seed, process number. Passed in, so that a plan is a pure
// function and a test can repeat it.
internal import CSystem

/// Inputs that differ from run to run.
public struct Circumstances {
  public let clock: any MonotonicClock
  /// Seconds since 1970.
  public let wallSeconds: Int64
  public let seed: UInt64
  public let processID: Int32

  public init(clock: any MonotonicClock, wallSeconds: Int64, seed: UInt64, processID: Int32) {
    self.clock = clock
    self.wallSeconds = wallSeconds
    self.seed = seed
    self.processID = processID
  }

  public static func ofProcess() -> Circumstances {
    var seed: UInt64 = 0
    // Without random bytes (a kernel that is starting) time and process number still spread deliveries over equal exchangers.
    if unsafe withUnsafeMutableBytes(of: &seed, { unsafe getrandom($0.baseAddress, $0.count, UInt32(GRND_NONBLOCK)) }) != 8 {
      seed = UInt64(truncatingIfNeeded: time(nil)) << 32 | UInt64(truncatingIfNeeded: getpid())
    }
    return Circumstances(clock: SystemClock(), wallSeconds: Int64(time(nil)), seed: seed, processID: getpid())
  }
}

/// SplitMix64: spreads one seed over a delivery's few random choices. Not for secrets.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
