// The program `trace` as an observer: it runs beside the delivery, and nothing ever waits for it until the delivery is over.
internal import Agent

/// Writes each event to the program. One that it doesn't take in time is dropped, and counted.
final class ExecTrace: Observer {
  private let runner: HookRunner
  private let program: HookProgram
  /// That of the start, for a delivery that ends before any edit.
  private let environment: Environment
  private let start: Instant
  private var state = State.waiting
  private var dropped = 0

  private enum State {
    case waiting
    case running(HookStream)
    case over
  }

  init(_ runner: HookRunner, _ program: HookProgram, _ environment: Environment) {
    self.runner = runner
    self.program = program
    self.environment = environment
    start = runner.clock.now()
  }

  /// Time to read the rest, when the delivery is over.
  private static let patience = Duration.seconds(5)

  var intentions: [String] { ["trace: \(program.point.place)"] }

  func observe(_ event: DeliveryEvent) {
    let moment = start.duration(to: runner.clock.now())
    if case .waiting = state { state = begin(event) }
    guard case .running(let stream) = state else { return }
    for line in EventText.lines(event, at: moment) { write(line, to: stream, moment) }
    guard case .reported = event else { return }
    stream.finish(within: ExecTrace.patience, runner.clock)
    state = .over
  }

  private func begin(_ event: DeliveryEvent) -> State {
    let environment: Environment
    switch event {
    case .planned(let plan): environment = plan.environment
    case .reported(let outcome): environment = outcome.environment ?? self.environment
    default: environment = self.environment
    }
    do throws(DeliveryFailure) {
      guard try runner.isThere(program) else { return .over }
    } catch {
      // An observer changes nothing, not even by being wrong.
      return .over
    }
    return HookStream(runner.start(program, environment, .nothing, .discarded)).map(State.running) ?? .over
  }

  private func write(_ line: Bytes, to stream: HookStream, _ moment: Duration) {
    if dropped > 0, stream.write(EventText.dropped(dropped, at: moment)) { dropped = 0 }
    if dropped > 0 || !stream.write(line) { dropped += 1 }
  }
}
