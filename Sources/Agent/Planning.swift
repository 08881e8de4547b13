// The deciding half of a delivery: everything that can be known before a mail server is asked. Sends nothing to any of them.

extension Delivery {
  /// Decides everything that can be decided without a mail server.
  /// - Throws: 4.3.x for our own trouble, 4.1.2 and 4.4.3 for DNS's, 5.1.2, 5.1.10, 5.4.4 and 5.4.6 for a host that takes no mail from here.
  public func plan(
    _ envelope: Envelope, _ choice: DialectChoice, _ environment: Environment
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let question = RouteQuestion(host: envelope.host, sender: envelope.sender, recipients: envelope.recipients)
    var choices = RouteChoice(hooks.routers, question)
    let route = try choices.route()
    let settingsDiffer = hooks.environmentEditors.contains(where: \.dependsOnRecipients)
    let deferred = try choices.deferred(from: route, settingsDiffer: settingsDiffer) { question throws(DeliveryFailure) in
      // As the delivery of this recipient alone would have it, a site's edits included.
      let found = try credentials(question, route, environment)
      let edited = try edit(environment, question, route, found)
      let authentication = try authentication(question, route, found, choice.control, edited.environment)
      return RecipientSettings(user: authentication?.user, edits: edited.ofRecipient.flatMap(\.edits))
    }
    var decided = Decisions(route: route, environment: environment)
    do throws(DeliveryFailure) {
      let kept = envelope.without(deferred)
      let question = RouteQuestion(host: kept.host, sender: kept.sender, recipients: kept.recipients)
      let credentials = try credentials(question, route, environment)
      let edited = try edit(environment, question, route, credentials)
      decided = Decisions(route: route, environment: edited.environment, edits: edited.edits)
      return try plan(kept, choice, decided, credentials, deferred)
    } catch {
      var failure = error
      failure.deferred = deferred
      failure.decided = decided
      throw failure
    }
  }

  /// The plan for the recipients that take one route.
  private func plan(
    _ envelope: Envelope, _ choice: DialectChoice, _ decided: Decisions, _ credentials: [AuthenticationPlan.Planned],
    _ deferred: [DeferredRecipient]
  ) throws(DeliveryFailure) -> DeliveryPlan {
    let (route, edited) = (decided.route, decided.environment)
    let question = RouteQuestion(host: envelope.host, sender: envelope.sender, recipients: envelope.recipients)
    let config = try Config(choice.control, dialect: choice.dialect, environment: edited)
    let authentication = try authentication(question, route, credentials, choice.control, edited)
    try authentication?.checkRequirement(route)
    let rewriting = try rewrite(envelope.sender, question, route, edited)
    let tls = TLSPlanner(hooks, question, route, config)

    let lookup = lookup(config, tlsaPort: tls.recordPort(for:))
    let found = try lookup.lookUp(
      route?.line.relay.map(LookupTarget.relay) ?? .host(envelope.host),
      aliasesOf: config.lookups.rewritesRecipients && route?.line.relay == nil ? envelope.recipients : [])
    var usable = route?.line.relay == nil ? try withoutOurselves(found.exchangers, config) : (found.exchangers, [])

    let family = try config.family(for: envelope.host)
    let rules = CandidateRules(
      family: family, services: config.services(route),
      local: try config.localSide(question, route, seconds: circumstances.wallSeconds),
      tls: try tls.decide(&usable.0, found.validatedNames, lookup.records))
    var order = CandidateOrder(usable.0, rules)
    for filter in hooks.candidateFilters where !order.candidates.isEmpty {
      guard let kept = try filter.candidates(order.candidates, for: question, route: route, environment: edited) else {
        continue
      }
      try order.keep(kept, by: filter.name)
    }
    try order.checkTransport(route)
    guard !order.candidates.isEmpty else { throw order.untried ?? .nobodyLeft(family, order.leftOut) }
    let recipients = found.recipients.isEmpty ? envelope.recipients : found.recipients
    return DeliveryPlan(
      envelope: try envelope.addressed(from: rewriting.sender, to: recipients), originalSender: envelope.sender,
      senderReasons: rewriting.reasons, dialect: config.dialect,
      heloName: config.identity.heloName,
      timeouts: config.timeouts, tls: try config.tls(for: order.candidates, sender: envelope.sender),
      usesSMTPUTF8: config.usesSMTPUTF8, deferred: deferred, route: route,
      authentication: authentication,
      exchangers: usable.0 + found.exchangers.dropFirst(usable.0.count),
      family: family, backOff: BackOffLimits(route, config.environment), candidates: order.candidates,
      leftOut: usable.1 + order.leftOut,
      untried: order.untried ?? (found.exchangers.contains(where: \.isIncomplete) ? .lookupFailed : nil),
      edits: decided.edits, environment: edited)
  }

  /// The environment with the edits of the route and then of the site.
  private func edit(
    _ environment: Environment, _ question: RouteQuestion, _ route: Route?, _ credentials: [AuthenticationPlan.Planned]
  ) throws(DeliveryFailure) -> Edited {
    var edited = Edited(environment: environment)
    if let route { edited.apply([try EnvironmentEdits(envstr: route.line.environmentEdits, source: route.source)]) }
    for planned in credentials {
      if let edits = planned.identity.edits { edited.apply([edits]) }
    }
    for editor in hooks.environmentEditors {
      let edits = try editor.edits(for: question, route: route, environment: edited.environment)
      edited.apply(edits)
      if editor.dependsOnRecipients { edited.ofRecipient += edits }
    }
    return edited
  }

  /// An environment and what was done to it.
  private struct Edited {
    var environment: Environment
    private(set) var edits: [EnvironmentEdits] = []
    /// Those that may be others for another recipient.
    var ofRecipient: [EnvironmentEdits] = []

    init(environment: Environment) { self.environment = environment }

    mutating func apply(_ further: [EnvironmentEdits]) {
      for edits in further { environment.apply(edits) }
      edits += further
    }
  }

  /// The sender that the remote host sees, and what each rewriter says.
  private func rewrite(
    _ sender: Address, _ question: RouteQuestion, _ route: Route?, _ environment: Environment
  ) throws(DeliveryFailure) -> (sender: Address, reasons: [String]) {
    var rewritten = sender
    var reasons: [String] = []
    for rewriter in hooks.envelopeRewriters {
      guard let decision = try rewriter.sender(rewritten, for: question, route: route, environment: environment) else {
        continue
      }
      rewritten = decision.sender
      reasons.append(decision.reason)
      if let fault = rewritten.fault(as: .sender) { throw .controlInvalid("the sender of a hook", "it \(fault)") }
    }
    return (rewritten, reasons)
  }

  private func lookup(
    _ config: Config, tlsaPort: @escaping (Bytes) throws(DeliveryFailure) -> UInt16?
  ) -> ExchangerLookup {
    let clock = circumstances.clock
    let overall = Deadline(config.timeouts.delivery, after: start)
    return ExchangerLookup(
      resolver: resolver, limits: LookupLimits(round: config.lookups.timeout, overall: overall, clock: clock),
      seed: circumstances.seed, tlsaPort: tlsaPort)
  }

  private func withoutOurselves(
    _ exchangers: [MailExchanger], _ config: Config
  ) throws(DeliveryFailure) -> ([MailExchanger], [LeftOut]) {
    let interfaces = Set(try interfaces.addresses().map(\.unmapped))
    return try CandidateOrder.betterThanOurselves(exchangers) { config.ownAddresses.isOwn($0, interfaces: interfaces) }
  }
}
