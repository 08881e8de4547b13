// All retry policy: what a failure or the end of a transaction means for the delivery.
//
// Before the envelope, nothing has been said about this message, and every failure leads to the next candidate: a broken, overloaded or
// misconfigured server must not hold mail that another exchanger would take (RFC 5321 section 5.1). From MAIL on, the server's answers
// are about this message: they are the result, whether good or bad, because asking the next exchanger of the same domain the same
// question is how spam is sent. A connection that is lost after the last byte of the message may have delivered it; then nobody else is
// asked, and the person who reads the report is told. The mail is bounced only if a server refused it for good (5yz) and nothing else
// happened: nonsense, silence and our own trouble are always tried again.
//
// QMTP has no steps: a server that has not got the last byte of a package has nothing and must not deliver it, so that any failure before
// it leads to the next candidate; after it, what the server says or doesn't say is the result.

/// What it came to.
public enum Verdict {
  /// The report when every candidate failed before the envelope: `D` only if each of them said so for good, and nobody else might take the
  /// mail. The text is that of the failure that came furthest, because it tells most; of equals the last.
  /// - Parameter untried: why some candidate was not asked, if one wasn't.
  public static func exhausted(
    _ failures: [CandidateFailure], untried: DeliveryFailure? = nil, in wording: Wording = Wording()
  ) -> Report {
    switch ending(failures, untried: untried) {
    case .left(let telling?): wording.report(telling, among: failures)
    case .left(nil): wording.noConnection(failures)
    case .untried(let failure): failure.report
    }
  }

  /// What a delivery without a transaction ends with.
  enum Exhaustion: Equatable {
    /// With the failure that tells most; nil when nobody was tried, or the one who wasn't may be the one who takes the mail.
    case left(CandidateFailure?)
    case untried(DeliveryFailure)

    var ending: Outcome.Ending {
      switch self {
      case .left(let telling): .exhausted(telling)
      case .untried(let failure): .failed(failure)
      }
    }
  }

  static func ending(_ failures: [CandidateFailure], untried: DeliveryFailure?) -> Exhaustion {
    let temporary = failures.filter { $0.disposition == .temporary }
    if temporary.isEmpty, let untried { return untried == .noConnection ? .left(nil) : .untried(untried) }
    let deciding = temporary.isEmpty ? failures : temporary
    var telling: CandidateFailure?
    for failure in deciding where failure.stage.rawValue >= telling?.stage.rawValue ?? 0 { telling = failure }
    return .left(telling)
  }

  /// What follows a candidate that was left.
  enum Next: Equatable {
    case nextCandidate
    /// This one, before any other.
    case again(Candidate)
    /// This one, after all others.
    case last(Candidate)
    /// It would be the same with everybody.
    case nobody
  }

  static func next(after failure: CandidateFailure) -> Next {
    switch failure.cause {
    case .tls(let trouble): next(after: trouble, with: failure.candidate)
    case .unauthenticated(let failure): next(after: failure)
    case .refused where failure.stage == .transfer: .again(failure.candidate.withoutChunks())
    case .refused, .broken: .nextCandidate
    }
  }

  /// A relay that knows our credentials and refuses them has all of its addresses refuse them: to try each would be as many failures to
  /// log in, and lock the account.
  private static func next(after failure: AuthenticationFailure) -> Next {
    guard case .responseRefused(let reply, _, _) = failure.cause else { return .nextCandidate }
    return reply.disposition == .permanent ? .nobody : .nextCandidate
  }

  /// TLS that a policy only likes to have must not hold mail that would go in clear to a server without it. Whoever can break a handshake
  /// can take away the offer, too: what is to be safe from that has a policy that demands TLS. But what is wrong with our own
  /// certificates and keys is repaired here, and waits for it, and no other server has a better policy for it.
  private static func next(after trouble: TLSTrouble, with candidate: Candidate) -> Next {
    if case .setup(let problem) = trouble { return problem.isCommon ? .nobody : .nextCandidate }
    guard !candidate.tls.isMandatory else { return .nextCandidate }
    let inClear = candidate.inClear(after: trouble)
    switch candidate.tls.clear {
    case .atOnce: return .again(inClear)
    case .last: return .last(inClear)
    }
  }

  /// The reports of a conversation.
  static func reports(
    _ result: ConversationResult, from address: IPAddress, deferred: [DeferredRecipient], in wording: Wording
  ) -> Reports {
    switch result {
    case .transaction(let result): reports(result, from: address, deferred: deferred, in: wording)
    case .package(let result): reports(result, from: address, deferred: deferred, in: wording)
    }
  }

