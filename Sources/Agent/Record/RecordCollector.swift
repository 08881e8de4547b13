// Makes the record of a delivery out of what observers see, and gives it to whoever wants it. There is one only where somebody does.

/// Where records go.
public protocol RecordSink {
  /// For the plan: `hooks/record`.
  var name: String { get }

  /// Takes a record: one line. Can't fail; whatever it does, it must not take long.
  /// - Parameter environment: that of the delivery.
  func take(_ record: Bytes, _ environment: Environment)
}

/// Collects the record of one delivery.
public final class RecordCollector: Observer {
  private let origin: RecordOrigin
  /// That of the start, for a delivery that ends before any edit.
  private let environment: Environment
  private let clock: any MonotonicClock
  private let start: Instant
  private let sinks: [any RecordSink]
  private var course = Course()
  /// The record, when the delivery is over.
  public private(set) var record: Bytes?

  public init(_ dialect: Dialect, _ environment: Environment, _ circumstances: Circumstances, sinks: [any RecordSink]) {
    origin = RecordOrigin(dialect: dialect, start: circumstances.wallSeconds, processID: circumstances.processID)
    self.environment = environment
    clock = circumstances.clock
    start = circumstances.clock.now()
    self.sinks = sinks
  }

  public var intentions: [String] { sinks.map { "record: \($0.name)" } }

  public func observe(_ event: DeliveryEvent) {
    course.note(event, at: start.duration(to: clock.now()))
    guard case .reported(let outcome) = event else { return }
    let line = DeliveryRecord.object(outcome, course, origin).line
    record = line
    for sink in sinks { sink.take(line, outcome.environment ?? environment) }
  }
}
