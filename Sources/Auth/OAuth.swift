// The mechanisms that present an OAuth 2.0 access token: OAUTHBEARER (RFC 7628), and XOAUTH2, which came before it and is what the large
// mail services document. A token is shown as it is; only TLS keeps it.
internal import Agent

struct OAuthMechanism: Mechanism {
  /// How the token is wrapped, and how the client admits that it has understood a refusal.
  enum Form {
    case bearer, google
  }

  let profile: MechanismProfile
  private let form: Form

  private init(_ name: String, _ form: Form) {
    // A password counts as a token here: a route has one place for both.
    profile = MechanismProfile(
      name, accepts: [.token, .password], exposure: .secret, disabledBy: "DISABLE_AUTH_OAUTH2", responseNames: ["oauth2"])
    self.form = form
  }

  static let oauthBearer = OAuthMechanism("OAUTHBEARER", .bearer)
  static let xoauth2 = OAuthMechanism("XOAUTH2", .google)

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    var token = credentials.secret.bytes
    defer { token.wipe() }
    // Both forms divide their fields by ^A, and OAUTHBEARER's ends in two of them.
    guard token.allSatisfy({ $0 > 32 && $0 < 127 }), credentials.user.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
      throw .unusable("the credentials", "a blank or a control character stands in the token or the user")
    }
    return OAuthExchange(form, credentials, channel)
  }
}

final class OAuthExchange: MechanismExchange {
  private enum State {
    case begun
    case presented
    /// The server has told why it refuses, and now has to refuse.
    case refused
  }

  private let form: OAuthMechanism.Form
  private let credentials: Credentials
  private let channel: AuthenticationChannel
  private var state = State.begun
  private(set) var refusalDetail = Bytes()

  init(_ form: OAuthMechanism.Form, _ credentials: Credentials, _ channel: AuthenticationChannel) {
    self.form = form
    self.credentials = credentials
    self.channel = channel
  }

  func initialResponse() throws(MechanismFault) -> Secret? {
    state = .presented
    let head = start + Bytes("auth=Bearer ")
    var response = Bytes()
    response.reserveCapacity(head.count + credentials.secret.count + 2)
    response += head
    credentials.secret.append(to: &response)
    response += [1, 1]
    return Secret(taking: &response)
  }

  /// What stands before the token.
  private var start: Bytes {
    switch form {
    case .google: Bytes("user=") + credentials.user + [1]
    // RFC 7628 section 3.1: the header of RFC 5801, then fields.
    case .bearer:
      Bytes("n,a=") + SASLName.escaped(credentials.user) + Bytes(",\u{1}host=") + channel.host
        + Bytes("\u{1}port=\(channel.port)\u{1}")
    }
  }

  /// A challenge is a refusal: JSON that says why. The answer to it only makes room for the 535 (RFC 7628 section 3.2.3).
  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    guard state == .presented, !challenge.isEmpty else { throw .failed("the server asks for more than there is") }
    state = .refused
    refusalDetail = Bytes(challenge.prefix(OAuthExchange.detailLimit))
    return Secret(form == .bearer ? [1] : [])
  }

  var isComplete: Bool { state == .presented }

  private static let detailLimit = 1_000
}

/// Names within a message that gives commas and equals signs a meaning.
enum SASLName {
  /// RFC 5801 section 4.
  static func escaped(_ name: Bytes) -> Bytes {
    name.flatMap { byte -> Bytes in
      switch byte {
      case UInt8(ascii: ","): Bytes("=2C")
      case UInt8(ascii: "="): Bytes("=3D")
      default: [byte]
      }
    }
  }
}
