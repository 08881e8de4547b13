// The texts of reports about servers, as qmail-remote(8) and its log readers have known them for decades. Decides nothing.

enum Wording {
  static func report(_ failure: CandidateFailure) -> Report {
    let address = failure.candidate.address
    switch (failure.stage, failure.cause) {
    case (.connect, .broken(.transport(.cannotBind(let local, _)))): return DeliveryFailure.cannotBind(local).report
    case (.connect, _): return DeliveryFailure.noConnection.report
    case (_, .broken(let error)): return lost(error, address, duplicatePossible: false)
    case (.greeting, .refused(let reply)): return refusal(reply, "Connected to \(address.text) but greeting failed")
    case (.hello, .refused(let reply)): return refusal(reply, "Connected to \(address.text) but my name was rejected")
    }
  }

  static func senderRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "Connected to \(address.text) but sender was rejected")
  }

  static func unicodeRefused(_ address: IPAddress) -> Report {
    Report(.failure, "Connected to \(address.text) but server does not support unicode in email addresses. (#5.6.7)\n")
  }

  static func dataRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "\(address.text) failed on DATA command")
  }

  static func messageRefused(_ reply: Reply, _ address: IPAddress) -> Report {
    refusal(reply, "\(address.text) failed after I sent the message")
  }

  /// The letter is D even if all recipients were only deferred: qmail-rspawn goes by the recipient's report.
  static func givingUp(_ address: IPAddress) -> Report { Report(.failure, "Giving up on \(address.text).\n") }

  static func accepted(_ reply: Reply, _ address: IPAddress) -> Report {
    Report(.success, Bytes("\(address.text) accepted message.\n") + remote(reply.shown))
  }

  static func recipient(_ reply: Reply, _ address: IPAddress) -> Report {
    if reply.isPositive { return Report(.recipientAccepted) }
    return Report(
      Report.Kind(recipient: Verdict.disposition(ofRefusal: reply)),
      Bytes("\(address.text) does not like recipient.\n") + remote(reply.shown))
  }

  /// For a recipient that the server was never asked about, because the message came to its end before.
  static func recipient(like message: Report) -> Report {
    Report(message.kind == .failure ? .recipientRejected : .recipientDeferred, message.text)
  }

  static let otherRoute = Report(
    .recipientDeferred, "This recipient takes another route than the first one, and waits for a delivery of its own. (#4.4.4)\n"
  )

  static func lost(_ error: ConversationError, _ address: IPAddress, duplicatePossible: Bool) -> Report {
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

  private static func refusal(_ reply: Reply, _ words: String) -> Report {
    Report(Report.Kind(message: Verdict.disposition(ofRefusal: reply)), Bytes("\(words).\n") + remote(reply.shown))
  }

  private static func remote(_ shown: Bytes) -> Bytes { Bytes("Remote host said: ") + shown }
}
