// Everything that is decided before the first packet to a mail server, as one value that can be printed, tested and carried out.

/// A planned delivery.
public struct DeliveryPlan: Equatable, Sendable {
  /// Recipients with the domains that RCPT will show.
  public let envelope: Envelope
  /// What every look-up uses; the envelope has the sender that the remote host sees.
  public let originalSender: Address
  /// What rewriters have decided about the sender, each with its source.
  public let senderReasons: [String]
  public let dialect: Dialect
  public let heloName: Bytes
  public let timeouts: Timeouts
  public internal(set) var tls: TLSSettings
  /// SMTPUTF8 is used if the addresses or the message need it.
  public let usesSMTPUTF8: Bool
  /// Recipients that would take another route: they wait for a delivery of their own. Where they stand in argv, and the report.
  public let deferred: [DeferredRecipient]
  /// nil when the mail goes to the host's own exchangers.
  public let route: Route?
  /// As whom the mail is relayed; nil when nobody wants to be anybody.
  public let authentication: AuthenticationPlan?
  /// All that DNS or the route gave, best first.
  public let exchangers: [MailExchanger]
  public let family: FamilyPreference
  public let backOff: BackOffLimits
  /// The addresses that will be tried, in this order; those of one preference race.
  public internal(set) var candidates: [Candidate]
  /// Exchangers and addresses that won't be, each with its reason.
  public let leftOut: [LeftOut]
  /// Why the mail must be tried again even if every candidate refuses it for good: somebody else might take it. nil when nobody might.
  let untried: DeliveryFailure?
  /// What route, credentials and site have changed in the environment, in order, each with its source.
  public let edits: [EnvironmentEdits]
  /// With all edits.
  public let environment: Environment
}

/// A recipient that this delivery leaves out.
public struct DeferredRecipient: Equatable, Sendable {
  /// In argv, from 0.
  public let position: Int
  public let address: Address
}

extension DeliveryPlan {
  /// Whether the same address is tried by SMTP if it can't be connected to by QMTP.
  func hasFallback(for candidate: Candidate) -> Bool {
    candidates.contains { $0.isFallback(for: candidate) && $0.address == candidate.address }
  }
}
