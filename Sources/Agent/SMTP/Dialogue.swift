// The opening of an SMTP session as a machine: greeting, EHLO, HELO, STARTTLS (RFC 3207). Takes replies, returns what to do; touches no
// socket and no TLS.

/// Leads from the connection to the point where mail can be sent.
struct Dialogue {
  enum Action: Equatable {
    case awaitReply
    case send(Command)
    /// Send STARTTLS, and be ready for a handshake.
    case startTLS
    /// Begin TLS, now.
    case secure
    case ready(Capabilities)
    /// Leave this server, with a goodbye.
    case leave(CandidateFailure.Stage, CandidateFailure.Cause)
  }

  private enum State: Equatable {
    case greeting
    case ehlo
    case helo
    case startTLS
    case handshake
    case over
  }

  /// How the connection is protected.
  private enum Protection: Equatable {
    case clear
    /// The handshake is done, and the server hasn't said anything since.
    case fresh
    case proved
  }

  private let heloName: Bytes
  private let tls: TLSPolicy
  private var state = State.greeting
  private var protection = Protection.clear

  /// Where the session is.
  var stage: CandidateFailure.Stage {
    switch state {
    case .greeting: .greeting
    case .ehlo, .helo, .over: .hello
    case .startTLS, .handshake: .tls
    }
  }

  init(heloName: Bytes, tls: TLSPolicy) {
    self.heloName = heloName
    self.tls = tls
  }

  /// What to do with a fresh connection.
  mutating func begin() -> Action {
    guard tls.start == .implicit else { return .awaitReply }
    state = .handshake
    return .secure
  }

  mutating func received(_ reply: Reply) -> Action {
    if protection == .fresh { protection = .proved }
    switch state {
    case .greeting:
      // RFC 5321 section 3.1: 220, or no service here.
      guard reply.code == 220 else { return leave(.greeting, .refused(reply)) }
      return hello()
    case .ehlo:
      if reply.isPositive { return offered(Capabilities(reply)) }
      // 5yz says that EHLO isn't known; 4yz says that now is no good time, for HELO neither.
      guard reply.disposition == .permanent else { return leave(.hello, .refused(reply)) }
      // Who doesn't know EHLO offers nothing.
      if mustStartTLS { return leave(.tls, .tls(.notOffered)) }
      state = .helo
      return .send(.helo(heloName))
    case .helo:
      return reply.isPositive ? ready(Capabilities()) : leave(.hello, .refused(reply))
    case .startTLS:
      guard reply.code == 220 else { return leave(.tls, .tls(.refused(reply))) }
      state = .handshake
      return .secure
    case .handshake, .over:
      return leave(.hello, .refused(reply))
    }
  }

  /// The handshake is done. What the server said before is forgotten: only what it says now is its own word (RFC 3207 section 4.2).
  mutating func secured() -> Action {
    protection = .fresh
    guard tls.start == .startTLS else {
      state = .greeting
      return .awaitReply
    }
    return hello()
  }

  /// What it comes to when the conversation breaks off.
  func broken(_ error: ConversationError, with candidate: Candidate) -> CandidateFailure {
    switch (state, error) {
    case (.startTLS, _): return CandidateFailure(candidate, .tls, .tls(.broken(error)))
    // With TLS 1.3 the server's opinion of our certificate comes after the handshake.
    case (_, .transport(.tls)) where protection == .fresh: return CandidateFailure(candidate, .tls, .tls(.broken(error)))
    default: return CandidateFailure(candidate, stage, .broken(error))
    }
  }

  private mutating func hello() -> Action {
    state = .ehlo
    return .send(.ehlo(heloName))
  }

  private mutating func offered(_ capabilities: Capabilities) -> Action {
    guard protection == .clear, tls.level != .none else { return ready(capabilities) }
    if capabilities.startTLS {
      state = .startTLS
      return .startTLS
    }
    return mustStartTLS ? leave(.tls, .tls(.notOffered)) : ready(capabilities)
  }

  /// This connection is of no use in clear.
  private var mustStartTLS: Bool { protection == .clear && (tls.isMandatory || tls.level == .may && tls.clear == .last) }

  private mutating func ready(_ capabilities: Capabilities) -> Action {
    state = .over
    return .ready(capabilities)
  }

  private mutating func leave(_ stage: CandidateFailure.Stage, _ cause: CandidateFailure.Cause) -> Action {
    state = .over
    return .leave(stage, cause)
  }
}
