// A network whose servers are the connections of a transcript.
import Agent
import CSystem

/// Gives each connection of the client the script that a transcript has for it.
public final class ScriptedNetwork: Network {
  private let scripts: [ConnectionScript]
  private let anyOrder: Bool
  private let chunking: ScriptChunking
  private let clock: TestClock
  private let beforeLastByte: (ConnectionScript.ClientItem, ConnectionScript) -> Void
  private var waiting: [Int]
  private var streams: [ScriptedStream] = []
  private var ownProblems: [ScriptProblem] = []

  /// - Parameter anyOrder: connections are told apart by their addresses, because their order is left to chance.
  public init(
    _ scripts: [ConnectionScript], anyOrder: Bool, chunking: ScriptChunking, clock: TestClock,
    beforeLastByte: @escaping (ConnectionScript.ClientItem, ConnectionScript) -> Void
  ) {
    self.scripts = scripts
    self.anyOrder = anyOrder
    self.chunking = chunking
    self.clock = clock
    self.beforeLastByte = beforeLastByte
    waiting = Array(scripts.indices)
  }

  /// A connection that is decided when somebody waits for it.
  private final class Pending: PendingConnection {
    let script: ConnectionScript
    var result: Result<any ByteStream, TransportError>?

    let start: Instant

    init(_ script: ConnectionScript, _ start: Instant) {
      self.script = script
      self.start = start
    }
  }

  public func start(_ candidate: Candidate) throws(TransportError) -> any PendingConnection {
    guard let index = scriptIndex(for: candidate) else { throw .failed(ECONNREFUSED) }
    waiting.removeAll { $0 == index }
    let pending = Pending(scripts[index], clock.now())
    switch pending.script.connectFailure?.event {
    case .connectTimeout: break
    case let event?: throw fail(event)
    case nil:
      let script = pending.script
      let stream = ScriptedStream(script, chunking: chunking, clock: clock) { [beforeLastByte] in beforeLastByte($0, script) }
      streams.append(stream)
      pending.result = .success(stream)
    }
    return pending
  }

  /// Connections that are decided are so at once; for the others only the time passes, and whoever waits gives them up.
  public func wait(for connections: [any PendingConnection], by deadline: Deadline) {
    guard !connections.contains(where: { $0.result != nil }) else { return }
    guard let pending = connections.first as? Pending, let failure = pending.script.connectFailure,
      case .connectTimeout(let expected) = failure.event
    else { return }
    let line = failure.line
    let ended = clock.run(until: deadline) != nil
    let waited = ended ? Int(pending.start.duration(to: clock.now()).components.seconds) : nil
    // The clock goes by seconds; the first of them is the wait for the next address to start.
    guard waited.map({ $0 > 1 && $0 != expected ?? $0 }) ?? true else { return }
    let words = waited.map { "for \($0) seconds" } ?? "for ever"
    ownProblems.append(ScriptProblem(line: line, "the client waited \(words) for a connection, not \(expected ?? 0)"))
  }

  private func scriptIndex(for candidate: Candidate) -> Int? {
    let matches = { (index: Int) in
      self.scripts[index].address == candidate.address && self.scripts[index].port == candidate.port
    }
    let found = anyOrder ? waiting.first(where: matches) : waiting.first.flatMap { matches($0) ? $0 : nil }
    guard found == nil else { return found }
    let expected = waiting.first.map { scripts[$0].name } ?? "no further connection"
    ownProblems.append(
      ScriptProblem(
        line: waiting.first.map { scripts[$0].line } ?? scripts.last?.line ?? 1,
        """
        the client connects to something else
          expected @ \(expected)
          tried    @ \(candidate.address.text) port \(candidate.port), for \(TranscriptText.shown(candidate.exchanger))
        """))
    return nil
  }

  private func fail(_ event: ScriptEvent) -> TransportError {
    if case .connectUnreachable = event { return .failed(EHOSTUNREACH) }
    return .failed(ECONNREFUSED)
  }

  /// What was not as the transcript has it, connections that never came included.
  public var problems: [ScriptProblem] {
    let missing = waiting.prefix(1).map { index in
      ScriptProblem(line: scripts[index].line, "the client never connected to \(scripts[index].name)")
    }
    return ownProblems + streams.flatMap(\.problems) + missing
  }
}
