// Published vectors of mechanisms, byte for byte.
import Support
import Testing

@testable import Agent
@testable import Auth

private func bytes(_ text: String) -> Bytes { Array(text.utf8) }

private func channel(host: String = "mx.example", port: UInt16 = 25) -> AuthenticationChannel {
  AuthenticationChannel(host: bytes(host), port: port, security: .clear, offered: [])
}

private func credentials(_ user: String, _ secret: String, _ kind: SecretKind = .password) -> Credentials {
  Credentials(user: bytes(user), secret: Secret(bytes(secret)), kind: kind)
}

@Suite("Vectors of mechanisms")
struct MechanismVectorTests {
  /// RFC 2195 section 2 has the first; the others are its construction, made with openssl dgst -hmac.
  @Test(
    "CRAM with every digest",
    arguments: [
      ("CRAM-MD5", "b913a602c7eda7a495b4e6e7334d3890"), ("CRAM-SHA1", "8cb10ed0a8b764ab0e05125dd6eaa295f19b5943"),
      ("CRAM-SHA224", "6bb3fff1eedc3994d2dee93e183de8756658ff4b09948b92b9879b13"),
      ("CRAM-SHA256", "f0011bbf7c1618ef90e3f18148e5eda4e15631c9c38ebef062bf7143ff72e944"),
      ("CRAM-SHA384", "47b2fa97df600103deab5fdbbdd27dbe8d8048d810a491811b6d738bf344efaef2e260bfb881c782a0a36a3fb9885442"),
      (
        "CRAM-SHA512",
        "f2fde77a96bdf186bec491a4b02c90ff793d1954bdd5a243a735e682482bd879d50782b09411ad5beb1bf145b792597e3aa76b53f3e4f79f842d490892b9f6ad"
      ), ("CRAM-RIPEMD", "cffc7b822ea4e76d51c984d4211cf9b900a82930"),
    ])
  func cram(_ name: String, _ digest: String) throws {
    let mechanism = try #require(Mechanisms.all.first { $0.profile.name == name })
    let exchange = try mechanism.begin(credentials("tim", "tanstaaftanstaaf"), channel())
    #expect(try exchange.initialResponse() == nil && !exchange.isComplete)
    let response = try exchange.response(to: bytes("<1896.697170952@postoffice.reston.mci.net>"))
    #expect(response.bytes.text == "tim \(digest)")
    #expect(exchange.isComplete)
    #expect(throws: MechanismFault.self) { try exchange.response(to: bytes("<x@y>")) }
  }

  @Test("CRAM has nothing to say to nothing", arguments: ["CRAM-MD5", "CRAM-SHA256"])
  func emptyChallenge(_ name: String) throws {
    let mechanism = try #require(Mechanisms.all.first { $0.profile.name == name })
    let exchange = try mechanism.begin(credentials("tim", "x"), channel())
    #expect(throws: MechanismFault.noChallenge) { try exchange.response(to: []) }
    #expect(!exchange.isComplete)
  }

  /// RFC 7628 section 4.1.
  @Test func `OAUTHBEARER's example`() throws {
    let exchange = try OAuthMechanism.oauthBearer.begin(
      credentials("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", .token),
      channel(host: "server.example.com", port: 143))
    let message = try #require(try exchange.initialResponse())
    #expect(
      Base64.encode(message).bytes.text
        == "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    )
    #expect(exchange.isComplete)
    // Section 4.3: the error, and the answer to it.
    let error = bytes(#"{"status":"invalid_token","scope":"example_scope"}"#)
    #expect(try exchange.response(to: error).bytes == [1])
    #expect(!exchange.isComplete && exchange.refusalDetail == error)
    #expect(throws: MechanismFault.self) { try exchange.response(to: error) }
  }

  /// The example in Google's description of the mechanism.
  @Test func `XOAUTH2's example`() throws {
    let exchange = try OAuthMechanism.xoauth2.begin(
      credentials("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", .token), channel())
    let message = try #require(try exchange.initialResponse())
    #expect(
      Base64.encode(message).bytes.text
        == "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )
    #expect(try exchange.response(to: bytes("{}")).bytes.isEmpty)
  }

  /// RFC 5802 section 5. The client's nonce there is what base64 makes of 18 bytes, as libgsasl's is.
  @Test func `SCRAM-SHA-1's example`() throws {
    let random = try #require(Base64.decode(bytes("fyko+d2lbbFgONRv9qkxdawL")))
    try withRandomBytes(random) {
      let exchange = try ScramMechanism.sha1.begin(credentials("user", "pencil"), channel())
      #expect(try exchange.initialResponse()?.bytes.text == "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")
      let server = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
      #expect(
        try exchange.response(to: bytes(server)).bytes.text
          == "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
      #expect(!exchange.isComplete)
      #expect(try exchange.response(to: bytes("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")).bytes.isEmpty)
      #expect(exchange.isComplete)
    }
  }

  /// RFC 7677 section 3. Its nonce is shorter than the library's, so this is about the keys.
  @Test func `SCRAM-SHA-256's example`() throws {
    let first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    let server = try ScramServerFirst(bytes(first), clientNonce: bytes("rOprNGfwEbeRWgbNEkqO"))
    let keys = try ScramKeys(.sha256, credentials("user", "pencil"), server)
    let message = bytes("n=user,r=rOprNGfwEbeRWgbNEkqO,\(first),c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    let signature = try Digest.sha256.keyed(by: keys.stored, message)
    let proof = zip(keys.client.bytes, signature).map { $0 ^ $1 }
    #expect(Base64.encode(proof).text == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    let verifier = try Digest.sha256.keyed(by: keys.server, message)
    #expect(Base64.encode(verifier).text == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
  }

  @Test("a null byte in a user or a password goes nowhere")
  func nullBytes() {
    for mechanism in Mechanisms.all where mechanism.profile.name != "EXTERNAL" && !mechanism.profile.name.hasPrefix("CRAM-") {
      for (user, secret) in [([117, 0, 120], bytes("p")), (bytes("u"), [112, 0, 120])] as [(Bytes, Bytes)] {
        #expect(throws: DeliveryFailure.self, "\(mechanism.profile.name)") {
          let channel = AuthenticationChannel(
            host: bytes("h"), port: 1, security: .secured(.tlsExporter([1])), offered: ["SCRAM-SHA-1-PLUS"])
          _ = try mechanism.begin(Credentials(user: user, secret: Secret(secret), kind: .password), channel)
        }
      }
    }
  }
}
