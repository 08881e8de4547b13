// A network in which every address does what a test says, at the test's own time.
import Agent

/// Connections that come about, fail or stay silent; the clock moves only while somebody waits.
public final class FakeNetwork: Network {
  public enum Behaviour {
    case connects(after: Duration, stream: () -> any ByteStream)
    case fails(after: Duration, TransportError)
    /// Not even the start succeeds, as without a route.
    case refusesStart(TransportError)
    case isSilent
  }

  private let behaviours: [IPAddress: Behaviour]
  private let clock: TestClock
  /// Who was started when, for comparison.
  public private(set) var starts: [(address: String, at: Instant)] = []

  public init(_ behaviours: [IPAddress: Behaviour], clock: TestClock) {
    self.behaviours = behaviours
    self.clock = clock
  }

  private final class Pending: PendingConnection {
    let behaviour: Behaviour
    let due: Instant?
    var result: Result<any ByteStream, TransportError>?

    init(_ behaviour: Behaviour, _ now: Instant) {
      self.behaviour = behaviour
      switch behaviour {
      case .connects(let delay, _), .fails(let delay, _): due = now.advanced(by: delay)
      case .refusesStart, .isSilent: due = nil
      }
    }

    func settle(_ now: Instant) {
      guard result == nil, let due, due <= now else { return }
      switch behaviour {
      case .connects(_, let stream): result = .success(stream())
      case .fails(_, let error): result = .failure(error)
      case .refusesStart, .isSilent: break
      }
    }
  }

  public func start(_ candidate: Candidate) throws(TransportError) -> any PendingConnection {
    starts.append((candidate.address.text, clock.now()))
    let behaviour = behaviours[candidate.address] ?? .isSilent
    if case .refusesStart(let error) = behaviour { throw error }
    return Pending(behaviour, clock.now())
  }

  public func wait(for connections: [any PendingConnection], by deadline: Deadline) {
    let pending = connections.compactMap { $0 as? Pending }
    // In steps of a millisecond to whichever comes first; a silent network without a deadline would be a test without end.
    for _ in 0..<10_000_000 {
      pending.forEach { $0.settle(clock.now()) }
      if pending.contains(where: { $0.result != nil }) || deadline.hasPassed(at: clock.now()) { return }
      clock.advance(by: .milliseconds(1))
    }
  }
}
