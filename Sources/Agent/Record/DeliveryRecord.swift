// The record of a delivery: all that is known of it when it is over, as one object of JSON (qmail-remote-record(5)). Pure. Holds no secret:
// of credentials it tells user and place.

/// Where a delivery took place.
struct RecordOrigin {
  let dialect: Dialect
  /// Seconds since 1970.
  let start: Int64
  let processID: Int32
}

enum DeliveryRecord {
  /// Goes up when a member changes its meaning or goes; readers pass over members that they don't know.
  static let version = 1

  static func object(_ outcome: Outcome, _ course: Course, _ origin: RecordOrigin) -> JSONObject {
    var record = JSONObject()
    record.add("version", version)
    record.add("start", Int(origin.start))
    record.add("pid", Int(origin.processID))
    record.add("dialect", origin.dialect.rawValue)
    let concluded = outcome.reports.concluded
    record.add("result", word(concluded))
    record.add("letter", letter(Report.Kind(message: concluded)))
    let deciding = outcome.decidingWord
    record.add("code", deciding.code > 0 ? deciding.code : nil)
    record.add("text", deciding.text)
    record.add("report", withoutLineEnd(outcome.reports.message.text))
    record.add("host", outcome.envelope?.host.text)
    record.add("sender", outcome.originalSender?.raw)
    record.add("outgoing_sender", outcome.plan?.envelope.sender.mailbox)
    record.add("recipients", recipients(outcome))
    record.add("route", outcome.route.map(route))
    record.add("tls", outcome.tls.map(tls))
    record.add("authentication", (outcome.plan?.authentication).map { authentication($0, course) })
    record.add("candidates", candidates(outcome, course))
    record.add("bytes", course.messageBytes)
    record.add("round_trips", course.roundTrips)
    record.add("times", times(course))
    return record
  }

  static func word(_ disposition: EnhancedStatus.Disposition) -> String {
    switch disposition {
    case .success: "success"
    case .temporary: "deferral"
    case .permanent: "failure"
    }
  }

  static func letter(_ kind: Report.Kind) -> String { String(UnicodeScalar(kind.rawValue)) }

  static func withoutLineEnd(_ text: Bytes) -> Bytes { text.last == UInt8(ascii: "\n") ? Bytes(text.dropLast()) : text }

  private static func route(_ route: Route) -> JSONObject {
    var object = JSONObject()
    object.add("text", route.line.textWithoutCredentials)
    object.add("transport", route.transport.rawValue)
    object.add("source", route.source)
    return object
  }

  /// With the mechanism if the server has let us in by it.
  private static func authentication(_ plan: AuthenticationPlan, _ course: Course) -> JSONObject {
    var object = JSONObject()
    let used = course.contact?.authentication
    object.add("user", used?.user ?? plan.user)
    object.add("source", used?.source ?? plan.credentials.first?.identity.source)
    object.add("mechanism", used?.mechanism)
    return object
  }

  /// What the connection was protected by, and what was proved about the server.
  static func tls(_ facts: TLSFacts) -> JSONObject {
    var object = JSONObject()
    object.add("protocol", facts.version)
    object.add("cipher", facts.cipher)
    object.add("proof", facts.proof.rawValue)
    object.add("level", facts.policy.level.rawValue)
    object.add("source", facts.policy.source)
    object.add("names", facts.peerNames.map(\.printable.text).joined(separator: ", "))
    object.add("trouble", facts.chainTrouble)
    return object
  }

  private static func times(_ course: Course) -> JSONObject {
    var object = JSONObject()
    let contact = course.contact
    object.add("total", course.end)
    object.add("plan", course.planned)
    object.add("connect", contact.map { $0.connected - $0.started })
    // TLS comes before the greeting, after it, or where nobody greets.
    let comesFirst = span(contact?.secured, contact?.greeted) != nil || contact?.greeted == nil
    object.add("greeting", span(comesFirst ? contact?.secured ?? contact?.connected : contact?.connected, contact?.greeted))
    object.add("tls", span(comesFirst ? contact?.connected : contact?.greeted, contact?.secured))
    object.add("hello", span(comesFirst ? contact?.greeted : contact?.secured ?? contact?.greeted, contact?.ready))
    let envelope = contact?.greeted == nil ? contact?.secured ?? contact?.connected : contact?.ready
    object.add("envelope", span(envelope, contact?.sent ?? contact?.answered))
    object.add("message", span(contact?.sent, contact?.answered))
    return object
  }

  private static func span(_ start: Duration?, _ end: Duration?) -> Duration? {
    guard let start, let end, end >= start else { return nil }
    return end - start
  }
}

// MARK: recipients

