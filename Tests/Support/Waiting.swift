// How tests wait: for something to happen, never for time to pass, and never for ever.
import Foundation
import Synchronization

/// A moment by which a test wants something to have happened.
public struct TimeLimit: Sendable {
  private let end: DispatchTime

  public init(seconds: Double) { end = .now() + seconds }

  public var hasPassed: Bool { DispatchTime.now() >= end }

  /// For poll(2).
  public var milliseconds: Int32 {
    let now = DispatchTime.now()
    return now >= end ? 0 : Int32(clamping: (end.uptimeNanoseconds - now.uptimeNanoseconds) / 1_000_000 + 1)
  }

  fileprivate var dispatchTime: DispatchTime { end }
}

/// A value that one thread leaves, once, for others that wait for it.
public final class Promise<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let arrived = DispatchSemaphore(value: 0)

  public init() {}

  /// Only the first value counts.
  public func keep(_ newValue: Value) {
    value.withLock { if $0 == nil { $0 = newValue } }
    arrived.signal()
  }

  /// nil when the limit has passed without a value.
  public func wait(_ limit: TimeLimit) -> Value? {
    guard arrived.wait(timeout: limit.dispatchTime) == .success else { return value.withLock { $0 } }
    // For the next one who waits.
    arrived.signal()
    return value.withLock { $0 }
  }

  public func wait(seconds: Double) -> Value? { wait(TimeLimit(seconds: seconds)) }

  public var now: Value? { value.withLock { $0 } }
}

/// A value that several threads look at and change.
public final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  public init(_ value: Value) { mutex = Mutex(value) }

  public var value: Value { mutex.withLock { $0 } }

  public func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    mutex.withLock { (value: inout sending Value) in body(&value) }
  }
}

/// Runs `body` for each element on threads of its own, so that waiting in one doesn't hold up the others.
/// - Returns: the results in the order of the elements.
public func inParallel<Element: Sendable, Result: Sendable>(
  _ elements: [Element], width: Int, _ body: @escaping @Sendable (Element) -> Result
) -> [Result] {
  let results = Shared<[Int: Result]>([:])
  let slots = DispatchSemaphore(value: width)
  let group = DispatchGroup()
  for (index, element) in elements.enumerated() {
    slots.wait()
    group.enter()
    Thread.detachNewThread {
      let result = body(element)
      results.change { $0[index] = result }
      slots.signal()
      group.leave()
    }
  }
  group.wait()
  let all = results.value
  return elements.indices.compactMap { all[$0] }
}

/// Looks until a condition is true.
/// - Returns: false when it didn't become true in time.
public func eventually(within seconds: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
  let limit = TimeLimit(seconds: seconds)
  while true {
    if try condition() { return true }
    if limit.hasPassed { return false }
    // A pause between two looks, not a guess of how long it takes.
    usleep(2_000)
  }
}
