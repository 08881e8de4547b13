// SCRAM (RFC 5802, RFC 7677), with and without channel binding. The library runs it; what a hostile server could do with it is looked at
// before it gets to see a message.
internal import Agent

struct ScramMechanism: Mechanism {
  let profile: MechanismProfile
  private let hash: ScramHash

  private init(_ name: String, _ hash: ScramHash, _ channel: MechanismProfile.Channel, _ variable: String) {
    profile = MechanismProfile(
      name, accepts: [.password, hash == .sha1 ? .saltedSHA1 : .saltedSHA256], channel: channel, disabledBy: variable,
      responseNames: ["AUTH \(name)"])
    self.hash = hash
  }

  static let sha1 = ScramMechanism("SCRAM-SHA-1", .sha1, .any, "DISABLE_SCRAM_SHA1")
  static let sha1Plus = ScramMechanism("SCRAM-SHA-1-PLUS", .sha1, .bound, "DISABLE_SCRAM_SHA1_PLUS")
  static let sha256 = ScramMechanism("SCRAM-SHA-256", .sha256, .any, "DISABLE_SCRAM_SHA256")
  static let sha256Plus = ScramMechanism("SCRAM-SHA-256-PLUS", .sha256, .bound, "DISABLE_SCRAM_SHA256_PLUS")

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    var properties: [GSASLProperty] = [
      credentials.kind == .password ? .password(credentials.secret) : .saltedPassword(credentials.secret)
    ]
    if profile.channel == .bound, let binding = channel.binding { properties.append(.binding(binding)) }
    let session = try GSASLSession(profile.name, user: credentials.user, properties)
    guard profile.channel == .any, ScramMechanism.suspectsDowngrade(channel) else {
      return ScramExchange(LibraryScramEngine(session: session))
    }
    return ScramExchange(SuspiciousScramEngine(session, hash, credentials))
  }

  /// We could bind, and see nobody who can: either the server can't, or somebody has taken that from its list. The client says so, and a
  /// server that can will notice (RFC 5802 section 6). To a server that offers binding with another digest it would be a lie.
  private static func suspectsDowngrade(_ channel: AuthenticationChannel) -> Bool {
    channel.binding != nil && !channel.offered.contains { $0.hasSuffix("-PLUS") }
  }
}

/// What makes the client's messages and checks the server's.
protocol ScramEngine {
  mutating func first() throws(MechanismFault) -> Bytes
  /// - Parameter message: what `server` was read from.
  mutating func proof(_ message: Bytes, _ server: ScramServerFirst) throws(MechanismFault) -> Secret
  /// - Returns: whether the server's last message proves that it knows the password, or what was made of it.
  func verifies(_ message: Bytes) -> Bool
}

/// The library does it all.
struct LibraryScramEngine: ScramEngine {
  let session: GSASLSession

  func first() throws(MechanismFault) -> Bytes { try session.step([]).bytes }

  func proof(_ message: Bytes, _ server: ScramServerFirst) throws(MechanismFault) -> Secret { try session.step(message) }

  func verifies(_ message: Bytes) -> Bool {
    do throws(MechanismFault) {
      _ = try session.step(message)
    } catch {
      return false
    }
    return session.isDone
  }
}

/// The three messages of the client: first, proof, and the nothing that follows the server's proof.
final class ScramExchange: MechanismExchange {
  private enum State {
    case first
    case proof(nonce: Bytes)
    case verification
    case verified
    case over
  }

  private var engine: any ScramEngine
  private var state = State.first
  private(set) var refusalDetail = Bytes()

  init(_ engine: any ScramEngine) { self.engine = engine }

  func initialResponse() throws(MechanismFault) -> Secret? {
    let message = try engine.first()
    state = .proof(nonce: try ScramText.nonce(ofFirst: message))
    return Secret(message)
  }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    switch state {
    case .proof(let nonce):
      let server = try ScramServerFirst(challenge, clientNonce: nonce)
      state = .verification
      return try engine.proof(challenge, server)
    case .verification:
      state = .over
      if let error = ScramText.error(challenge) {
        // Now the server has to refuse, by its code.
        refusalDetail = error
        return Secret([])
      }
      guard engine.verifies(challenge) else { throw .failed("the server's proof is wrong") }
      state = .verified
      return Secret([])
    case .first, .verified, .over: throw .failed("the server asks for more than there is")
    }
  }

  var isComplete: Bool {
    guard case .verified = state else { return false }
    return true
  }
}
