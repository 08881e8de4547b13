// A plan in words, for people and for golden tests: what is decided, each with its reason and its source. Shows no secret: the plan
// holds none that prints.

public enum PlanText {
  /// One decision a line: its name, a colon, the decision.
  public static func lines(_ plan: DeliveryPlan) -> [String] {
    var lines = ["dialect: \(plan.dialect.rawValue)", "hello: \(plan.heloName.text)"]
    lines.append("host: \(shown(plan.envelope.host.text))")
    lines.append("sender: <\(plan.envelope.sender.mailbox.text)>")
    if plan.envelope.sender.raw != plan.originalSender.raw {
      lines.append("original sender: <\(plan.originalSender.mailbox.text)>")
    }
    lines += plan.senderReasons.map { "rewriting: \($0)" }
    lines += plan.envelope.recipients.map { "recipient: <\($0.mailbox.text)>" }
    lines += plan.deferred.map { "deferred: <\($0.address.mailbox.text)>, which takes another route" }
    if plan.usesSMTPUTF8 { lines.append("smtputf8: used if the addresses or the message need it") }
    lines.append("route: \(plan.route.map(words) ?? "none, so the mail exchangers of the host")")
    if let authentication = plan.authentication { lines += PlanText.lines(authentication) }
    if let route = plan.route, route.transport == .qmtp, route.line.credentials != nil {
      lines.append("warning: QMTP has no authentication, and the route's is not used (\(route.source))")
    }
    lines += plan.edits.flatMap { edits in edits.edits.map { "edit: \(words($0)) (\(edits.source))" } }
    lines.append("time: \(words(plan.timeouts.connect)) to connect, \(words(plan.timeouts.remote)) for each reply")
    lines.append("family: \(plan.family.order.rawValue)\(plan.family.source.map { " (\($0))" } ?? "")")
    lines.append("back-off: \(words(plan.backOff, plan.dialect))")
    lines += plan.exchangers.map(words)
    lines += Self.lines(plan.tls) + candidates(plan)
    lines += plan.leftOut.map {
      "left out: \($0.address?.text ?? shown($0.exchanger)), \($0.preference) \(shown($0.exchanger)): \($0.reason)"
    }
    return lines
  }

  private static func words(_ route: Route) -> String {
    var words = [route.line.relay.map { shown($0.text) } ?? "mail exchangers"]
    if let port = route.line.port { words.append("port \(port)") }
    if route.transport == .qmtp { words.append(route.line.implicitTLS ? "QMTPS" : "QMTP") }
    words += route.line.warnings
    return "\(words.joined(separator: ", ")) (\(route.source))"
  }

  /// Without the value, which may be a secret.
  private static func words(_ edit: EnvironmentEdit) -> String {
    switch edit {
    case .set(let name, _): "\(name.text) set"
    case .unset(let name): "\(name.text) unset"
    }
  }

  private static func words(_ limit: Duration?) -> String { limit.map { "\($0.components.seconds) s" } ?? "no limit" }

  private static func words(_ limits: BackOffLimits, _ dialect: Dialect) -> String {
    guard limits.penalty.seconds > 0 else { return "none, by a penalty of \(words(limits.penalty))" }
    let words = "\(words(limits.penalty)) after failures of \(words(limits.maxTolerance))"
    guard limits.countsHello, dialect == .indimail else { return words }
    return "\(words), of EHLO too (the variable \(BackOffLimits.helloVariable))"
  }

  private static func words(_ limit: BackOffLimits.Limit) -> String {
    "\(limit.seconds) s\(limit.source.map { " (\($0))" } ?? "")"
  }

  private static func words(_ exchanger: MailExchanger) -> String {
    var words = ["\(exchanger.preference) \(shown(exchanger.name))", exchanger.isSecure ? "validated" : "not validated"]
    switch exchanger.trouble {
    case .noAddress: words.append("no address")
    case .lookupFailed(let reason): words.append("DNS: \(reason)")
    case nil: words.append(exchanger.addresses.map(\.text).joined(separator: " "))
    }
    if let tlsa = exchanger.tlsa {
      words.append("TLSA: \(Self.words(tlsa.answer))")
      if tlsa.base != exchanger.name { words.append("under \(tlsa.base.text)") }
      if !tlsa.counts, tlsa.answer.isFailure || !tlsa.answer.records.isEmpty { words.append("which doesn't count") }
    }
    return "exchanger: \(words.joined(separator: ", "))"
  }

  private static func words(_ tlsa: DNSAnswer) -> String {
    switch tlsa {
    case .records(let records, let isSecure): "\(records.count { !$0.isAlias }) \(isSecure ? "validated" : "not validated")"
    case .noData, .noName: "none"
    case .failure(let reason): "DNS: \(reason)"
    }
  }

  static func words(_ candidate: Candidate, _ plan: DeliveryPlan) -> String {
    let isRelay = plan.route?.line.relay != nil
    var words = [
      isRelay ? "the relay \(shown(candidate.exchanger))" : "\(shown(candidate.exchanger)), preference \(candidate.preference)"
    ]
    if candidate.transport == .qmtp { words.append(candidate.tls.start == .implicit ? "QMTPS" : "QMTP") }
    if let local = candidate.local, let address = local.address, let source = local.addressSource {
      words.append("from \(address.text)\(local.interface.map { "%\($0)" } ?? "") (\(source))")
    }
    if let local = candidate.local, let source = local.nameSource { words.append("as \(local.heloName.text) (\(source))") }
    return words.joined(separator: ", ")
  }

  private static func shown(_ name: Bytes) -> String { name.isEmpty ? "(empty)" : name.text }
}