  /// The reports of a transaction.
  /// - Parameter deferred: recipients that were left out of it. Their reports stand where argv has them; so that none moves, those before
  ///   them that have no answer of their own get the message's. Without reports of their own they would share its bounce.
  public static func reports(
    _ result: TransactionResult, from address: IPAddress, deferred: [DeferredRecipient] = [], in wording: Wording = Wording()
  ) -> Reports {
    let message: Report =
      switch result.end {
      case .senderRefused(let reply): wording.senderRefused(reply, address)
      case .noRecipient: wording.givingUp(address)
      case .unicodeRefused: wording.unicodeRefused(address)
      case .dataRefused(let reply): wording.dataRefused(reply, address)
      case .chunkUnknown(let reply): wording.chunkUnknown(reply, address)
      case .answered(let reply):
        reply.isPositive ? wording.accepted(reply, address) : wording.messageRefused(reply, address)
      case .lost(let error, let duplicatePossible): wording.lost(error, address, duplicatePossible: duplicatePossible)
      case .abandoned(let failure): failure.report
      }
    let recipients = result.recipients.enumerated().map { wording.recipient($0.offset, $0.element, address) }
    return reports(wording.noted(message), after: recipients, deferred: deferred)
  }

  /// The reports of a package. Each answer is final for its recipient, so that the message is accepted if it is for one of them; those
  /// who then have no answer get reports that they are to be tried again.
  public static func reports(
    _ result: PackageResult, from address: IPAddress, deferred: [DeferredRecipient] = [], in wording: Wording = Wording()
  ) -> Reports {
    let recipients = result.responses.map(wording.recipient)
    let accepted = result.responses.count(where: \.isPositive)
    switch result.end {
    case .answered:
      let message =
        accepted == 0
        ? wording.packageRefused(address) : wording.packageAccepted(address, isForAll: accepted == recipients.count)
      return reports(message, after: recipients, deferred: deferred)
    case .lost(let error):
      let lost = wording.packageLost(error, address, duplicatePossible: true)
      guard accepted > 0 else { return reports(lost, after: recipients, deferred: deferred) }
      let unanswered = wording.unanswered(after: recipients.count, like: lost)
      return reports(wording.packageAccepted(address, isForAll: false), after: recipients + unanswered, deferred: deferred)
    case .abandoned(let failure):
      return reports(failure.report, after: recipients, deferred: deferred)
    }
  }

  /// Recipient reports in their places, whoever was left out, then the message's.
  static func reports(_ message: Report, after answered: [Report] = [], deferred: [DeferredRecipient]) -> Reports {
    var recipients = answered
    for waiting in deferred {
      while recipients.count < waiting.position { recipients.append(Wording().recipient(like: message)) }
      recipients.insert(Wording().otherRoute, at: waiting.position)
    }
    return Reports(recipients: recipients, message: message)
  }

  /// Whether a candidate may have the mail after another didn't take it. Who could be connected to by QMTP is not asked by SMTP as well
  /// (qmail-remote(8) of indimail): it has had its chance.
  static func mayFollow(_ candidate: Candidate, after failure: CandidateFailure) -> Bool {
    failure.stage != .package || !candidate.isFallback(for: failure.candidate)
  }

  /// Whether a failure is one for back-off. That nobody serves QMTP says nothing about the same address's SMTP, which comes next.
  static func isRemembered(_ failure: CandidateFailure, _ plan: DeliveryPlan) -> Bool {
    failure.stage != .connect || !plan.hasFallback(for: failure.candidate)
  }

  /// What a reply means that isn't the one hoped for: only 5yz is for good.
  static func disposition(ofRefusal reply: Reply) -> EnhancedStatus.Disposition {
    reply.disposition == .permanent ? .permanent : .temporary
  }
}

// MARK: exit status

extension Outcome {
  /// What the process ends with, unless an outcome hook says otherwise: 0, because qmail-rspawn believes reports with no other; but 1 where
  /// s/qmail documents it, for a message that can't be read to be sent by QMTP.
  var status: Int32 {
    guard let plan, plan.dialect == .sqmail, plan.candidates.first?.transport == .qmtp else { return 0 }
    switch ending {
    case .failed(let failure): return failure.isOfMessage ? 1 : 0
    case .package(let result):
      guard case .abandoned(let failure) = result.end else { return 0 }
      return failure.isOfMessage ? 1 : 0
    case .exhausted, .transaction: return 0
    }
  }
}

extension DeliveryFailure {
  fileprivate var isOfMessage: Bool { words == DeliveryFailure.messageUnreadable.words }
}
