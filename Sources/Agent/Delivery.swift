// One delivery, top to bottom: `plan` decides, `execute` carries out. Each stage is a function from earlier values to the next.

/// A delivery and what it works with.
public struct Delivery {
  public let hooks: HookSet
  public let resolver: any Resolver
  public let interfaces: any Interfaces
  public let network: any Network
  public let lastWords: any LastWords
  public let circumstances: Circumstances

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
  }

  // MARK: plan

  /// Decides everything that can be decided without a mail server.
  /// - Throws: 4.3.x for our own trouble, 4.1.2 for DNS's, 5.1.2, 5.1.10, 5.4.4 and 5.4.6 for a host that takes no mail from here.
  public func plan(_ envelope: Envelope, _ config: Config) throws(DeliveryFailure) -> DeliveryPlan {
    let question = RouteQuestion(host: envelope.host, sender: envelope.sender, recipients: envelope.recipients)
    var route: Route?
    for router in hooks.routers where route == nil { route = try router.route(for: question) }
    if let route { try RouteSupport.check(route, config.environment) }

    let lookup = ExchangerLookup(
      resolver: resolver, deadline: Deadline(config.timeouts.delivery, after: circumstances.clock.now()),
      seed: circumstances.seed)
    let exchangers: [MailExchanger]
    var usable: [MailExchanger]
    if let relay = route?.line.relay {
      exchangers = [try lookup.address(of: relay)]
      usable = exchangers
    } else {
      exchangers = try lookup.exchangers(of: envelope.host)
      usable = try withoutOurselves(exchangers, config.ownAddresses)
    }
    let port = route?.line.port ?? Delivery.smtpPort
    let candidates = usable.flatMap { exchanger in
      exchanger.addresses.map {
        Candidate(exchanger: exchanger.name, preference: exchanger.preference, address: $0, port: port)
      }
    }
    let plan = DeliveryPlan(
      envelope: envelope, dialect: config.dialect, heloName: config.identity.heloName, timeouts: config.timeouts, route: route,
      exchangers: exchangers, candidates: candidates)
    hooks.observe(.planned(plan))
    return plan
  }

  private static let smtpPort: UInt16 = 25

  /// Cuts our own addresses and everything that is not better than ourselves: an exchanger behind us would send the mail back
  /// (RFC 5321 section 5.1).
  private func withoutOurselves(
    _ exchangers: [MailExchanger], _ rules: OwnAddressRules
  ) throws(DeliveryFailure) -> [MailExchanger] {
    let interfaces = Set(try interfaces.addresses().map(\.unmapped))
    let ours = exchangers.filter { $0.addresses.contains { rules.isOwn($0, interfaces: interfaces) } }
    guard let own = ours.map(\.preference).min() else { return exchangers }
    let better = exchangers.filter { $0.preference < own }
    if better.isEmpty { throw .bestExchangerIsSelf }
    return better
  }

  // MARK: execute

  /// Carries a plan out.
  public func execute(_ plan: DeliveryPlan, _ message: Message) -> Outcome {
    do throws(DeliveryFailure) {
      try message.prepare()
    } catch {
      return Outcome(plan: plan, reports: Reports(message: error.report))
    }
    let overall = Deadline(plan.timeouts.delivery, after: circumstances.clock.now())
    var failures: [CandidateFailure] = []
    for candidate in plan.candidates {
      if overall.hasPassed(at: circumstances.clock.now()) { break }
      if hooks.backOff.isAvoided(candidate) {
        hooks.observe(.passedOver(candidate))
        continue
      }
      do throws(CandidateFailure) {
        let result = try attempt(candidate, plan, message, overall)
        let reports = Verdict.reports(result, from: candidate.address)
        return Outcome(plan: plan, reports: reports, candidate: candidate, failures: failures)
      } catch {
        hooks.observe(.left(error))
        failures.append(error)
      }
    }
    return Outcome(plan: plan, reports: Reports(message: Verdict.exhausted(failures)), failures: failures)
  }

  /// One candidate, from the connection to the end of the transaction.
  private func attempt(
    _ candidate: Candidate, _ plan: DeliveryPlan, _ message: Message, _ overall: Deadline
  ) throws(CandidateFailure) -> TransactionResult {
    let clock = circumstances.clock
    let stream: any ByteStream
    hooks.observe(.connecting(candidate))
    do throws(TransportError) {
      stream = try network.connect(to: candidate, by: Deadline(plan.timeouts.connect, after: clock.now()).earlier(overall))
    } catch {
      hooks.backOff.recordFailure(candidate)
      throw CandidateFailure(candidate, .connect, .broken(.transport(error)))
    }
    hooks.backOff.recordSuccess(candidate)
    hooks.observe(.connected(candidate))
    let limits = ConversationLimits(remote: plan.timeouts.remote, overall: overall, clock: clock)
    var session = Session(Connection(stream, limits: limits), candidate: candidate, hooks: hooks)
    let capabilities = try session.open(heloName: plan.heloName)
    let result = session.deliver(plan.envelope, message, capabilities) { afterCrash in
      Signals.blockEndings()
      lastWords.prepare(Verdict.reports(afterCrash, from: candidate.address).wire)
    }
    // Decided and kept for a crash before anything else is done; then goodbye, which may fail.
    lastWords.prepare(Verdict.reports(result, from: candidate.address).wire)
    session.quit()
    return result
  }
}
