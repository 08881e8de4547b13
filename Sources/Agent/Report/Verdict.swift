// All retry policy: what a failure or the end of a transaction means for the delivery.
//
// Before the envelope, nothing has been said about this message, and every failure leads to the next candidate: a broken, overloaded or
// misconfigured server must not hold mail that another exchanger would take (RFC 5321 section 5.1). From MAIL on, the server's answers
// are about this message: they are the result, whether good or bad, because asking the next exchanger of the same domain the same
// question is how spam is sent. A connection that is lost after the last byte of the message may have delivered it; then nobody else is
// asked, and the person who reads the report is told. The mail is bounced only if a server refused it for good (5yz) and nothing else
// happened: nonsense, silence and our own trouble are always tried again.

/// What it came to.
public enum Verdict {
  /// The report when every candidate failed before the envelope: `D` only if each of them said so for good. The text is that of the failure that came
  /// furthest, because it tells most; of equals the last.
  public static func exhausted(_ failures: [CandidateFailure]) -> Report {
    let temporary = failures.filter { $0.disposition == .temporary }
    let deciding = temporary.isEmpty ? failures : temporary
    var telling: CandidateFailure?
    for failure in deciding where failure.stage.rawValue >= telling?.stage.rawValue ?? 0 { telling = failure }
    return telling.map(Wording.report) ?? DeliveryFailure.noConnection.report
  }

  /// The reports of a transaction.
  public static func reports(_ result: TransactionResult, from address: IPAddress) -> Reports {
    let message: Report =
      switch result.end {
      case .senderRefused(let reply): Wording.senderRefused(reply, address)
      case .noRecipient: Wording.givingUp(address)
      case .unicodeRefused: Wording.unicodeRefused(address)
      case .dataRefused(let reply): Wording.dataRefused(reply, address)
      case .answered(let reply):
        reply.isPositive ? Wording.accepted(reply, address) : Wording.messageRefused(reply, address)
      case .lost(let error, let duplicatePossible): Wording.lost(error, address, duplicatePossible: duplicatePossible)
      case .abandoned(let failure): failure.report
      }
    return Reports(recipients: result.recipients.map { Wording.recipient($0, address) }, message: message)
  }

  /// What a reply means that isn't the one hoped for: only 5yz is for good.
  static func disposition(ofRefusal reply: Reply) -> EnhancedStatus.Disposition {
    reply.disposition == .permanent ? .permanent : .temporary
  }
}
