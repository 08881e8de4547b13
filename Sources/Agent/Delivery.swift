// One delivery, top to bottom: `plan` decides, `execute` carries out. Each stage is a function from earlier values to the next.

/// A delivery and what it works with.
public struct Delivery {
  public let hooks: HookSet
  public let resolver: any Resolver
  public let interfaces: any Interfaces
  public let network: any Network
  public let lastWords: any LastWords
  public let circumstances: Circumstances
  /// The two hours of a delivery count from here, plan and execution together.
  private let start: Instant

  public init(
    hooks: HookSet, resolver: any Resolver, interfaces: any Interfaces, network: any Network, lastWords: any LastWords,
    circumstances: Circumstances
  ) {
    self.hooks = hooks
    self.resolver = resolver
    self.interfaces = interfaces
    self.network = network
    self.lastWords = lastWords
    self.circumstances = circumstances
    start = circumstances.clock.now()
  }

  // MARK: plan

  /// Decides everything that can be decided without a mail server.
  /// - Throws: 4.3.x for our own trouble, 4.1.2 and 4.4.3 for DNS's, 5.1.2, 5.1.10, 5.4.4 and 5.4.6 for a host that takes no mail from here.
  public func plan(
    _ envelope: Envelope, _ choice: DialectChoice, _ environment: Environment
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let question = RouteQuestion(host: envelope.host, sender: envelope.sender, recipients: envelope.recipients)
    var choices = RouteChoice(hooks.routers, question)
    let route = try choices.route()
    let deferred = try choices.deferred(from: route) { question throws(DeliveryFailure) in
      let found = try identity(question, route, environment)
      return try uses(route, found, environment) ? found : nil
    }
    do throws(DeliveryFailure) {
      return try plan(envelope, choice, environment, route, deferred)
    } catch {
      var failure = error
      failure.deferred = deferred
      throw failure
    }
  }

  /// The plan for the recipients that take one route.
  private func plan(
    _ whole: Envelope, _ choice: DialectChoice, _ environment: Environment, _ route: Route?, _ deferred: [DeferredRecipient]
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let envelope = whole.without(deferred)
    let question = RouteQuestion(host: envelope.host, sender: envelope.sender, recipients: envelope.recipients)
    let credentials = try identity(question, route, environment)
    let edited = try edit(environment, question, route, credentials)
    let config = try Config(choice.control, dialect: choice.dialect, environment: edited)
    let usesCredentials = route?.line.credentials.map { $0.isAlwaysUsed || edited.value("AUTH_SMTP") != nil } ?? false
    // Before any look-up: what can't be done must not bounce because of a name.
    try RouteSupport.check(route, usesCredentials: usesCredentials && credentials != nil, edited, choice.control)
    let sender = try rewrite(envelope.sender, question, route, edited)
    let port = route?.line.port ?? Delivery.smtpPort

    let found = try lookup(config, port: port).lookUp(
      route?.line.relay.map(LookupTarget.relay) ?? .host(envelope.host),
      aliasesOf: config.lookups.rewritesRecipients && route?.line.relay == nil ? envelope.recipients : [])
    let usable = route?.line.relay == nil ? try withoutOurselves(found.exchangers, config) : (found.exchangers, [])

    let family = try config.family(for: envelope.host)
    let local = try config.localSide(question, route, seconds: circumstances.wallSeconds)
    let order = CandidateOrder(usable.0, family, port: port, local: local)
    guard !order.candidates.isEmpty else { throw DeliveryFailure.nobodyLeft(family, order.leftOut) }
    let recipients = found.recipients.isEmpty ? envelope.recipients : found.recipients
    let plan = DeliveryPlan(
      envelope: try envelope.addressed(from: sender, to: recipients), dialect: config.dialect,
      heloName: config.identity.heloName,
      timeouts: config.timeouts, usesSMTPUTF8: config.usesSMTPUTF8, deferred: deferred, route: route,
      credentials: usesCredentials ? credentials : nil,
      exchangers: found.exchangers,
      family: family, backOff: BackOffLimits(route, config.environment), candidates: order.candidates,
      leftOut: usable.1 + order.leftOut)
    hooks.observe(.planned(plan))
    return plan
  }

  private static let smtpPort: UInt16 = 25

  /// As whom a relay gets the mail. Never asked for hosts found by MX: a secret is for a relay that somebody chose.
  private func identity(
    _ question: RouteQuestion, _ route: Route?, _ environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    guard let route, route.line.relay != nil else { return nil }
    for source in hooks.credentialSources {
      if let identity = try source.identity(for: question, route: route, environment: environment) { return identity }
    }
    return nil
  }

