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

  public func connect(to candidate: Candidate, by deadline: Deadline) throws(TransportError) -> any ByteStream {
    guard let index = scriptIndex(for: candidate) else { throw .failed(ECONNREFUSED) }
    waiting.removeAll { $0 == index }
    let script = scripts[index]
    if let failure = script.connectFailure { throw fail(failure.event, failure.line, deadline) }
    let stream = ScriptedStream(script, chunking: chunking, clock: clock) { [beforeLastByte] in beforeLastByte($0, script) }
    streams.append(stream)
    return stream
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

  private func fail(_ event: ScriptEvent, _ line: Int, _ deadline: Deadline) -> TransportError {
    switch event {
    case .connectTimeout(let expected):
      let waited = clock.run(until: deadline)
      if waited == nil || waited != expected ?? waited {
        let words = waited.map { "for \($0) seconds" } ?? "for ever"
        ownProblems.append(ScriptProblem(line: line, "the client waited \(words) for a connection, not \(expected ?? 0)"))
      }
      return .timedOut
    case .connectUnreachable: return .failed(EHOSTUNREACH)
    default: return .failed(ECONNREFUSED)
    }
  }

  /// What was not as the transcript has it, connections that never came included.
  public var problems: [ScriptProblem] {
    let missing = waiting.prefix(1).map { index in
      ScriptProblem(line: scripts[index].line, "the client never connected to \(scripts[index].name)")
    }
    return ownProblems + streams.flatMap(\.problems) + missing
  }
}