extension DeliveryRecord {
  /// All of argv, in order.
  private static func recipients(_ outcome: Outcome) -> [JSONObject] {
    let deferred = Set(outcome.deferred.map(\.position))
    var replies = outcome.recipientReplies[...]
    var answers = outcome.packageAnswers[...]
    return outcome.recipients.enumerated().map { position, address in
      var object = JSONObject()
      object.add("address", address.raw)
      let report = position < outcome.reports.recipients.count ? outcome.reports.recipients[position] : nil
      object.add("result", result(report))
      object.add("letter", report.map { letter($0.kind) })
      let reply = deferred.contains(position) ? nil : replies.popFirst()
      object.add("code", reply?.code)
      // QMTP has no codes.
      let answer = deferred.contains(position) ? nil : answers.popFirst()
      object.add("text", (reply?.shown ?? answer?.shown ?? report?.text).map(withoutLineEnd))
      return object
    }
  }

  /// Without a report of its own, the message's result is the recipient's.
  private static func result(_ report: Report?) -> String? {
    switch report?.kind {
    case .recipientAccepted: "accepted"
    case .recipientRejected: "refused"
    case .recipientDeferred: "deferred"
    case .success, .deferral, .failure, nil: nil
    }
  }
}

extension Outcome {
  fileprivate var deferred: [DeferredRecipient] {
    if case .failed(let failure) = ending, plan == nil { return failure.deferred }
    return plan?.deferred ?? []
  }

  /// As they came; nobody when the operands were no envelope.
  fileprivate var recipients: [Address] {
    guard let plan else { return envelope?.recipients ?? [] }
    var recipients = plan.envelope.recipients
    for waiting in plan.deferred { recipients.insert(waiting.address, at: min(waiting.position, recipients.count)) }
    return recipients
  }

  fileprivate var recipientReplies: [Reply] {
    switch ending {
    case .transaction(let result): result.recipients
    case .failed, .exhausted, .package: []
    }
  }

  fileprivate var packageAnswers: [QMTPResponse] {
    guard case .package(let result) = ending else { return [] }
    return result.responses
  }
}

// MARK: candidates

extension DeliveryRecord {
  /// Those of the plan in its order, then those that it left out.
  private static func candidates(_ outcome: Outcome, _ course: Course) -> [JSONObject] {
    guard let plan = outcome.plan else { return [] }
    return plan.candidates.map { candidate in
      let failures = outcome.failures.filter { $0.candidate == candidate }
      var object = place(candidate)
      object.add("policy", policy(candidate.tls))
      let isUsed = candidate == outcome.candidate
      let isPassedOver = course.passedOver.contains(candidate)
      object.add("result", isUsed ? "used" : !failures.isEmpty ? "left" : isPassedOver ? "passed over" : "not tried")
      object.add("reason", isPassedOver ? "back-off" : String?.none)
      object.add("failures", failures.map { failure($0) { $0 } })
      return object
    }
      + plan.leftOut.map { leftOut in
        var object = JSONObject()
        object.add("name", leftOut.exchanger)
        object.add("preference", leftOut.preference)
        object.add("address", leftOut.address?.text)
        object.add("port", Int?.none)
        object.add("transport", String?.none)
        object.add("policy", JSONObject?.none)
        object.add("result", "left out")
        object.add("reason", leftOut.reason)
        object.add("failures", [])
        return object
      }
  }

  private static func policy(_ policy: TLSPolicy) -> JSONObject {
    var object = JSONObject()
    object.add("level", policy.level.rawValue)
    object.add("source", policy.source)
    return object
  }

  static func place(_ candidate: Candidate) -> JSONObject {
    var object = JSONObject()
    object.add("name", candidate.exchanger)
    object.add("preference", candidate.preference)
    object.add("address", candidate.address.text)
    object.add("port", Int(candidate.port))
    object.add("transport", candidate.transport.rawValue)
    return object
  }

  /// Why a candidate was left.
  static func failure(_ failure: CandidateFailure, cut: (Bytes) -> Bytes) -> JSONObject {
    var object = JSONObject()
    object.add("stage", failure.stage.name)
    switch failure.cause {
    case .refused(let reply):
      object.add("code", reply.code)
      object.add("text", cut(withoutLineEnd(reply.shown)))
    case .broken(let error):
      object.add("code", Int?.none)
      object.add("text", cut(words(error)))
    case .unauthenticated(let cause):
      object.add("code", cause.reply?.code)
      object.add("text", cut(withoutLineEnd(Wording().unauthenticated(cause, failure.candidate.address).text)))
    case .tls(let trouble):
      if case .refused(let reply) = trouble { object.add("code", reply.code) } else { object.add("code", Int?.none) }
      object.add("text", cut(trouble.words))
    }
    return object
  }

  private static func words(_ error: ConversationError) -> Bytes {
    switch error {
    case .transport(.cannotBind(let address, _)): Bytes("can't bind to \(address.text)")
    case .transport(let error): Bytes(error.words)
    case .malformed(let malformed): Bytes("no reply: ") + withoutLineEnd(Reply(code: 400, text: malformed.line).shown)
    }
  }
}

extension CandidateFailure.Stage {
  fileprivate var name: String {
    switch self {
    case .connect: "connect"
    case .greeting: "greeting"
    case .hello: "hello"
    case .authentication: "authentication"
    case .tls: "tls"
    case .transfer: "transfer"
    case .package: "package"
    }
  }
}
