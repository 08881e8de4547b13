// The executing half of a delivery: a plan and a message in, an outcome out. Decides nothing that the plan or `Verdict` decides.

extension Delivery {
  /// Carries a plan out.
  public func execute(_ plan: DeliveryPlan, _ original: Message) -> Outcome {
    hooks.observe(.planned(plan))
    let message: Message
    do throws(DeliveryFailure) {
      message = try filter(original, plan)
      try message.prepare()
    } catch {
      return Outcome(plan: plan, reports: Verdict.reports(error.report, deferred: plan.deferred), ending: .failed(error))
    }
    let overall = Deadline(plan.timeouts.delivery, after: start)
    var failures: [CandidateFailure] = []
    var waiting = plan.candidates
    /// What is tried in clear when nobody is left who might do TLS.
    var inClear: [Candidate] = []
    // An exchanger that DNS couldn't tell of might take the mail that the others refuse.
    var untried = plan.untried
    while let next = waiting.first ?? inClear.first, !overall.hasPassed(at: circumstances.clock.now()) {
      if waiting.isEmpty { (waiting, inClear) = (inClear, []) }
      let racers = Array(waiting.prefix { $0.races(next) })
      let race = race(plan, overall).run(racers)
      for loser in race.losers { leave(.init(loser.candidate, .connect, .broken(.transport(loser.error))), plan, &failures) }
      guard let winner = race.winner else {
        waiting.removeFirst(racers.count)
        if race.losers.count < racers.count { untried = .noConnection }
        continue
      }
      // Those that were only slower than the winner are still there if it turns out to be no use.
      waiting.removeAll { candidate in candidate == winner.candidate || failures.contains { $0.candidate == candidate } }
      note(race, winner, plan)
      do throws(SessionEnd) {
        let (result, reports, tls) = try converse(winner, plan, message, overall)
        return Outcome(
          plan: plan, reports: reports, ending: .transaction(result), candidate: winner.candidate, tls: tls, failures: failures)
      } catch {
        switch error {
        case .candidate(let failure):
          leave(failure, plan, &failures)
          switch Verdict.next(after: failure) {
          case .nextCandidate: break
          case .again(let candidate): waiting.insert(candidate, at: 0)
          case .last(let candidate): inClear.append(candidate)
          case .nobody: (waiting, inClear, untried) = ([], [], nil)
          }
        case .delivery(let failure):
          return Outcome(
            plan: plan, reports: Verdict.reports(failure.report, deferred: plan.deferred), ending: .failed(failure),
            failures: failures)
        }
      }
    }
    let whyNot = waiting.isEmpty && inClear.isEmpty ? untried : .noConnection
    return Outcome(
      plan: plan,
      reports: Verdict.reports(Verdict.exhausted(failures, untried: whyNot, in: Wording(plan)), deferred: plan.deferred),
      ending: Verdict.ending(failures, untried: whyNot).ending, failures: failures)
  }

  /// The message that every server gets.
  private func filter(_ message: Message, _ plan: DeliveryPlan) throws(DeliveryFailure) -> Message {
    guard !hooks.messageFilters.isEmpty else { return message }
    var file = try message.file(plan.environment)
    var isFiltered = false
    for filter in hooks.messageFilters {
      guard let new = try filter.message(file, for: plan) else { continue }
      file = new
      isFiltered = true
    }
    return Message(file, isAsDeclared: !isFiltered)
  }

  private func leave(_ failure: CandidateFailure, _ plan: DeliveryPlan, _ failures: inout [CandidateFailure]) {
    hooks.backOff.record(.failed(failure), plan.backOff)
    hooks.observe(.left(failure))
    failures.append(failure)
  }

  /// Tells back-off and observers who won, and who was silent for too long meanwhile.
  private func note(_ race: RaceResult, _ winner: RaceResult.Winner, _ plan: DeliveryPlan) {
    for candidate in race.silent {
      let failure = CandidateFailure(candidate, .connect, .broken(.transport(.timedOut)))
      hooks.backOff.record(.failed(failure), plan.backOff)
    }
    hooks.backOff.record(.connected(winner.candidate), plan.backOff)
    hooks.observe(.connected(winner.candidate))
  }

  private func race(_ plan: DeliveryPlan, _ overall: Deadline) -> ConnectionRace {
    ConnectionRace(
      network: network, clock: circumstances.clock, timeout: plan.timeouts.connect, overall: overall,
      isAvoided: { candidate in
        let isAvoided = hooks.backOff.isAvoided(candidate, plan.backOff)
        if isAvoided { hooks.observe(.passedOver(candidate)) }
        return isAvoided
      }, willStart: { hooks.observe(.connecting($0)) })
  }

  /// One candidate, from the greeting to the end of the transaction.
  private func converse(
    _ winner: RaceResult.Winner, _ plan: DeliveryPlan, _ message: Message, _ overall: Deadline
  ) throws(SessionEnd) -> (TransactionResult, Reports, TLSFacts?) {
    let limits = ConversationLimits(
      remote: plan.timeouts.remote, handshake: plan.timeouts.connect, overall: overall, clock: circumstances.clock)
    let address = winner.candidate.address
    var session = Session(
      Connection(winner.stream, limits: limits), candidate: winner.candidate, hooks: hooks,
      tls: TLSMeans(provider: tls, settings: plan.tls))
    let capabilities: Capabilities
    do throws(CandidateFailure) {
      capabilities = try session.open(heloName: winner.candidate.local?.heloName ?? plan.heloName) {
        hooks.backOff.record(.greeted(winner.candidate), plan.backOff)
      }
    } catch {
      throw .candidate(error)
    }
    hooks.backOff.record(.ready(winner.candidate), plan.backOff)
    var wording = Wording(plan, with: winner.candidate, under: session.tls)
    if let notice = try session.authenticate(plan, capabilities).notice { wording.notices.append(Bytes(notice)) }
    let result = session.deliver(plan, message, capabilities) { [wording] afterCrash in
      Signals.blockEndings()
      lastWords.prepare(Verdict.reports(afterCrash, from: address, deferred: plan.deferred, in: wording).wire)
    }
    // Decided and kept for a crash before anything else is done; then goodbye, which may fail.
    let reports = Verdict.reports(result, from: address, deferred: plan.deferred, in: wording)
    lastWords.prepare(reports.wire)
    session.quit()
    return (result, reports, session.tls)
  }
}
