// Hook point: watching a delivery, without a say in it.

/// What happens in a delivery, in order.
public enum DeliveryEvent: Sendable {
  case planned(DeliveryPlan)
  case passedOver(Candidate)
  case connecting(Candidate)
  case connected(Candidate)
  /// Commands as they went out, in one flight.
  case sent([Command])
  /// The last byte of the message has gone out; so many of them did.
  case sentMessage(bytes: Int)
  case received(Reply)
  case secured(Candidate, TLSFacts)
  /// The server knows us now.
  case authenticated(AuthenticatedIdentity)
  /// A package went out whole; the bytes are those of the message.
  case sentPackage(recipients: Int, bytes: Int)
  case responded(QMTPResponse)
  /// The candidate was left for the next one.
  case left(CandidateFailure)
  case reported(Outcome)
}

/// As whom a server knows us, and by which means.
public struct AuthenticatedIdentity: Equatable, Sendable {
  public let user: Bytes
  /// Where the credentials stand.
  public let source: String
  public let mechanism: String
}

/// Sees every event; can't fail and can change nothing.
public protocol Observer {
  /// What it does, for the plan, a line each.
  var intentions: [String] { get }

  func observe(_ event: DeliveryEvent)
}

extension Observer {
  public var intentions: [String] { [] }
}
