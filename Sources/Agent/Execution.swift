// The executing half of a delivery: a plan and a message in, an outcome out. Decides nothing that the plan or `Verdict` decides.

extension Delivery {
  /// Carries a plan out.
  public func execute(_ plan: DeliveryPlan, _ original: Message) -> Outcome {
    hooks.observe(.planned(plan))
    let message: Message
    var waiting: [Candidate]
    do throws(DeliveryFailure) {
      message = try filter(original, plan)
      waiting = try prepare(message, plan)
    } catch {
      return Outcome(plan: plan, reports: Verdict.reports(error.report, deferred: plan.deferred), ending: .failed(error))
    }
    let overall = Deadline(plan.timeouts.delivery, after: start)
    var failures: [CandidateFailure] = []
    // What is tried in clear when nobody is left who might do TLS.
    var inClear: [Candidate] = []
    // An exchanger that DNS couldn't tell of might take the mail that the others refuse.
    var untried = plan.untried
    while let next = waiting.first ?? inClear.first, !overall.hasPassed(at: circumstances.clock.now()) {
      if waiting.isEmpty { (waiting, inClear) = (inClear, []) }
      // Not both protocols at once: SMTP is for those that can't be connected to by QMTP, not for those that are slower by it.
      let racers = Array(waiting.prefix { $0.races(next) && $0.transport == next.transport })
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
          plan: plan, reports: reports, ending: result.ending, candidate: winner.candidate, tls: tls, failures: failures)
      } catch {
        switch error {
        case .candidate(let failure):
          leave(failure, plan, &failures)
          message.rewind()
          waiting.removeAll { !Verdict.mayFollow($0, after: failure) }
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

  /// Reads what has to be known of the message before it is sent.
  /// - Returns: the candidates that can have it.
  private func prepare(_ message: Message, _ plan: DeliveryPlan) throws(DeliveryFailure) -> [Candidate] {
    try message.prepare()
    let overQMTP = plan.candidates.filter { $0.transport == .qmtp }
    if !overQMTP.isEmpty { try message.measure(plan.environment) }
    guard message.endsWithinLine else { return plan.candidates }
    guard !overQMTP.isEmpty else { throw .partialLastLine }
    return overQMTP
  }

  private func leave(_ failure: CandidateFailure, _ plan: DeliveryPlan, _ failures: inout [CandidateFailure]) {
    if Verdict.isRemembered(failure, plan) { hooks.backOff.record(.failed(failure), plan.backOff) }
    hooks.observe(.left(failure))
    failures.append(failure)
  }

  /// Tells back-off and observers who won, and who was silent for too long meanwhile.
  private func note(_ race: RaceResult, _ winner: RaceResult.Winner, _ plan: DeliveryPlan) {
    for candidate in race.silent {
      let failure = CandidateFailure(candidate, .connect, .broken(.transport(.timedOut)))
      if Verdict.isRemembered(failure, plan) { hooks.backOff.record(.failed(failure), plan.backOff) }
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

  /// One candidate, from the first byte to the end of the delivery.
  private func converse(
    _ winner: RaceResult.Winner, _ plan: DeliveryPlan, _ message: Message, _ overall: Deadline
  ) throws(SessionEnd) -> (ConversationResult, Reports, TLSFacts?) {
    let limits = ConversationLimits(
      remote: plan.timeouts.remote, handshake: plan.timeouts.connect, overall: overall, clock: circumstances.clock)
    let connection = Connection(winner.stream, limits: limits)
    switch winner.candidate.transport {
    case .smtp: return try transact(connection, winner.candidate, plan, message)
    case .qmtp: return try sendPackage(connection, winner.candidate, plan, message)
    }
  }

  /// From the greeting to the end of the transaction.
  private func transact(
    _ connection: consuming Connection, _ candidate: Candidate, _ plan: DeliveryPlan, _ message: Message
  ) throws(SessionEnd) -> (ConversationResult, Reports, TLSFacts?) {
    var session = Session(
      connection, candidate: candidate, hooks: hooks, tls: TLSMeans(provider: tls, settings: plan.tls))
    let capabilities: Capabilities
    do throws(CandidateFailure) {
      capabilities = try session.open(heloName: candidate.local?.heloName ?? plan.heloName) {
        hooks.backOff.record(.greeted(candidate), plan.backOff)
      }
    } catch {
      throw .candidate(error)
    }
    hooks.backOff.record(.ready(candidate), plan.backOff)
    var wording = Wording(plan, with: candidate, under: session.tls)
    if let notice = try session.authenticate(plan, capabilities).notice { wording.notices.append(Bytes(notice)) }
    let result = session.deliver(plan, message, capabilities) { [wording] afterCrash in
      keepBeforeLastByte(.transaction(afterCrash), candidate, plan, wording)
    }
    // The server has nothing of the message: it may have it another way.
    if case .chunkUnknown(let reply) = result.end {
      lastWords.forget()
      throw session.leave(.transfer, .refused(reply))
    }
    session.usedSecret?.wipe()
    // Decided and kept for a crash before anything else is done; then goodbye, which may fail.
    let reports = keep(.transaction(result), candidate, plan, wording)
    session.quit()
    return (.transaction(result), reports, session.tls)
  }

  /// Package and responses. Nobody greets in QMTP: the connection, and TLS where it is QMTPS, is all there is to be had before.
  private func sendPackage(
    _ connection: consuming Connection, _ candidate: Candidate, _ plan: DeliveryPlan, _ message: Message
  ) throws(SessionEnd) -> (ConversationResult, Reports, TLSFacts?) {
    var session = QMTPSession(connection, candidate: candidate, hooks: hooks)
    do throws(CandidateFailure) {
      let facts = try session.secure(TLSMeans(provider: tls, settings: plan.tls))
      hooks.backOff.record(.greeted(candidate), plan.backOff)
      hooks.backOff.record(.ready(candidate), plan.backOff)
      let wording = Wording(plan, with: candidate, under: facts)
      let result = try session.deliver(plan, message) { keepBeforeLastByte(.package($0), candidate, plan, wording) }
      return (.package(result), keep(.package(result), candidate, plan, wording), facts)
    } catch {
      lastWords.forget()
      throw .candidate(error)
    }
  }

  /// From here on nothing may end the process but a crash, and that reports what is true then.
  private func keepBeforeLastByte(
    _ result: ConversationResult, _ candidate: Candidate, _ plan: DeliveryPlan, _ wording: Wording
  ) {
    Signals.blockEndings()
    keep(result, candidate, plan, wording)
  }

  /// Keeps the reports for a crash.
  @discardableResult
  private func keep(
    _ result: ConversationResult, _ candidate: Candidate, _ plan: DeliveryPlan, _ wording: Wording
  ) -> Reports {
    let reports = Verdict.reports(result, from: candidate.address, deferred: plan.deferred, in: wording)
    lastWords.prepare(reports.wire)
    return reports
  }
}
