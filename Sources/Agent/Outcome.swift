// How a delivery ended, for those who look at it afterwards: outcome hooks, observers, the record. Decides nothing.

/// The end of a delivery.
public struct Outcome: Sendable {
  /// What ended it.
  public enum Ending: Equatable, Sendable {
    /// Our own trouble, DNS's, the operands', or a program's word: no server was asked, or none was to blame.
    case failed(DeliveryFailure)
    /// No candidate was any use: the failure that the report tells about, nil when nobody was tried.
    case exhausted(CandidateFailure?)
    /// A server was given the envelope.
    case transaction(TransactionResult)
    /// A server was given a package, or as much of it as we had.
    case package(PackageResult)
  }

  /// nil when it came to none.
  public let plan: DeliveryPlan?
  public let reports: Reports
  public let ending: Ending
  /// The candidate that the transaction was with; nil when it came to none.
  public let candidate: Candidate?
  /// How it was protected; nil when it was in clear.
  public let tls: TLSFacts?
  /// The candidates that were left before, each with its reason.
  public let failures: [CandidateFailure]

  init(
    plan: DeliveryPlan? = nil, reports: Reports, ending: Ending, candidate: Candidate? = nil, tls: TLSFacts? = nil,
    failures: [CandidateFailure] = []
  ) {
    self.plan = plan
    self.reports = reports
    self.ending = ending
    self.candidate = candidate
    self.tls = tls
    self.failures = failures
  }

  /// A delivery that ended before it had a plan.
  init(_ failure: DeliveryFailure) { self.init(reports: failure.reports, ending: .failed(failure)) }

  private var failure: DeliveryFailure? {
    guard case .failed(let failure) = ending else { return nil }
    return failure
  }

  /// As far as the delivery came: as the server would see it, as it came in argv, or nil when the operands were none.
  public var envelope: Envelope? { plan?.envelope ?? failure?.envelope }

  public var originalSender: Address? { plan?.originalSender ?? failure?.envelope?.sender }

  /// nil also when the delivery ended before there was one.
  public var route: Route? { plan?.route ?? failure?.decided?.route }

  /// With the edits as far as the delivery came; nil when it ended before them.
  public var environment: Environment? { plan?.environment ?? failure?.decided?.environment }
}

/// What had been decided when a delivery failed.
struct Decisions: Equatable, Sendable {
  let route: Route?
  let environment: Environment
  var edits: [EnvironmentEdits] = []
}
