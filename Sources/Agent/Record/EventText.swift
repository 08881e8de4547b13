// The events of a delivery as lines of JSON, for whoever follows it (qmail-remote-record(5)). Pure. A line is short enough to be written to
// a pipe as a whole or not at all; texts are cut for that.

package enum EventText {
  /// What POSIX lets a pipe take at once (PIPE_BUF), as Linux has it.
  package static let lineLimit = 4_096
  /// Escaped, or with all bytes in hexadecimal, nothing gets longer than six times this.
  private static let textLimit = 600
  /// The same where several stand in one line.
  private static let shortLimit = 200

  /// - Parameter moment: since the start of the delivery.
  package static func lines(_ event: DeliveryEvent, at moment: Duration) -> [Bytes] {
    switch event {
    case .planned(let plan): [planned(plan, moment)]
    case .passedOver(let candidate): [line("passed over", moment, candidate)]
    case .connecting(let candidate): [line("connecting", moment, candidate)]
    case .connected(let candidate): [line("connected", moment, candidate)]
    case .sent(let commands): commands.map { line("sent", moment, "command", $0.line) }
    case .sentMessage(let bytes): [sentMessage(bytes, moment)]
    case .received(let reply): [received(reply, moment)]
    case .secured(_, let facts): [secured(facts, moment)]
    case .authenticated(let identity): [authenticated(identity, moment)]
    case .sentPackage(let recipients, let bytes): [sentPackage(recipients, bytes, moment)]
    case .responded(let response): [responded(response, moment)]
    case .left(let failure): [left(failure, moment)]
    case .reported(let outcome): [reported(outcome, moment)]
    }
  }

  /// Of lines that nobody took.
  package static func dropped(_ count: Int, at moment: Duration) -> Bytes {
    var object = start("dropped", moment)
    object.add("count", count)
    return object.line
  }

  private static func start(_ event: String, _ moment: Duration) -> JSONObject {
    var object = JSONObject()
    object.add("version", DeliveryRecord.version)
    object.add("time", moment)
    object.add("event", event)
    return object
  }

  private static func cut(_ text: Bytes, _ limit: Int = textLimit) -> Bytes {
    guard text.count > limit else { return text }
    // Not within a character.
    return Bytes(text.prefix(limit).reversed().drop { $0 & 0xc0 == 0x80 }.dropFirst().reversed())
  }

  private static func line(_ event: String, _ moment: Duration, _ name: String, _ text: Bytes) -> Bytes {
    var object = start(event, moment)
    object.add(name, cut(text))
    return object.line
  }

  private static func line(_ event: String, _ moment: Duration, _ candidate: Candidate) -> Bytes {
    var object = start(event, moment)
    object.add("candidate", DeliveryRecord.place(candidate))
    return object.line
  }

  private static func planned(_ plan: DeliveryPlan, _ moment: Duration) -> Bytes {
    var object = start("planned", moment)
    object.add("host", cut(plan.envelope.host.text, shortLimit))
    object.add("sender", cut(plan.originalSender.raw, shortLimit))
    object.add("recipients", plan.envelope.recipients.count)
    object.add("route", (plan.route?.source).map { cut(Bytes($0), shortLimit) })
    object.add("candidates", plan.candidates.count)
    return object.line
  }

  private static func sentMessage(_ bytes: Int, _ moment: Duration) -> Bytes {
    var object = start("sent message", moment)
    object.add("bytes", bytes)
    return object.line
  }

  private static func received(_ reply: Reply, _ moment: Duration) -> Bytes {
    var object = start("received", moment)
    object.add("code", reply.code)
    object.add("text", cut(DeliveryRecord.withoutLineEnd(reply.shown)))
    return object.line
  }

  private static func secured(_ facts: TLSFacts, _ moment: Duration) -> Bytes {
    var object = start("secured", moment)
    object.add("protocol", facts.version)
    object.add("cipher", facts.cipher)
    object.add("proof", facts.proof.rawValue)
    return object.line
  }

  private static func sentPackage(_ recipients: Int, _ bytes: Int, _ moment: Duration) -> Bytes {
    var object = start("sent package", moment)
    object.add("recipients", recipients)
    object.add("bytes", bytes)
    return object.line
  }

  private static func responded(_ response: QMTPResponse, _ moment: Duration) -> Bytes {
    var object = start("responded", moment)
    object.add("letter", DeliveryRecord.letter(Report.Kind(message: response.disposition)))
    object.add("text", cut(DeliveryRecord.withoutLineEnd(response.shown)))
    return object.line
  }

  private static func authenticated(_ identity: AuthenticatedIdentity, _ moment: Duration) -> Bytes {
    var object = start("authenticated", moment)
    object.add("user", cut(identity.user, shortLimit))
    object.add("source", cut(Bytes(identity.source), shortLimit))
    object.add("mechanism", identity.mechanism)
    return object.line
  }

  private static func left(_ failure: CandidateFailure, _ moment: Duration) -> Bytes {
    var object = start("left", moment)
    object.add("candidate", DeliveryRecord.place(failure.candidate))
    object.add("failure", DeliveryRecord.failure(failure) { cut($0, shortLimit) })
    return object.line
  }

  private static func reported(_ outcome: Outcome, _ moment: Duration) -> Bytes {
    var object = start("reported", moment)
    let concluded = outcome.reports.concluded
    object.add("result", DeliveryRecord.word(concluded))
    object.add("letter", DeliveryRecord.letter(Report.Kind(message: concluded)))
    object.add("report", cut(DeliveryRecord.withoutLineEnd(outcome.reports.message.text)))
    return object.line
  }
}
