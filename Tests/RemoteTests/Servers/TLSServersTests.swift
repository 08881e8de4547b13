// The servers of TLSServers, seen by clients that aren't ours: Python's, openssl's and Postfix'. Only so what the tests of TLS find says
// something of the program under test.
import Foundation
import Support
import Testing

@Suite struct TLSServersTests {
  struct Offer: Sendable, CustomTestStringConvertible {
    let engine: TLSBehaviour.Engine
    let secure: PythonClient.Security
    let version: String

    var testDescription: String { "\(engine) \(secure) \(version)" }
  }

  static let offers: [Offer] = [TLSBehaviour.Engine.python, .openssl].flatMap { engine in
    [PythonClient.Security.starttls, .implicit].flatMap { secure in
      ["TLSv1_2", "TLSv1_3"].map { Offer(engine: engine, secure: secure, version: $0) }
    }
  }

  @Test(arguments: offers)
  func `TLS with a client certificate and AUTH`(_ offer: Offer) throws {
    let pki = try TestPKI.shared.get()
    let behaviour = TLSBehaviour(pki[.ec], pki[.rsa]) {
      $0.engine = offer.engine
      $0.implicit = offer.secure == .implicit
      $0.clientCertificate = .required
      $0.clientAuthorities = pki.roots
      $0.secureKeywords = ["AUTH CRAM-MD5"]
      $0.accounts = ["user": "secret"]
      $0.needsLogin = true
    }
    let server = try TLSServers.shared.get().start(behaviour)
    let result = try PythonClient(server.port, offer.secure) {
      $0.authorities = pki.roots
      $0.identity = [pki[.client].chain, pki[.client].key]
      $0.versions = [offer.version, offer.version]
      $0.mechanism = "CRAM-MD5"
    }.run()
    let session = try #require(try server.finish().first)
    let message = try #require(session.messages.first)
    #expect(String(decoding: message.data, as: UTF8.self) == "Subject: x\r\n\r\nhello\r\n")
    #expect(message.isSecure && message.user == "user")
    #expect(session.logins.map(\.mechanism) == ["CRAM-MD5"])
    #expect(session.clearLines == (offer.secure == .implicit ? [] : ["ehlo [127.0.0.1]", "STARTTLS"]))
    #expect(session.hello?.name == "mx.example.com")
    let tls = try #require(session.tls)
    #expect(tls.version == result.version && tls.cipher == result.cipher)
    #expect(tls.version == offer.version.replacingOccurrences(of: "_", with: "."))
    #expect(tls.client == "O = Tests, CN = client")
    if offer.engine == .python { #expect(try tls.clientFingerprint == pki[.client].fingerprint(.sha256)) }
    #expect(session.isOver)
  }

  @Test(arguments: ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"])
  func `AUTH with the right secret and a wrong one`(_ mechanism: String) throws {
    var behaviour = TLSBehaviour()
    behaviour.clearKeywords = ["AUTH \(mechanism)"]
    behaviour.accounts = ["user": "secret"]
    let server = try TLSServers.shared.get().start(behaviour)
    _ = try PythonClient(server.port, .clear) { $0.mechanism = mechanism }.run()
    #expect(throws: SpawnFault.self) {
      try PythonClient(server.port, .clear) {
        $0.mechanism = mechanism
        $0.password = "wrong"
      }.run()
    }
    #expect(try server.finish().map(\.logins).map { $0.map(\.user) } == [["user"], [nil]])
  }

  /// What openssl says of each certificate and the name mx.example.com, when the roots are trusted.
  static let verdicts: [(TestPKI.Name, String)] = [
    (.rsa, "OK"), (.ec, "OK"), (.byRoot, "OK"), (.wildcard, "OK"), (.sanOnly, "OK"), (.cnOnly, "OK"), (.cnElsewhere, "OK"),
    (.expired, "certificate has expired"), (.future, "certificate is not yet valid"),
    (.oldIntermediate, "certificate has expired"), (.wrongName, "hostname mismatch"), (.cnOverruled, "hostname mismatch"),
    (.nameless, "hostname mismatch"), (.address, "hostname mismatch"), (.nullName, "hostname mismatch"),
    (.nullCN, "hostname mismatch"), (.selfSigned, "self-signed certificate"),
    (.untrusted, "unable to get local issuer certificate"), (.byLeaf, "invalid CA certificate"),
    (.clientUsage, "unsuitable certificate purpose"),
  ]

  @Test(arguments: verdicts)
  func `openssl s_client's verdict on a certificate`(_ name: TestPKI.Name, _ verdict: String) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[name]))
    let operands = [
      "s_client", "-connect", "127.0.0.1:\(server.port)", "-starttls", "smtp", "-brief", "-verify_return_error",
      "-servername", "mx.example.com", "-verify_hostname", "mx.example.com", "-CAfile", pki.roots,
    ]
    let said = try openssl(operands)
    let session = try #require(try server.finish().first)
    if verdict == "OK" {
      #expect(said.contains("\nVerification: OK\n"))
    } else {
      #expect(said.contains("verify error:num=") && said.contains(":\(verdict)\n"), "\(said)")
    }
    #expect((session.tls != nil) == (verdict == "OK"))
  }

  /// What DANE records (RFC 6698) say of a chain, with the right digest and with a wrong one.
  @Test(arguments: [
    (TestPKI.Name.ec, TestPKI.Name.ec, [3, 1, 1]), (.rsa, .rsa, [3, 0, 2]), (.expired, .expired, [3, 1, 0]),
    (.ec, .intermediateEC, [2, 0, 1]), (.rsa, .intermediateRSA, [2, 1, 2]),
  ])
  func `TLSA records`(_ name: TestPKI.Name, _ subject: TestPKI.Name, _ kind: [Int]) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[name]))
    let right = try pki[subject].tlsa(kind[0], kind[1], kind[2])
    let wrong = right.dropLast() + (right.last == "0" ? "1" : "0")
    for record in [right, String(wrong)] {
      let operands = [
        "s_client", "-connect", "127.0.0.1:\(server.port)", "-starttls", "smtp", "-brief", "-verify_return_error",
        "-dane_tlsa_domain", "mx.example.com", "-dane_tlsa_rrdata", record,
      ]
      let said = try openssl(operands)
      #expect(said.contains("\nVerification: OK\n") == (record == right), "\(said)")
    }
    try server.finish()
  }

  /// Handshakes that fail, and bytes that a client must not take for TLS.
  @Test(arguments: TLSBehaviour.Handshake.inVain.filter { $0 != .stall && $0 != .halfAndStall })
  func `no handshake`(_ handshake: TLSBehaviour.Handshake) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]) { $0.handshake = handshake })
    #expect(throws: SpawnFault.self) { try PythonClient(server.port, .starttls).run() }
    let session = try #require(try server.finish().first)
    #expect(session.tls == nil && session.messages.isEmpty)
    #expect((session.hello == nil) == (handshake == .closeAtOnce))
  }

  @Test(arguments: [TLSBehaviour.Handshake.stall, .halfAndStall])
  func `a handshake that stalls until the server is stopped`(_ handshake: TLSBehaviour.Handshake) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]) { $0.handshake = handshake })
    let client = Promise<Bool>()
    Thread.detachNewThread { client.keep((try? PythonClient(server.port, .starttls).run()) == nil) }
    #expect(try eventually { try server.sessions().first?.hello != nil })
    #expect(client.now == nil)
    #expect(try server.finish().map(\.ended) == ["stalled"])
    #expect(client.wait(seconds: 30) == true)
  }

  @Test func `bytes in clear after the ClientHello`() throws {
    let pki = try TestPKI.shared.get()
    let behaviour = TLSBehaviour(pki[.ec]) {
      $0.injected = "250 injected\r\n"
      $0.injectedWhen = .afterHello
    }
    let server = try TLSServers.shared.get().start(behaviour)
    #expect(throws: SpawnFault.self) { try PythonClient(server.port, .starttls).run() }
    #expect(try server.finish().map { $0.tls == nil } == [true])
  }

  /// A certificate for each name that is asked for.
  @Test func `names and certificates`() throws {
    let pki = try TestPKI.shared.get()
    let behaviour = TLSBehaviour {
      $0.namedIdentities = ["mx.example.com": .init(pki[.ec]), "mx.elsewhere.example": .init(pki[.wrongName])]
      $0.unknownName = .alert
    }
    let server = try TLSServers.shared.get().start(behaviour)
    for (name, isKnown) in [("mx.example.com", true), ("mx.elsewhere.example", true), ("other.example", false)] {
      let client = PythonClient(server.port, .starttls) {
        $0.authorities = pki.roots
        $0.name = name
      }
      let isTaken = (try? client.run()) != nil
      #expect(isTaken == isKnown, "\(name)")
    }
    #expect(try server.finish().map(\.hello?.name) == ["mx.example.com", "mx.elsewhere.example", "other.example"])
  }

  /// Without a certificate, as an indimail or s/qmail site may ask for it.
  @Test func `an anonymous cipher`() throws {
    let behaviour = TLSBehaviour {
      $0.maximum = .tls12
      $0.ciphers = "aNULL:@SECLEVEL=0"
    }
    let server = try TLSServers.shared.get().start(behaviour)
    let operands = [
      "s_client", "-connect", "127.0.0.1:\(server.port)", "-starttls", "smtp", "-brief", "-cipher", "aNULL:@SECLEVEL=0",
    ]
    #expect(try openssl(operands).contains("\nCiphersuite: AECDH"))
    try server.finish()
  }

  @Test func `posttls-finger's view of a verified server`() throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.rsa]))
    let operands = ["-c", "-l", "secure", "-F", pki.roots, "-L", "summary", "[127.0.0.1]:\(server.port)", "mx.example.com"]
    let said = try PosttlsFinger.run(operands)
    #expect(said.contains("Verified TLS connection established"), "\(said)")
    try server.finish()
  }

  /// - Returns: all that it prints.
  private func openssl(_ operands: [String]) throws -> String {
    var start = ProgramStart("openssl", operands)
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/bin", "LC_ALL": "C"]
    start.input = .pipe(Array("QUIT\r\n".utf8))
    start.errors = .sameAsOutput
    return "\n" + String(decoding: try SpawnedProcess(start).finish(within: 60).output, as: UTF8.self)
  }
}
