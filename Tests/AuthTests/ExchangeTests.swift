// Every mechanism of the library against its server's side, and the proofs of SCRAM and DIGEST-MD5 made a second time.
import Support
import Testing

@testable import Agent
@testable import Auth

private func bytes(_ text: String) -> Bytes { Array(text.utf8) }

private let exporter = ChannelBindingData.tlsExporter(Bytes(0..<32))
private let unique = ChannelBindingData.tlsUnique(Bytes(0..<12))

private func channel(
  _ binding: ChannelBindingData? = nil, offered: [String] = [], realm: String? = nil
) -> AuthenticationChannel {
  AuthenticationChannel(
    host: bytes("mx.example"), port: 587, security: binding.map { .secured($0) } ?? .clear, offered: offered,
    realm: realm.map(bytes))
}

private func mechanism(_ name: String) throws -> any Mechanism {
  try #require(Mechanisms.all.first { $0.profile.name == name })
}

@Suite("Exchanges with libgsasl's server")
struct ExchangeTests {
  private static let names = [
    "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
  ]

  private func run(
    _ name: String, _ knowledge: GSASLServer.Knowledge = .init(), password: String = "pencil", kind: SecretKind = .password,
    on channel: AuthenticationChannel
  ) throws -> (ExchangeRun, GSASLServer) {
    let credentials = Credentials(user: bytes("user"), secret: Secret(bytes(password)), kind: kind)
    let server = GSASLServer(name, knowledge)
    return (ExchangeRun(try mechanism(name).begin(credentials, channel), server), server)
  }