  /// Whether credentials are used at all, by what route and credentials say themselves.
  private func uses(
    _ route: Route?, _ identity: CredentialIdentity?, _ environment: Environment
  ) throws(DeliveryFailure) -> Bool {
    guard let route, let credentials = route.line.credentials else { return false }
    var edited = environment
    edited.apply(try EnvironmentEdits(envstr: route.line.environmentEdits, source: route.source))
    if let edits = identity?.edits { edited.apply(edits) }
    return credentials.isAlwaysUsed || edited.value("AUTH_SMTP") != nil
  }

  /// The environment with the edits of the route and then of the site.
  private func edit(
    _ environment: Environment, _ question: RouteQuestion, _ route: Route?, _ credentials: CredentialIdentity?
  ) throws(DeliveryFailure) -> Environment {
    var edited = environment
    if let route { edited.apply(try EnvironmentEdits(envstr: route.line.environmentEdits, source: route.source)) }
    if let edits = credentials?.edits { edited.apply(edits) }
    for editor in hooks.environmentEditors {
      if let edits = try editor.edits(for: question, route: route, environment: edited) { edited.apply(edits) }
    }
    return edited
  }

  /// The sender that the remote host sees.
  private func rewrite(
    _ sender: Address, _ question: RouteQuestion, _ route: Route?, _ environment: Environment
  ) throws(DeliveryFailure) -> Address {
    var rewritten = sender
    for rewriter in hooks.envelopeRewriters {
      let next = try rewriter.sender(rewritten, for: question, route: route, environment: environment)
      rewritten = next ?? rewritten
      if let fault = rewritten.fault(as: .sender) { throw .controlInvalid("the sender of a hook", "it \(fault)") }
    }
    return rewritten
  }

  private func lookup(_ config: Config, port: UInt16) -> ExchangerLookup {
    let clock = circumstances.clock
    let overall = Deadline(config.timeouts.delivery, after: start)
    return ExchangerLookup(
      resolver: resolver, limits: LookupLimits(round: config.lookups.timeout, overall: overall, clock: clock),
      seed: circumstances.seed, tlsaPort: config.lookups.asksTLSA ? port : nil)
  }

  private func withoutOurselves(
    _ exchangers: [MailExchanger], _ config: Config
  ) throws(DeliveryFailure) -> ([MailExchanger], [LeftOut]) {
    let interfaces = Set(try interfaces.addresses().map(\.unmapped))
    return try CandidateOrder.betterThanOurselves(exchangers) { config.ownAddresses.isOwn($0, interfaces: interfaces) }
  }

  // MARK: execute

  /// Carries a plan out.
  public func execute(_ plan: DeliveryPlan, _ message: Message) -> Outcome {
    do throws(DeliveryFailure) {
      try message.prepare()
    } catch {
      return Outcome(plan: plan, reports: Verdict.reports(error.report, deferred: plan.deferred))
    }
    let overall = Deadline(plan.timeouts.delivery, after: start)
    var failures: [CandidateFailure] = []
    var waiting = plan.candidates
    // An exchanger that DNS couldn't tell of might take the mail that the others refuse.
    var untried = plan.exchangers.contains(where: \.isIncomplete) ? DeliveryFailure.lookupFailed : nil
    while let preference = waiting.first?.preference, !overall.hasPassed(at: circumstances.clock.now()) {
      let racers = Array(waiting.prefix { $0.preference == preference })
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
      do throws(CandidateFailure) {
        let result = try converse(winner, plan, message, overall)
        let reports = Verdict.reports(
          result, from: winner.candidate.address, deferred: plan.deferred, in: Wording(plan))
        return Outcome(plan: plan, reports: reports, candidate: winner.candidate, failures: failures)
      } catch {
        leave(error, plan, &failures)
      }
    }
    return Outcome(
      plan: plan,
      reports: Verdict.reports(
        Verdict.exhausted(failures, untried: waiting.isEmpty ? untried : .noConnection, in: Wording(plan)),
        deferred: plan.deferred),
      failures: failures)
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
  ) throws(CandidateFailure) -> TransactionResult {
    let limits = ConversationLimits(remote: plan.timeouts.remote, overall: overall, clock: circumstances.clock)
    let address = winner.candidate.address
    let wording = Wording(plan)
    var session = Session(Connection(winner.stream, limits: limits), candidate: winner.candidate, hooks: hooks)
    let capabilities = try session.open(heloName: winner.candidate.local?.heloName ?? plan.heloName) {
      hooks.backOff.record(.greeted(winner.candidate), plan.backOff)
    }
    hooks.backOff.record(.ready(winner.candidate), plan.backOff)
    let result = session.deliver(plan, message, capabilities) { afterCrash in
      Signals.blockEndings()
      lastWords.prepare(Verdict.reports(afterCrash, from: address, deferred: plan.deferred, in: wording).wire)
    }
    // Decided and kept for a crash before anything else is done; then goodbye, which may fail.
    lastWords.prepare(Verdict.reports(result, from: address, deferred: plan.deferred, in: wording).wire)
    session.quit()
    return result
  }
}
