// Hook point: as whom mail is relayed. The plan holds who; the secret is asked for when a server wants it.

/// Credentials without their secret.
public struct CredentialIdentity: Equatable, Sendable {
  /// When they are used.
  public enum Condition: Sendable {
    case always
    /// If AUTH_SMTP is set, after all edits.
    case enabled
  }

  /// nil when it is only known together with the secret; then there may turn out to be none.
  public let user: Bytes?
  /// Where they stand: `control/remote_auth.cdb, key joe@example.org`.
  public let source: String
  public let condition: Condition
  /// Edits of the environment that stand with them.
  public let edits: EnvironmentEdits?
  /// For the explanation: others can read the file, say.
  public let warnings: [String]

  public init(
    user: Bytes?, source: String, condition: Condition = .always, edits: EnvironmentEdits? = nil, warnings: [String] = []
  ) {
    self.user = user
    self.source = source
    self.condition = condition
    self.edits = edits
    self.warnings = warnings
  }
}

/// What a source is asked for a secret with.
public struct CredentialRequest: Sendable {
  public let envelope: RouteQuestion
  public let route: Route
  /// Those that could be used, the one to be preferred first.
  public let mechanisms: [String]
  /// Whom the route names, for a source that only knows the secret.
  public let user: Bytes?
  /// The server has refused what the same source gave for this delivery; nil when it is asked for the first time.
  public let refused: RefusedCredentials?

  public init(
    envelope: RouteQuestion, route: Route, mechanisms: [String], user: Bytes? = nil, refused: RefusedCredentials? = nil
  ) {
    self.envelope = envelope
    self.route = route
    self.mechanisms = mechanisms
    self.user = user
    self.refused = refused
  }
}

/// Credentials that didn't do.
public struct RefusedCredentials: Sendable {
  public let credentials: Credentials
  public let reply: Reply

  public init(_ credentials: Credentials, _ reply: Reply) {
    self.credentials = credentials
    self.reply = reply
  }
}

/// Knows credentials. The first answer wins. Only asked for relays that a route names, never for hosts found by MX.
public protocol CredentialSource {
  /// For the plan.
  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.x when they should be there and can't be read.
  func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity?

  /// For a server that offers authentication. Only asked if there was an identity.
  /// - Returns: nil for none; and for nothing better than what was refused.
  /// - Throws: 4.3.x when they should be there and can't be had.
  func credentials(for request: CredentialRequest, environment: Environment) throws(DeliveryFailure) -> Credentials?
}