  @Test("the right secret, and both sides agree", arguments: names)
  func right(_ name: String) throws {
    let binding = name.hasSuffix("PLUS") ? exporter : nil
    let (run, server) = try run(name, .init(binding: binding), on: channel(binding))
    #expect(run.isAccepted && run.isComplete && run.fault == nil, "\(run)")
    #expect(server.user == "user")
    // No authorisation identity.
    if name == "PLAIN" { #expect(run.said == [bytes("\0user\0pencil")]) }
  }

  @Test("a wrong secret, and the server refuses", arguments: names)
  func wrong(_ name: String) throws {
    let binding = name.hasSuffix("PLUS") ? exporter : nil
    let (run, _) = try run(name, .init(binding: binding), password: "pencils", on: channel(binding))
    #expect(!run.isAccepted && run.refusal != nil, "\(run)")
  }

  @Test func `EXTERNAL says nothing of itself`() throws {
    let (run, _) = try run("EXTERNAL", on: channel())
    #expect(run.isAccepted && run.isComplete && run.said == [[]])
  }

  @Test(
    "letters that are prepared are the same on both sides",
    arguments: ["SCRAM-SHA-1", "SCRAM-SHA-256", "DIGEST-MD5", "PLAIN", "LOGIN"])
  func prepared(_ name: String) throws {
    let password = "p\u{e4}ss w\u{f6}rd"
    let (run, _) = try run(name, .init(password: password), password: password, on: channel())
    #expect(run.isAccepted && run.isComplete, "\(run)")
  }

  // MARK: binding

  @Test(
    "a connection that is another's is noticed", arguments: ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"],
    [exporter, unique])
  func binding(_ name: String, _ binding: ChannelBindingData) throws {
    let (right, _) = try run(name, .init(binding: binding), on: channel(binding))
    #expect(right.isAccepted && right.isComplete)
    #expect(right.said.first?.starts(with: "p=\(binding.name),,n=user,r=".utf8) == true)
    var other = binding.bytes
    other[0] ^= 1
    let elsewhere: ChannelBindingData = binding == exporter ? .tlsExporter(other) : .tlsUnique(other)
    let (wrong, _) = try run(name, .init(binding: elsewhere), on: channel(binding))
    #expect(!wrong.isAccepted)
  }

  @Test(
    "we could bind and nobody offers it: y, which a server that could refuses", arguments: ["SCRAM-SHA-1", "SCRAM-SHA-256"])
  func suspicion(_ name: String) throws {
    let (innocent, _) = try run(name, on: channel(exporter, offered: [name]))
    #expect(innocent.isAccepted && innocent.isComplete && innocent.fault == nil, "\(innocent)")
    #expect(innocent.said.first?.starts(with: "y,,n=user,r=".utf8) == true)
    #expect(innocent.said.count > 2 && innocent.said[2].starts(with: "c=eSws,r=".utf8))
    let (stripped, _) = try run(name, .init(binding: exporter), on: channel(exporter, offered: [name]))
    #expect(!stripped.isAccepted && stripped.refusal != nil)
    let (wrong, _) = try run(name, password: "pen", on: channel(exporter, offered: [name]))
    #expect(!wrong.isAccepted)
  }

  @Test("with PLUS in the list there is nothing to suspect: n", arguments: ["SCRAM-SHA-1", "SCRAM-SHA-256"])
  func noSuspicion(_ name: String) throws {
    for offered in [[name, "\(name)-PLUS"], [name, "SCRAM-SHA-1-PLUS"]] {
      let (run, _) = try run(name, on: channel(exporter, offered: offered))
      #expect(run.isAccepted && run.said.first?.starts(with: "n,,".utf8) == true)
    }
    // In clear there is nothing to bind to.
    #expect(try run(name, on: channel(offered: [name])).0.said.first?.starts(with: "n,,".utf8) == true)
  }

  // MARK: proofs made again

  /// RFC 5802 section 3, with digests of another library than libgsasl's.
  private func proofs(_ said: [Bytes], _ digest: Digest, _ password: Bytes) throws -> (client: Bytes, server: Bytes) {
    let bare = Bytes(said[0].split(separator: UInt8(ascii: ","), maxSplits: 2, omittingEmptySubsequences: false)[2])
    let fields = said[1].split(separator: UInt8(ascii: ","))
    let salt = try #require(Base64.decode(fields[1].dropFirst(2)))
    let iterations = try #require(fields[2].dropFirst(2).decimal)
    let final = Bytes(said[2].split(separator: bytes(",p="))[0])
    let message = bare + bytes(",") + said[1] + bytes(",") + final
    var block = try Digest.hmac(digest, key: password, salt + [0, 0, 0, 1])
    var salted = block
    for _ in 1..<iterations {
      block = try Digest.hmac(digest, key: password, block)
      for index in salted.indices { salted[index] ^= block[index] }
    }
    let clientKey = try Digest.hmac(digest, key: salted, bytes("Client Key"))
    let signature = try Digest.hmac(digest, key: try Digest.hash(digest, clientKey), message)
    let serverKey = try Digest.hmac(digest, key: salted, bytes("Server Key"))
    return (zip(clientKey, signature).map { $0 ^ $1 }, try Digest.hmac(digest, key: serverKey, message))
  }

  @Test(
    "SCRAM's proofs",
    arguments: [
      ("SCRAM-SHA-1", nil), ("SCRAM-SHA-256", nil), ("SCRAM-SHA-1-PLUS", exporter), ("SCRAM-SHA-256-PLUS", exporter),
      ("SCRAM-SHA-1-PLUS", unique), ("SCRAM-SHA-256-PLUS", unique), ("SCRAM-SHA-1", exporter), ("SCRAM-SHA-256", unique),
    ] as [(String, ChannelBindingData?)])
  func scramProofs(_ name: String, _ binding: ChannelBindingData?) throws {
    let isPlus = name.hasSuffix("PLUS")
    let (run, _) = try run(name, .init(binding: isPlus ? binding : nil), on: channel(binding, offered: [name]))
    try #require(run.said.count == 5)
    let (client, server) = try proofs(run.said, name.contains("256") ? .sha256 : .sha1, bytes("pencil"))
    #expect(run.said[2].suffix(Base64.encodedCount(client.count)).elementsEqual(Base64.encode(client)))
    #expect(run.said[3] == bytes("v=") + Base64.encode(server))
    // The header and what it is bound to stand in the last message again.
    let header = isPlus ? bytes("p=\(binding?.name ?? ""),,") + (binding?.bytes ?? []) : bytes(binding == nil ? "n,," : "y,,")
    #expect(run.said[2].starts(with: bytes("c=") + Base64.encode(header) + bytes(",r=")))
  }

  @Test("a salted password does as well as the password", arguments: [("SCRAM-SHA-1", exporter), ("SCRAM-SHA-256", nil)])
  func salted(_ name: String, _ binding: ChannelBindingData?) throws {
    let isSHA1 = name == "SCRAM-SHA-1"
    let digest: Digest = isSHA1 ? .sha1 : .sha256
    let salt = try #require(Base64.decode(bytes("QSXCR+Q6sek8bf92")))
    var block = try Digest.hmac(digest, key: bytes("pencil"), salt + [0, 0, 0, 1])
    var salted = block
    for _ in 1..<4_096 {
      block = try Digest.hmac(digest, key: bytes("pencil"), block)
      for index in salted.indices { salted[index] ^= block[index] }
    }
    for text in [salted.hexadecimal.text, salted.hexadecimal.text.uppercased()] {
      // With a binding it is our own proof, without one the library's.
      let (run, _) = try run(
        name, password: text, kind: isSHA1 ? .saltedSHA1 : .saltedSHA256, on: channel(binding, offered: [name]))
      #expect(run.isAccepted && run.isComplete, "\(run)")
    }
  }

  @Test("DIGEST-MD5's proofs, with the server's realm, one of ours, and none", arguments: ["mx.example", nil], ["other", nil])
  func digestProofs(_ offered: String?, _ ours: String?) throws {
    let (run, _) = try run("DIGEST-MD5", .init(realm: offered), on: channel(realm: ours))
    try #require(run.said.count >= 2)
    let answer = run.said[1].text
    func field(_ name: String) -> String {
      let start = answer.split(separator: "\(name)=", omittingEmptySubsequences: false).dropFirst().first ?? ""
      return start.hasPrefix("\"") ? String(start.dropFirst().prefix { $0 != "\"" }) : String(start.prefix { $0 != "," })
    }
    let realm = ours ?? offered ?? ""
    #expect(field("realm") == realm && field("digest-uri") == "smtp/mx.example" && field("qop") == "auth")
    func hex(_ text: Bytes) throws -> String { try Digest.hash(.md5, text).hexadecimal.text }
    let start = try Digest.hash(.md5, bytes("user:\(realm):pencil")) + bytes(":\(field("nonce")):\(field("cnonce"))")
    let secret = try hex(start)
    func proof(_ of: String) throws -> String {
      let rest = "\(field("nonce")):00000001:\(field("cnonce")):auth:\(try hex(bytes("\(of):smtp/mx.example")))"
      return try hex(bytes("\(secret):\(rest)"))
    }
    #expect(field("response") == (try proof("AUTHENTICATE")))
    // A server that knows users of its own realm only refuses another.
    guard ours == nil || ours == offered || offered == nil else { return }
    try #require(run.said.count == 4)
    #expect(run.said[2].text == "rspauth=\(try proof(""))" && run.isAccepted && run.isComplete)
  }
}
