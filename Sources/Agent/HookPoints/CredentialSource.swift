// Hook point: as whom mail is relayed. The plan holds who; the secret is asked for when a server wants it.

/// Credentials without their secret.
public struct CredentialIdentity: Equatable, Sendable {
  public let user: Bytes
  /// Where they stand: `control/remote_auth.cdb, key joe@example.org`.
  public let source: String
  /// Edits of the environment that stand with them.
  public let edits: EnvironmentEdits?
  /// For the explanation: others can read the file, say.
  public let warnings: [String]

  public init(user: Bytes, source: String, edits: EnvironmentEdits? = nil, warnings: [String] = []) {
    self.user = user
    self.source = source
    self.edits = edits
    self.warnings = warnings
  }
}

/// Knows credentials. The first answer wins. Only asked for relays that a route names, never for hosts found by MX.
public protocol CredentialSource {
  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.x when they should be there and can't be read.
  func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity?
}
