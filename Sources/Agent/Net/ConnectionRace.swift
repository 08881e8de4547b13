// Which of several addresses to connect to: they race (RFC 8305), so that a dead path costs a quarter of a second and not a minute. A
// pure loop over the network's two verbs; time is the clock's.

/// The end of a race.
struct RaceResult {
  struct Winner {
    let candidate: Candidate
    let stream: any ByteStream
  }

  struct Loser {
    let candidate: Candidate
    let error: TransportError
  }

  /// nil when nobody could be reached.
  let winner: Winner?
  /// In the order in which they failed.
  let losers: [Loser]
  /// Given up when another won, after so long a time without an answer that it counts as a failure for back-off. It may be tried again.
  let silent: [Candidate]
}

/// Connects to the first of several candidates that answers.
struct ConnectionRace {
  let network: any Network
  let clock: any MonotonicClock
  /// For each connection; nil for no limit.
  let timeout: Duration?
  /// For all of them.
  let overall: Deadline
  /// Whether to pass over a candidate; asked just before it is started.
  let isAvoided: (Candidate) -> Bool
  /// Told of each start.
  let willStart: (Candidate) -> Void

  /// RFC 8305 section 5, the recommended value.
  static let stagger = Duration.milliseconds(250)
  /// A connection that is given up after this long without an answer counts as a failure.
  static let silence = Duration.seconds(10)

  private struct Runner {
    let candidate: Candidate
    let pending: any PendingConnection
    let start: Instant
    let deadline: Deadline
  }

  /// - Parameter candidates: in the order in which they are started.
  func run(_ candidates: [Candidate]) -> RaceResult {
    var waiting = candidates[...]
    var runners: [Runner] = []
    var losers: [RaceResult.Loser] = []
    var nextStart = clock.now()
    while true {
      if clock.now() >= nextStart || runners.isEmpty, let candidate = waiting.popFirst() {
        let count = runners.count
        if !isAvoided(candidate) { start(candidate, &runners, &losers) }
        // After a failure the next one goes at once.
        nextStart = runners.count > count ? clock.now().advanced(by: ConnectionRace.stagger) : clock.now()
        if runners.count == count { continue }
      }
      guard !runners.isEmpty else { return RaceResult(winner: nil, losers: losers, silent: []) }
      // Looked at after every start, however late the clock says it is: a process that had to wait for its turn must not take the
      // time for the network's.
      network.wait(for: runners.map(\.pending), by: deadline(runners, waiting.isEmpty ? nil : nextStart))
      if let result = settle(&runners, &losers, &nextStart) { return result }
    }
  }

  private func start(_ candidate: Candidate, _ runners: inout [Runner], _ losers: inout [RaceResult.Loser]) {
    willStart(candidate)
    let now = clock.now()
    do throws(TransportError) {
      let pending = try network.start(candidate)
      let deadline = Deadline(timeout, after: now).earlier(overall)
      runners.append(Runner(candidate: candidate, pending: pending, start: now, deadline: deadline))
    } catch {
      losers.append(RaceResult.Loser(candidate: candidate, error: error))
    }
  }

  /// Takes the decided runners out.
  /// - Returns: the result, if there is a winner.
  private func settle(
    _ runners: inout [Runner], _ losers: inout [RaceResult.Loser], _ nextStart: inout Instant
  ) -> RaceResult? {
    let now = clock.now()
    for (index, runner) in runners.enumerated() {
      guard case .success(let stream)? = runner.pending.result else { continue }
      runners.remove(at: index)
      let silent = runners.filter { $0.start.duration(to: now) >= ConnectionRace.silence }.map(\.candidate)
      return RaceResult(
        winner: RaceResult.Winner(candidate: runner.candidate, stream: stream), losers: losers, silent: silent)
    }
    for runner in runners {
      if case .failure(let error)? = runner.pending.result {
        losers.append(RaceResult.Loser(candidate: runner.candidate, error: error))
      } else if runner.deadline.hasPassed(at: now) {
        losers.append(RaceResult.Loser(candidate: runner.candidate, error: .timedOut))
      } else {
        continue
      }
      nextStart = now
    }
    runners.removeAll { $0.pending.result != nil || $0.deadline.hasPassed(at: now) }
    return nil
  }

  private func deadline(_ runners: [Runner], _ nextStart: Instant?) -> Deadline {
    let starts = nextStart.map { Deadline(.zero, after: $0) } ?? .never
    return runners.reduce(starts) { $0.earlier($1.deadline) }
  }
}
