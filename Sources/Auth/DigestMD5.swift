// DIGEST-MD5 (RFC 2831, historic by RFC 6331): servers that know nothing better still have it.
internal import Agent

struct DigestMD5Mechanism: Mechanism {
  let profile = MechanismProfile("DIGEST-MD5", disabledBy: "DISABLE_DIGEST_MD5", responseNames: ["username+digest"])

  func begin(_ credentials: Credentials, _ channel: AuthenticationChannel) throws(DeliveryFailure) -> any MechanismExchange {
    let session = try GSASLSession(
      profile.name, user: credentials.user,
      [.password(credentials.secret), .service(Bytes("smtp")), .host(channel.host)])
    return DigestMD5Exchange(session, realm: channel.realm)
  }
}

/// Challenge and response, then the server's proof, which the library checks and which must have come.
private final class DigestMD5Exchange: MechanismExchange {
  private let exchange: GSASLExchange
  private let realm: Bytes?
  private var hasAnswered = false

  /// RFC 2831 section 2.1.1.
  private static let challengeLimit = 2_048

  init(_ session: GSASLSession, realm: Bytes?) {
    exchange = GSASLExchange(session, begins: .server)
    self.realm = realm
  }

  func initialResponse() throws(MechanismFault) -> Secret? { nil }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    guard !challenge.isEmpty else { throw .noChallenge }
    guard challenge.count < DigestMD5Exchange.challengeLimit else { throw .failed("the challenge is too long") }
    let isFirst = !hasAnswered
    hasAnswered = true
    guard !exchange.isComplete else { throw .failed("the server asks for more than there is") }
    do throws(MechanismFault) {
      return try exchange.response(to: isFirst ? DigestChallenge.naming(realm, in: challenge) : challenge)
    } catch {
      // The library says the same of both.
      throw .failed(isFirst ? "the server's challenge is not DIGEST-MD5's" : "the server's proof is wrong")
    }
  }

  var isComplete: Bool { exchange.isComplete }
}

/// The list of directives that the server sends.
enum DigestChallenge {
  /// The library takes the first realm that is offered; with a realm of the site's, that is the one.
  static func naming(_ realm: Bytes?, in challenge: Bytes) -> Bytes {
    guard let realm else { return challenge }
    let others = directives(challenge).filter { !$0.startsIgnoringCase(with: "realm=") }
    let quoted = realm.flatMap { [UInt8(ascii: "\""), UInt8(ascii: "\\")].contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    let own = Bytes("realm=\"") + quoted + Bytes("\"")
    return Bytes(([own[...]] + others).joined(separator: Bytes(",")))
  }

  /// Divides at commas that don't stand within quotes.
  private static func directives(_ challenge: Bytes) -> [ArraySlice<UInt8>] {
    var isQuoted = false
    var isEscaped = false
    let parts = challenge.split { byte in
      defer { isEscaped = isQuoted && !isEscaped && byte == UInt8(ascii: "\\") }
      if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
      return byte == UInt8(ascii: ",") && !isQuoted
    }
    return parts.map { part in
      part.drop { [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains($0) }
    }
  }
}
