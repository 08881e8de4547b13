// Hook point: watching a delivery, without a say in it.

/// What happens in a delivery, in order.
public enum DeliveryEvent: Sendable {
  case planned(DeliveryPlan)
  case passedOver(Candidate)
  case connecting(Candidate)
  case connected(Candidate)
  /// Commands as they went out, in one flight.
  case sent([Command])
  case received(Reply)
  case secured(Candidate, TLSFacts)
  /// The candidate was left for the next one.
  case left(CandidateFailure)
  case reported(Outcome)
}

/// Sees every event; can't fail and can change nothing.
public protocol Observer {
  func observe(_ event: DeliveryEvent)
}
