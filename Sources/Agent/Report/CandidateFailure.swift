// What ends a candidate before it can have the message: the next one may do better.

/// What broke a conversation, other than a reply.
public enum ConversationError: Error, Equatable, Sendable {
  case transport(TransportError)
  case malformed(MalformedReply)
}

/// A server that couldn't be used.
public struct CandidateFailure: Error, Equatable, Sendable {
  /// How far it came; the order is that of a session.
  public enum Stage: Int, Sendable, CaseIterable {
    case connect
    case greeting
    case hello
    /// From STARTTLS on, or before the greeting where TLS begins the connection.
    case tls
    case authentication
    /// The server refuses the command for the message itself, and not the message.
    case transfer
    /// QMTP's whole: what went wrong before its last byte.
    case package
  }

  public enum Cause: Equatable, Sendable {
    case refused(Reply)
    case broken(ConversationError)
    case unauthenticated(AuthenticationFailure)
    case tls(TLSTrouble)
  }

  public let candidate: Candidate
  public let stage: Stage
  public let cause: Cause

  public init(_ candidate: Candidate, _ stage: Stage, _ cause: Cause) {
    self.candidate = candidate
    self.stage = stage
    self.cause = cause
  }

  /// Only a server's own word is final.
  public var disposition: EnhancedStatus.Disposition {
    guard stage != .transfer, case .refused(let reply) = cause, reply.disposition == .permanent else { return .temporary }
    return .permanent
  }
}
