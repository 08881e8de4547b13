// The opening of an SMTP session as a machine: greeting, EHLO, HELO. Takes replies, returns what to do; touches no socket.

/// Leads from the connection to the point where mail can be sent.
struct Dialogue {
  enum Action: Equatable {
    case awaitReply
    case send(Command)
    case ready(Capabilities)
    /// Leave this server for the next one.
    case leave(CandidateFailure.Stage)
  }

  private enum State: Equatable {
    case greeting
    case ehlo
    case helo
    case over
  }

  private let heloName: Bytes
  private var state = State.greeting

  /// Where the session is, for a failure that is not a reply.
  var stage: CandidateFailure.Stage { state == .greeting ? .greeting : .hello }

  init(heloName: Bytes) { self.heloName = heloName }

  /// What to do with a fresh connection.
  func begin() -> Action { .awaitReply }

  mutating func received(_ reply: Reply) -> Action {
    switch state {
    case .greeting:
      // RFC 5321 section 3.1: 220, or no service here.
      guard reply.code == 220 else { return leave(.greeting) }
      state = .ehlo
      return .send(.ehlo(heloName))
    case .ehlo:
      if reply.isPositive { return ready(Capabilities(reply)) }
      // 5yz says that EHLO isn't known; 4yz says that now is no good time, for HELO neither.
      guard reply.disposition == .permanent else { return leave(.hello) }
      state = .helo
      return .send(.helo(heloName))
    case .helo:
      return reply.isPositive ? ready(Capabilities()) : leave(.hello)
    case .over:
      return leave(.hello)
    }
  }

  private mutating func ready(_ capabilities: Capabilities) -> Action {
    state = .over
    return .ready(capabilities)
  }

  private mutating func leave(_ stage: CandidateFailure.Stage) -> Action {
    state = .over
    return .leave(stage)
  }
}
