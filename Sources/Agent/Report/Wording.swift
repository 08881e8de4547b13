// The texts of reports about servers, as qmail-remote(8) of each family and its log readers have known them for decades. Decides nothing.

/// The words of one delivery's reports.
public struct Wording {
  let dialect: Dialect
  /// What indimail's texts tell besides.
  private let sender: Bytes
  private let recipients: [Bytes]
  let target: Bytes
  private let backOff: BackOffLimits
  /// How the conversation was protected; nil when it was in clear.
  var tls: TLSFacts?
  /// What was to be done and wasn't, which the person who reads the report has to know.
  var notices: [Bytes] = []

  /// The words of a plan's dialect.
  public init(_ plan: DeliveryPlan) {
    dialect = plan.dialect
    sender = plan.envelope.sender.mailbox
    recipients = plan.envelope.recipients.map(\.mailbox)
    target = plan.route?.line.relay?.text ?? plan.envelope.host.text
    backOff = plan.backOff
  }

  /// Stock words, which need nothing of the plan.
  public init() {
    dialect = .stock
    sender = []
    recipients = []
    target = []
    backOff = BackOffLimits()
  }

  // MARK: before the envelope

  /// - Parameter failures: all of the delivery, this one among them.
  func report(_ failure: CandidateFailure, among failures: [CandidateFailure]) -> Report {
    let address = failure.candidate.address
    switch (failure.stage, failure.cause) {
    case (.connect, .broken(.transport(.cannotBind(let local, _)))): return DeliveryFailure.cannotBind(local).report
    case (.connect, _): return noConnection(failures)
    case (.greeting, .refused(let reply)):
      // indimail knows a temporary greeting as one more server that couldn't be reached.
      if dialect == .indimail, failure.disposition == .temporary { return noConnection(failures) }
      return refusal(reply, "Connected to \(address.text) but greeting failed")
    case (.greeting, .broken(.transport)) where dialect == .indimail:
      let interval = backOff.penalty.seconds > 0 ? "tcpto interval \(backOff.maxTolerance.seconds) " : ""
      return Report(
        .deferral, "Connected to \(address.text) but connection died. Will try alternate MX. \(interval)(#4.4.2)\n")
    case (_, .tls(let trouble)): return failed(trouble, with: failure.candidate)
    case (_, .unauthenticated(let authentication)): return unauthenticated(authentication, address)
    case (_, .broken(let error)): return lost(error, address, duplicatePossible: false)
    case (.authentication, .refused(let reply)):
      return unauthenticated(AuthenticationFailure("", .commandRefused(reply)), address)
    case (.hello, .refused(let reply)), (.tls, .refused(let reply)):
      let name = failure.candidate.local?.heloName.printable.text ?? ""
      let words = dialect == .indimail ? "my name -->\(name)<-- was rejected :(" : "my name was rejected"
      return refusal(reply, "Connected to \(address.text) but \(words)")
    }
  }

  /// Nobody could be reached.
  func noConnection(_ failures: [CandidateFailure]) -> Report {
    guard dialect == .indimail else { return DeliveryFailure.noConnection.report }
    var words = Bytes("Sorry, I wasn't able to establish a SMTP connection for ") + target.printable
    if let last = failures.last?.candidate {
      let tried = failures.map(\.candidate.address.text).joined(separator: ",")
      words += Bytes(" to \(tried) port \(last.port) bind IP [\(last.local?.address?.text ?? "::")]")
    }
    return DeliveryFailure(DeliveryFailure.noConnection.status, words + Bytes(".")).report
  }

  // MARK: about the message

  func senderRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "Connected to \(address.text) but sender was rejected")
  }

  func unicodeRefused(_ address: IPAddress) -> Report {
    Report(.failure, "Connected to \(address.text) but server does not support unicode in email addresses.\n")
  }

  func dataRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "\(address.text) failed on DATA command")
  }

  func messageRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "\(address.text) failed after I sent the message")
  }

  /// The letter is D even if all recipients were only deferred: qmail-rspawn goes by the recipient's report.
  func givingUp(_ address: IPAddress) -> Report { Report(.failure, "Giving up on \(address.text).\n") }

  func accepted(_ reply: Reply, _ address: IPAddress) -> Report {
    Report(.success, Bytes("\(address.text) \(acceptance).\n") + remote(reply.shown))
  }

  func lost(_ error: ConversationError, _ address: IPAddress, duplicatePossible: Bool) -> Report {
    let duplicate = duplicatePossible ? " Possible duplicate!" : ""
    switch error {
    case .transport:
      return Report(.deferral, "Connected to \(address.text) but connection died.\(duplicate) (#4.4.2)\n")
    case .malformed(let malformed):
      let said = Reply(code: 400, text: malformed.line).shown
      return Report(
        .deferral, Bytes("Connected to \(address.text) but its reply was not SMTP.\(duplicate) (#4.5.0)\n") + remote(said))
    }
  }

  func refusal(_ reply: Reply, _ words: String) -> Report {
    Report(Report.Kind(message: Verdict.disposition(ofRefusal: reply)), Bytes("\(words).\n") + remote(reply.shown))
  }

  func remote(_ shown: Bytes) -> Bytes { Bytes("Remote host said: ") + shown }
}

extension Wording {
  /// The message's report with the notices as its second and further lines. They are never reports of their own: qmail-rspawn takes the
  /// first K, Z or D that it sees for the truth.
  func noted(_ report: Report) -> Report {
    guard !notices.isEmpty, let end = report.text.firstIndex(of: UInt8(ascii: "\n")) else { return report }
    return Report(report.kind, report.text[...end] + notices.flatMap { $0 + Bytes(".\n") } + report.text[(end + 1)...])
  }
}

// MARK: about recipients

extension Wording {
  /// - Parameter position: among the recipients that were sent.
  func recipient(_ position: Int, _ reply: Reply, _ address: IPAddress) -> Report {
    let who = recipientPrefix(position)
    if reply.isPositive { return Report(.recipientAccepted, who) }
    return Report(
      Report.Kind(recipient: Verdict.disposition(ofRefusal: reply)),
      who + Bytes("\(address.text) does not like recipient.\n") + remote(reply.shown))
  }

  /// indimail tells the addresses of each recipient's report.
  private func recipientPrefix(_ position: Int) -> Bytes {
    guard dialect == .indimail, position < recipients.count else { return [] }
    return Bytes("From: <") + sender.printable + Bytes("> RCPT: <") + recipients[position].printable + Bytes("> ")
  }

  /// For a recipient that the server was never asked about, because the message came to its end before.
  func recipient(like message: Report) -> Report {
    Report(message.kind == .failure ? .recipientRejected : .recipientDeferred, message.text)
  }

  var otherRoute: Report {
    Report(
      .recipientDeferred,
      "This recipient takes another route than the first one, and waits for a delivery of its own. (#4.4.4)\n")
  }
}
