// All mechanisms of this program, in the order in which they are preferred, and the choice by that order.
public import Agent

/// The list for HookSet.
public enum Mechanisms {
  /// The order of qmail-remote(8) of indimail, the strongest first; OAUTHBEARER stands beside XOAUTH2, which came before it. EXTERNAL is not
  /// in that order: it is used where it is named.
  public static var all: [any Mechanism] {
    [
      ScramMechanism.sha256Plus, ScramMechanism.sha256, ScramMechanism.sha1Plus, ScramMechanism.sha1, DigestMD5Mechanism(),
      CramMechanism.ripemd, CramMechanism.sha512, CramMechanism.sha384, CramMechanism.sha256, CramMechanism.sha224,
      CramMechanism.sha1, CramMechanism.md5, LoginMechanism(), PlainMechanism(), OAuthMechanism.oauthBearer,
      OAuthMechanism.xoauth2, ExternalMechanism(),
    ]
  }
}

/// Takes the first of what can be used: the site's order with the server's list, whatever the server's order is.
public struct PreferredMechanism: MechanismSelector {
  public init() {}

  public func choice(
    for question: MechanismQuestion, environment: Environment
  ) throws(DeliveryFailure) -> MechanismChoice? {
    question.usable.first.map(MechanismChoice.use)
  }
}
