// Authentication within a session, between its readiness and the transaction: runs what AuthenticationRun has chosen. The exchange itself
// is AuthExchange's, and what a failure means for the delivery is Verdict's.

/// What ends a session before its transaction.
enum SessionEnd: Error {
  case candidate(CandidateFailure)
  /// Our own trouble, which another candidate would meet again.
  case delivery(DeliveryFailure)
}

/// How the mail goes on.
enum AuthenticationResult: Equatable {
  case notWanted
  case authenticated
  case without(AuthenticationLack)
}

extension Session {
  /// Authenticates as the plan has it.
  /// - Throws: when the mail must not go on here.
  mutating func authenticate(_ plan: DeliveryPlan, _ capabilities: Capabilities) throws(SessionEnd) -> AuthenticationResult {
    guard let authentication = plan.authentication, let route = plan.route else { return .notWanted }
    let run = AuthenticationRun(
      hooks: hooks, plan: authentication, route: route, environment: plan.environment,
      channel: AuthenticationChannel(
        host: candidate.exchanger, port: candidate.port, security: connection.security, offered: capabilities.mechanisms,
        realm: authentication.rules.realm))
    switch try decided({ () throws(DeliveryFailure) in try run.choice() }) {
    case .notWanted: return .notWanted
    case .without(let lack):
      guard let requirement = authentication.rules.requiredBy else { return .without(lack) }
      throw leave(.authentication, .unauthenticated(AuthenticationFailure("", .lacking(lack, requiredBy: requirement))))
    case .attempt(let first):
      guard var failure = try perform(first, run) else { return .authenticated }
      if let reply = failure.refusesCredentials,
        let second = try decided({ () throws(DeliveryFailure) in try run.attempt(after: first, refused: reply) })
      {
        guard let again = try perform(second, run) else { return .authenticated }
        failure = again
      }
      throw leave(.authentication, .unauthenticated(failure))
    }
  }

  /// - Returns: nil when the server knows us now.
  private mutating func perform(
    _ attempt: AuthenticationRun.Attempt, _ run: AuthenticationRun
  ) throws(SessionEnd) -> AuthenticationFailure? {
    let mechanism = attempt.mechanism
    let begun = try decided { () throws(DeliveryFailure) in try mechanism.begin(attempt.credentials, run.channel) }
    var exchange = AuthExchange(mechanism.profile, begun, attempt.credentials.secret)
    do throws(ConversationError) {
      var action = exchange.begin()
      while true {
        switch action {
        case .send(let command): try sendAlone(command)
        case .authenticated:
          usedSecret = attempt.credentials.secret
          hooks.observe(.authenticated(run.identity(attempt)))
          return nil
        case .failed(let failure): return failure
        }
        let (reply, shown) = try readReply(without: exchange.secrets)
        action = exchange.received(reply, shown: shown)
      }
    } catch {
      throw .candidate(CandidateFailure(candidate, .authentication, .broken(error)))
    }
  }

  /// Leaves the server with a goodbye.
  mutating func leave(_ stage: CandidateFailure.Stage, _ cause: CandidateFailure.Cause) -> SessionEnd {
    quit()
    return .candidate(CandidateFailure(candidate, stage, cause))
  }

  private mutating func decided<Decision>(
    _ decide: () throws(DeliveryFailure) -> Decision
  ) throws(SessionEnd) -> Decision {
    do throws(DeliveryFailure) {
      return try decide()
    } catch {
      quit()
      throw .delivery(error)
    }
  }
}
