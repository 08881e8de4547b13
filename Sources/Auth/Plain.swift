// The mechanisms that show the server the secret itself, PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), and the one that has none,
// EXTERNAL (RFC 4422 appendix A).
internal import Agent

struct PlainMechanism: Mechanism {
  let profile = MechanismProfile(
    "PLAIN", exposure: .secret, disabledBy: "DISABLE_AUTH_PLAIN", responseNames: ["plain"])

  /// Without an authorisation identity: who relays is who authenticates. Others have sent the envelope's sender there, which servers that
  /// know what it is refuse.
  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    GSASLExchange(
      try GSASLSession(profile.name, user: credentials.user, [.password(credentials.secret)]), begins: .client)
  }
}

struct LoginMechanism: Mechanism {
  let profile = MechanismProfile(
    "LOGIN", exposure: .secret, disabledBy: "DISABLE_AUTH_LOGIN", responseNames: ["username", "password"])

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    GSASLExchange(
      try GSASLSession(profile.name, user: credentials.user, [.password(credentials.secret)]), begins: .server)
  }
}

/// The client certificate says who we are.
struct ExternalMechanism: Mechanism {
  let profile = MechanismProfile(
    "EXTERNAL", accepts: Set(SecretKind.allCases), channel: .secured, choice: .byNameOnly, disabledBy: nil,
    responseNames: ["external"])

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    GSASLExchange(try GSASLSession(profile.name, user: credentials.user, []), begins: .client)
  }
}
