// Hook point: ways to authenticate (SASL, RFC 4422). A mechanism takes challenges and gives responses; it touches no socket and knows no
// SMTP.

/// What a secret is, and so what it is good for.
public enum SecretKind: String, Sendable, CaseIterable {
  /// A password in clear.
  case password
  /// A password as SCRAM-SHA-1 or SCRAM-SHA-256 derive it, in hexadecimal digits: it stands in for the password with that digest only.
  case saltedSHA1, saltedSHA256
  /// An OAuth 2.0 access token.
  case token
}

/// Who authenticates, and by what.
public struct Credentials: Sendable {
  public let user: Bytes
  public let secret: Secret
  public let kind: SecretKind
  /// The one mechanism that they are for; nil for any.
  public let mechanism: String?

  public init(user: Bytes, secret: Secret, kind: SecretKind, mechanism: String? = nil) {
    self.user = user
    self.secret = secret
    self.kind = kind
    self.mechanism = mechanism
  }
}

/// The connection that an authentication is for.
public struct AuthenticationChannel: Sendable {
  /// The relay as the route names it, and its port.
  public let host: Bytes
  public let port: UInt16
  public let security: Security
  /// What the server offers, in capitals.
  public let offered: [String]
  /// Control file `realm`; nil for the server's own choice.
  public let realm: Bytes?

  public enum Security: Equatable, Sendable {
    case clear
    /// TLS, with what there is to bind to.
    case secured(ChannelBindingData?)
  }

  public init(host: Bytes, port: UInt16, security: Security, offered: [String], realm: Bytes? = nil) {
    self.host = host
    self.port = port
    self.security = security
    self.offered = offered
    self.realm = realm
  }

  public var isSecured: Bool { security != .clear }

  public var binding: ChannelBindingData? {
    guard case .secured(let binding) = security else { return nil }
    return binding
  }
}

/// What a mechanism is, for those who choose among them.
public struct MechanismProfile: Sendable {
  /// What the server gets to see.
  public enum Exposure: Sendable {
    /// A proof that the secret is known.
    case proof
    /// The secret itself.
    case secret
  }

  /// The connection that it needs.
  public enum Channel: Sendable {
    case any, secured, bound
  }

  public enum Choice: Sendable {
    case automatic
    /// Used only where somebody has asked for it.
    case byNameOnly
  }

  /// As registered with IANA, in capitals.
  public let name: String
  public let accepts: Set<SecretKind>
  public let exposure: Exposure
  public let channel: Channel
  public let choice: Choice
  /// The variable that turns it off.
  public let disabledBy: String?
  /// What reports call its responses; the last name is for all that follow.
  public let responseNames: [String]

  public init(
    _ name: String, accepts: Set<SecretKind> = [.password], exposure: Exposure = .proof, channel: Channel = .any,
    choice: Choice = .automatic, disabledBy: String?, responseNames: [String]
  ) {
    self.name = name
    self.accepts = accepts
    self.exposure = exposure
    self.channel = channel
    self.choice = choice
    self.disabledBy = disabledBy
    self.responseNames = responseNames
  }

  func fits(_ channel: AuthenticationChannel) -> Bool {
    switch self.channel {
    case .any: true
    case .secured: channel.isSecured
    case .bound: channel.binding != nil
    }
  }
}

/// A mechanism. HookSet lists them, the one to be preferred first.
public protocol Mechanism {
  var profile: MechanismProfile { get }

  /// - Throws: 4.3.x when it can't be run here: a missing library, say.
  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange
}

/// What stops an exchange on our side.
public enum MechanismFault: Error, Equatable, Sendable {
  /// There is nothing in the challenge that could be answered.
  case noChallenge
  /// In words that go on from "authentication failed:".
  case failed(String)
}

/// One run of a mechanism.
public protocol MechanismExchange: AnyObject {
  /// What can go with the command; nil where the server speaks first. Called once, before everything else.
  func initialResponse() throws(MechanismFault) -> Secret?

  /// Called for each challenge.
  func response(to challenge: Bytes) throws(MechanismFault) -> Secret

  /// Whether the server has done all that the mechanism demands of it, its own proof included. Only then does its yes count.
  var isComplete: Bool { get }

  /// What the server told of its refusal within the exchange; empty for nothing.
  var refusalDetail: Bytes { get }
}

extension MechanismExchange {
  public var refusalDetail: Bytes { [] }
}
