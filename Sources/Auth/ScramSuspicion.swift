// SCRAM without binding, in which the client says that it could have bound (`y`). libgsasl doesn't have that: given something to bind to, it
// refuses to run a mechanism without PLUS. Its first message, its preparation of strings and its keys are used; the proofs are made here.
internal import Agent

struct SuspiciousScramEngine: ScramEngine {
  private let session: GSASLSession
  private let hash: ScramHash
  private let credentials: Credentials
  /// The client's first message without its header: the user and the nonce, as the library writes them.
  private var bare = Bytes()
  /// The signature that the server has to show.
  private var expected: Bytes?

  /// GS2's header (RFC 5801 section 4): we could bind, there is no other identity.
  private static let header = Bytes("y,,")
  private static let libraryHeader = Bytes("n,,")

  init(_ session: GSASLSession, _ hash: ScramHash, _ credentials: Credentials) {
    self.session = session
    self.hash = hash
    self.credentials = credentials
  }

  mutating func first() throws(MechanismFault) -> Bytes {
    let message = try session.step([]).bytes
    guard message.starts(with: SuspiciousScramEngine.libraryHeader) else {
      throw .failed("libgsasl's first message has another header")
    }
    bare = Bytes(message.dropFirst(SuspiciousScramEngine.libraryHeader.count))
    return SuspiciousScramEngine.header + bare
  }

  mutating func proof(_ message: Bytes, _ server: ScramServerFirst) throws(MechanismFault) -> Secret {
    let final = Bytes("c=") + Base64.encode(SuspiciousScramEngine.header) + Bytes(",r=") + server.nonce
    let signed = bare + Bytes(",") + message + Bytes(",") + final
    let keys = try ScramKeys(hash, credentials, server)
    let signature = try hash.digest.keyed(by: keys.stored, signed)
    var key = keys.client.bytes
    defer { key.wipe() }
    expected = try hash.digest.keyed(by: keys.server, signed)
    return Secret(final + Bytes(",p=") + Base64.encode(zip(key, signature).map { $0 ^ $1 }))
  }

  func verifies(_ message: Bytes) -> Bool {
    guard let expected, message.starts(with: "v=".utf8) else { return false }
    return Base64.decode(message.dropFirst(2).prefix { $0 != UInt8(ascii: ",") }) == expected
  }
}
