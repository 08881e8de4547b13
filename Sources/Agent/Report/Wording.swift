// The texts of reports about servers, as qmail-remote(8) of each family and its log readers have known them for decades. Decides nothing.

/// The words of one delivery's reports.
public struct Wording {
  let dialect: Dialect
  /// What indimail's texts tell besides.
  private let sender: Bytes
  private let recipients: [Bytes]
  let target: Bytes
  /// What is tried last.
  private let transport: Route.Transport
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
    transport = plan.candidates.last?.transport ?? .smtp
    backOff = plan.backOff
  }

  /// Words that need nothing of the plan.
  public init(_ dialect: Dialect = .stock) {
    self.dialect = dialect
    sender = []
    recipients = []
    target = []
    transport = .smtp
    backOff = BackOffLimits()
  }

  // MARK: before the envelope

  /// - Parameter failures: all of the delivery, this one among them.
  func report(_ failure: CandidateFailure, among failures: [CandidateFailure]) -> Report {
    let address = failure.candidate.address
    switch (failure.stage, failure.cause) {
    case (.package, .broken(let error)): return packageLost(error, address, duplicatePossible: false)
    case (.package, .refused(let reply)):
      return packageLost(.malformed(MalformedReply(line: reply.text)), address, duplicatePossible: false)
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
    case (.transfer, .refused(let reply)): return chunkUnknown(reply, address)
    case (.hello, .refused(let reply)), (.tls, .refused(let reply)):
      let name = failure.candidate.local?.heloName.printable.text ?? ""
      let words = dialect == .indimail ? "my name -->\(name)<-- was rejected :(" : "my name was rejected"
      return refusal(reply, "Connected to \(address.text) but \(words)")
    }
  }

  /// Nobody could be reached.
  func noConnection(_ failures: [CandidateFailure]) -> Report {
    let transport = failures.last?.candidate.transport ?? transport
    guard dialect == .indimail else {
      return (transport == .qmtp ? DeliveryFailure.noPackageConnection : .noConnection).report
    }
    var words = Bytes("Sorry, I wasn't able to establish a \(transport.rawValue) connection for ") + target.printable
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

  /// What a server says to a command that it has offered is as good as nonsense.
  func chunkUnknown(_ reply: Reply, _ address: IPAddress) -> Report {
    lost(.malformed(MalformedReply(line: reply.text)), address, duplicatePossible: false)
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

// MARK: QMTP

/// The words are s/qmail's, but for indimail's own; the other two families have none.
extension Wording {
  func recipient(_ response: QMTPResponse) -> Report {
    let who = dialect == .indimail ? "Remote host said: " : "qmtp:"
    return Report(Report.Kind(recipient: response.disposition), Bytes(who) + response.shown)
  }

  /// - Parameter isForAll: every recipient was accepted.
  func packageAccepted(_ address: IPAddress, isForAll: Bool) -> Report {
    if dialect == .indimail { return Report(.success, "\(address.text) accepted message - Protocol QMTP\n") }
    return Report(.success, isForAll ? "All received okay by \(address.text)\n" : "\(address.text) accepted message.\n")
  }

  /// As with SMTP, the letter says nothing of recipients that were only deferred.
  func packageRefused(_ address: IPAddress) -> Report {
    Report(.failure, "Giving up on \(address.text)\(dialect == .indimail ? " - Protocol QMTP" : "")\n")
  }

  func packageLost(_ error: ConversationError, _ address: IPAddress, duplicatePossible: Bool) -> Report {
    guard case .malformed = error else { return lost(error, address, duplicatePossible: duplicatePossible) }
    let who = dialect == .indimail ? Bytes() : target.printable + Bytes(" ")
    let duplicate = duplicatePossible ? ". Possible duplicate!" : ""
    return Report(.deferral, Bytes("recipient ") + who + Bytes("did not talk proper QMTP\(duplicate) (#4.3.0)\n"))
  }

  /// Reports for recipients whose answers never came.
  func unanswered(after count: Int, like message: Report) -> [Report] {
    Array(repeating: recipient(like: message), count: max(recipients.count - count, 0))
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
