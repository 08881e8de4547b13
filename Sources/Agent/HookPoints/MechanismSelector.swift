// Hook point: by which of the mechanisms that may be used.

/// What a mechanism is chosen by.
public struct MechanismQuestion: Sendable {
  public let envelope: RouteQuestion
  /// The relay as the route names it.
  public let relay: Bytes
  public let isSecured: Bool
  /// By the server, after TLS if there is TLS.
  public let offered: [String]
  /// What this site's settings, the connection and the secret allow of that, the one to be preferred first; at least one.
  public let usable: [String]

  public init(envelope: RouteQuestion, relay: Bytes, isSecured: Bool, offered: [String], usable: [String]) {
    self.envelope = envelope
    self.relay = relay
    self.isSecured = isSecured
    self.offered = offered
    self.usable = usable
  }
}

/// The answer.
public enum MechanismChoice: Equatable, Sendable {
  /// One of the usable.
  case use(String)
  /// As if the server offered none.
  case none
}

/// Chooses a mechanism. The first answer wins.
public protocol MechanismSelector {
  /// For the plan: `hooks/mechanism`; nil for what needn't be told.
  var name: String? { get }

  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.x when it can't say.
  func choice(for question: MechanismQuestion, environment: Environment) throws(DeliveryFailure) -> MechanismChoice?
}

extension MechanismSelector {
  public var name: String? { nil }
}
