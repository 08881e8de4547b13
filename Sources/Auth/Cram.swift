// CRAM-MD5 (RFC 2195) and its kin with other digests, which indimail has: the challenge, keyed by the password, in hexadecimal digits.
internal import Agent

/// CRAM-MD5 is the library's; what it lacks is made here.
struct CramMechanism: Mechanism {
  let profile: MechanismProfile
  /// nil for the library's.
  private let digest: Digest?

  private init(_ name: String, _ variable: String, _ digest: Digest?) {
    profile = MechanismProfile(name, disabledBy: "DISABLE_\(variable)", responseNames: ["username+digest"])
    self.digest = digest
  }

  static let md5 = CramMechanism("CRAM-MD5", "CRAM_MD5", nil)
  static let sha1 = CramMechanism("CRAM-SHA1", "CRAM_SHA1", .sha1)
  static let sha224 = CramMechanism("CRAM-SHA224", "CRAM_SHA224", .sha224)
  static let sha256 = CramMechanism("CRAM-SHA256", "CRAM_SHA256", .sha256)
  static let sha384 = CramMechanism("CRAM-SHA384", "CRAM_SHA384", .sha384)
  static let sha512 = CramMechanism("CRAM-SHA512", "CRAM_SHA512", .sha512)
  static let ripemd = CramMechanism("CRAM-RIPEMD", "CRAM_RIPEMD", .ripemd160)

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    guard let digest else {
      return CramMD5Exchange(try GSASLSession(profile.name, user: credentials.user, [.password(credentials.secret)]))
    }
    // Before anything is sent: a digest that isn't here would be missed too late.
    _ = try Digest.hash(digest, [])
    return CramExchange(digest, credentials)
  }
}

private final class CramMD5Exchange: MechanismExchange {
  private let exchange: GSASLExchange

  init(_ session: GSASLSession) { exchange = GSASLExchange(session, begins: .server) }

  func initialResponse() throws(MechanismFault) -> Secret? { nil }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    guard !challenge.isEmpty else { throw .noChallenge }
    return try exchange.response(to: challenge)
  }

  var isComplete: Bool { exchange.isComplete }
}

/// One answer to one challenge.
final class CramExchange: MechanismExchange {
  private let digest: Digest
  private let credentials: Credentials
  private(set) var isComplete = false

  init(_ digest: Digest, _ credentials: Credentials) {
    self.digest = digest
    self.credentials = credentials
  }

  func initialResponse() throws(MechanismFault) -> Secret? { nil }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    guard !challenge.isEmpty else { throw .noChallenge }
    guard !isComplete else { throw .failed("the server asks for more than there is") }
    let proof = try digest.keyed(by: credentials.secret, challenge)
    isComplete = true
    return Secret(credentials.user + [UInt8(ascii: " ")] + proof.hexadecimal)
  }
}
