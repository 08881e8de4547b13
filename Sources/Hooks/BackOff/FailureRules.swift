// What an event of a delivery says about an address, as each family sees it. Pure.
internal import Agent
internal import CSystem

/// What is to be remembered.
enum Finding: Equatable {
  case failure
  case success
  /// Neither: what is known stays.
  case nothing
}

/// What counts, and what clears. To all families silence is a failure; s/qmail and indimail take more for one.
struct FailureRules {
  let dialect: Dialect

  /// A step of a session that goes well.
  private enum Step {
    case connected
    case greeted
    case ready
  }

  /// The step that shows that an address works. To indimail it is the greeting: forgetting at the connection would forget the failures
  /// of greetings each time, so that they never added up; and the same for EHLO, where that counts.
  private func proof(_ limits: BackOffLimits) -> Step {
    guard dialect == .indimail else { return .connected }
    return limits.countsHello ? .ready : .greeted
  }

  /// The candidate of an event, and what the event says about it.
  func finding(_ event: BackOffEvent, _ limits: BackOffLimits) -> (Candidate, Finding) {
    switch event {
    case .failed(let failure): (failure.candidate, counts(failure, limits) ? .failure : .nothing)
    case .connected(let candidate): (candidate, proof(limits) == .connected ? .success : .nothing)
    case .greeted(let candidate): (candidate, proof(limits) == .greeted ? .success : .nothing)
    case .ready(let candidate): (candidate, proof(limits) == .ready ? .success : .nothing)
    }
  }

  private func counts(_ failure: CandidateFailure, _ limits: BackOffLimits) -> Bool {
    switch failure.stage {
    case .connect:
      guard case .broken(.transport(let error)) = failure.cause else { return false }
      return counts(error)
    case .greeting: return dialect == .indimail && !isFinal(failure)
    case .hello:
      guard case .refused = failure.cause else { return false }
      return dialect == .indimail && limits.countsHello && !isFinal(failure)
    // The server is in order; it is about us.
    case .authentication, .transfer: return false
    // Such a server is there, and takes mail that another policy lets through.
    case .tls: return false
    // Nobody greets in QMTP: who can be connected to is there.
    case .package: return false
    }
  }

  private func counts(_ error: TransportError) -> Bool {
    switch error {
    case .timedOut, .failed(ETIMEDOUT): true
    case .closed, .cannotBind, .tls: false
    case .failed(let number): counted.contains(number)
    }
  }

  /// Besides silence. Trouble of our own, such as no free port, says nothing about the other side.
  private var counted: [Int32] {
    switch dialect {
    case .stock, .skarnet: []
    case .sqmail: [ECONNREFUSED]
    case .indimail: [ECONNREFUSED, EHOSTDOWN, ENETUNREACH, EHOSTUNREACH]
    }
  }

  /// A server that refuses for good has an opinion, and isn't out of order.
  private func isFinal(_ failure: CandidateFailure) -> Bool { failure.disposition == .permanent }
}
