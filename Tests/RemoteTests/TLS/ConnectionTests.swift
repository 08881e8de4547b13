// TLS connections of every kind: versions, ciphers, our own certificate, and servers that break off, stall or put words into others'
// mouths.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct TLSConnectionTests {
  // MARK: versions and ciphers

  struct Offer: Sendable, CustomTestStringConvertible {
    let engine: TLSBehaviour.Engine
    let version: TLSBehaviour.Version
    let isImplicit: Bool
    let certificate: TLSBehaviour.ClientCertificate

    var testDescription: String { "\(engine) \(version) \(isImplicit ? "implicit" : "STARTTLS"), client \(certificate)" }
  }

  static let offers: [Offer] = [TLSBehaviour.Engine.python, .openssl].flatMap { engine in
    [TLSBehaviour.Version.tls12, .tls13].flatMap { version in
      [false, true].flatMap { isImplicit in
        [TLSBehaviour.ClientCertificate.none, .optional, .required].map {
          Offer(engine: engine, version: version, isImplicit: isImplicit, certificate: $0)
        }
      }
    }
  }

  @Test(arguments: offers) func `versions, beginnings and our certificate`(_ offer: Offer) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(
      TLSBehaviour(pki[.ec]) {
        $0.engine = offer.engine
        $0.minimum = offer.version
        $0.maximum = offer.version
        $0.implicit = offer.isImplicit
        $0.clientCertificate = offer.certificate
        $0.clientAuthorities = pki.roots
        $0.needsTLS = true
      })
    var delivery = try trusting(.name) { $0.start = offer.isImplicit ? .implicit : .startTLS }
    delivery.settings.certificate = ClientCertificate(
      file: Array(pki[.client].chain.utf8), keyFile: Array(pki[.client].key.utf8), source: "the test")
    let outcome = try delivery.run(to: server)
    #expect(outcome.reports.message.text.text.hasPrefix("127.0.0.1 TLS (verified CA+DN) transmitted message accepted.\n"))
    let session = try #require(try server.finish().first)
    #expect(session.messages.map(\.data) == [Data("Subject: x\r\n\r\nhello\r\n".utf8)])
    #expect(session.clearLines == (offer.isImplicit ? [] : ["EHLO me.example.net", "STARTTLS"]))
    let tls = try #require(session.tls)
    #expect(tls.client == (offer.certificate == .none ? nil : "O = Tests, CN = client"))
    #expect(outcome.tls?.version == offer.version.rawValue && tls.version == offer.version.rawValue)
    #expect(outcome.tls?.cipher == tls.cipher)
    #expect(outcome.tls?.peerNames == [TLSDelivery.name])
    // We say goodbye.
    // Behind s_server stands a pipe, which may be gone before that.
    if offer.engine == .python { #expect(session.ended == "closed") }
  }

  @Test func `only the versions and ciphers that are configured`() throws {
    let pki = try TestPKI.shared.get()
    func result(_ minimum: TLSSettings.Version, _ maximum: TLSSettings.Version?, _ server: TLSBehaviour.Version) throws
      -> String
    {
      let server = try TLSServers.shared.get().start(
        TLSBehaviour(pki[.ec]) {
          $0.minimum = server
          $0.maximum = server
          if server < .tls12 { $0.ciphers = "DEFAULT@SECLEVEL=0" }
        })
      defer { _ = try? server.finish() }
      var delivery = TLSDelivery(.encrypt)
      delivery.settings.minimum = minimum
      delivery.settings.maximum = maximum
      if minimum < .version12 { delivery.settings.ciphers = Array("DEFAULT@SECLEVEL=0".utf8) }
      return try delivery.run(to: server).tls?.version ?? "none"
    }
    #expect(try result(.version12, nil, .tls11) == "none")
    #expect(try result(.version12, .version12, .tls13) == "none")
    #expect(try result(.version13, nil, .tls12) == "none")
    #expect(try result(.version10, .version11, .tls11) == "TLSv1.1")
    #expect(try result(.version10, nil, .tls10) == "TLSv1")
  }

  @Test func `both lists of ciphers count, each for its versions`() throws {
    let pki = try TestPKI.shared.get()
    for (version, cipher) in [(.tls12, "ECDHE-ECDSA-CHACHA20-POLY1305"), (.tls13, "TLS_AES_128_GCM_SHA256")]
      as [(TLSBehaviour.Version, String)]
    {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]) { $0.maximum = version })
      var delivery = TLSDelivery(.encrypt)
      delivery.settings.ciphers = Array("ECDHE-ECDSA-CHACHA20-POLY1305".utf8)
      delivery.settings.cipherSuites = Array("TLS_AES_128_GCM_SHA256".utf8)
      #expect(try delivery.run(to: server).tls?.cipher == cipher)
      try server.finish()
    }
    for (change, name) in [
      ({ $0.ciphers = Array("NONSENSE".utf8) }, "NONSENSE"), ({ $0.cipherSuites = Array("TLS_X".utf8) }, "TLS_X"),
    ]
      as [((inout TLSSettings) -> Void, String)]
    {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]))
      var delivery = TLSDelivery(.may)
      change(&delivery.settings)
      #expect(try delivery.run(to: server).tlsResult == "\(name): no such ciphers")
      try server.finish()
    }
  }

  @Test func `the policy's ciphers instead of the configured ones`() throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]) { $0.maximum = .tls12 })
    var delivery = TLSDelivery(.encrypt) { $0.ciphers = Array("ECDHE-ECDSA-AES128-GCM-SHA256".utf8) }
    delivery.settings.ciphers = Array("NONSENSE".utf8)
    #expect(try delivery.run(to: server).tls?.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256")
    try server.finish()
  }

  // MARK: our certificate

  struct Certificate: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let file: @Sendable (TestPKI) -> String
    let key: @Sendable (TestPKI) -> String
    var password: String?
    /// With the key's or the certificate's file in the place of FILE.
    let result: String
  }

  static let certificates: [Certificate] = [
    .init(testDescription: "one file", file: { $0[.client].keyAndChain }, key: { $0[.client].keyAndChain }, result: "none"),
    .init(testDescription: "RSA", file: { $0[.clientRSA].chain }, key: { $0[.clientRSA].key }, result: "none"),
    .init(
      testDescription: "a locked key", file: { $0[.client].chain }, key: { $0.lockedClientKey },
      password: TestPKI.clientPassword, result: "none"),
    .init(testDescription: "no password", file: { $0[.client].chain }, key: { $0.lockedClientKey }, result: "FILE: "),
    .init(
      testDescription: "a wrong password", file: { $0[.client].chain }, key: { $0.lockedClientKey }, password: "wrong-horse",
      result: "FILE: "),
    .init(
      testDescription: "another's key", file: { $0[.client].chain }, key: { $0[.ec].key },
      result: "FILE: the key of another certificate"),
    .init(
      testDescription: "another's key of another kind", file: { $0[.client].chain }, key: { $0[.rsa].key },
      result: "FILE: the key of another certificate"),
    .init(
      testDescription: "no file", file: { _ in "/nowhere/client.pem" }, key: { $0[.client].key },
      result: "/nowhere/client.pem: No such file or directory"),
    .init(
      testDescription: "no key", file: { $0[.client].chain }, key: { _ in "/nowhere/key.pem" },
      result: "/nowhere/key.pem: No such file or directory"),
    .init(
      testDescription: "no certificate", file: { $0[.client].key }, key: { $0[.client].key }, result: "FILE: no start line"),
  ]

  @Test(arguments: certificates) func `our certificate`(_ certificate: Certificate) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(
      TLSBehaviour(pki[.ec]) {
        $0.clientCertificate = .required
        $0.clientAuthorities = pki.roots
      })
    var delivery = TLSDelivery(.may)
    let key = certificate.key(pki)
    delivery.settings.certificate = ClientCertificate(
      file: Array(certificate.file(pki).utf8), keyFile: Array(key.utf8),
      password: certificate.password.map { Secret($0.utf8) }, source: "the test")
    let outcome = try delivery.run(to: server)
    #expect(outcome.tlsResult.hasPrefix(certificate.result.replacingOccurrences(of: "FILE", with: key)))
    let text = outcome.reports.message.text.text
    #expect(!text.contains("horse"))
    let session = try #require(try server.finish().first)
    // What is wrong with our own files is no reason to send mail in clear.
    if certificate.result != "none" { #expect(session.messages.isEmpty && text.contains("/") && outcome.failures.count == 1) }
  }

  /// With TLS 1.3 the server refuses after the handshake, as we see it.
  @Test(arguments: [TLSBehaviour.Version.tls12, .tls13]) func `a server that wants a certificate that we have not`(
    _ version: TLSBehaviour.Version
  ) throws {
    let pki = try TestPKI.shared.get()
    for level in [TLSPolicy.Level.may, .encrypt] {
      let server = try TLSServers.shared.get().start(
        TLSBehaviour(pki[.ec]) {
          $0.maximum = version
          $0.clientCertificate = .required
          $0.clientAuthorities = pki.roots
        })
      let outcome = try TLSDelivery(level).run(to: server)
      let sessions = try server.finish()
      if level == .may {
        #expect(outcome.tlsResult == "clear" && sessions.count == 2)
        #expect(outcome.reports.message.text.text.contains("\nSent in clear: the TLS handshake failed: "))
      } else {
        #expect(outcome.tlsResult.hasPrefix("the TLS handshake failed: ") && sessions.count == 1)
      }
    }
  }

  // MARK: trouble

  @Test(arguments: TLSBehaviour.Handshake.inVain) func `a handshake that comes to nothing`(
    _ handshake: TLSBehaviour.Handshake
  ) throws {
    for level in [TLSPolicy.Level.may, .encrypt] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]) { $0.handshake = handshake })
      var delivery = TLSDelivery(level)
      delivery.control["timeoutconnect"] = Array("1\n".utf8)
      let outcome = try delivery.run(to: server)
      let sessions = try server.finish()
      if level == .may {
        #expect(outcome.tlsResult == "clear")
        #expect(sessions.count == 2 && sessions.last?.messages.map(\.isSecure) == [false])
        #expect(sessions.last?.clearLines.contains("STARTTLS") == false)
      } else {
        #expect(outcome.tlsResult.hasPrefix("the TLS handshake failed: "), "\(outcome.tlsResult)")
        #expect(outcome.reports.message.kind == .deferral)
        #expect(sessions.count == 1 && sessions.first?.messages.isEmpty == true)
      }
      #expect(sessions.first?.clearLines == ["EHLO me.example.net", "STARTTLS"])
    }
  }

  static let injections: [(TLSBehaviour.Moment, String)] = TLSBehaviour.Moment.allCases.flatMap { moment in
    ["2", "250 ok\r\n", "250-mx.example.com\r\n250 PIPELINING\r\n", "220 go\r\n", "\r\n", "\u{16}\u{3}\u{1}"].map {
      (moment, $0)
    }
  }

  @Test(arguments: injections) func `bytes that are meant to pass for the server's`(
    _ moment: TLSBehaviour.Moment, _ bytes: String
  ) throws {
    for level in [TLSPolicy.Level.may, .encrypt] {
      let server = try TLSServers.shared.get().start(
        TLSBehaviour(try TestPKI.shared.get()[.ec]) {
          $0.injected = bytes
          $0.injectedWhen = moment
        })
      var delivery = TLSDelivery(level)
      delivery.control["timeoutconnect"] = Array("1\n".utf8)
      let outcome = try delivery.run(to: server)
      let sessions = try server.finish()
      // Whatever was injected, nothing was said under TLS on that connection.
      #expect(sessions.first?.secureLines == [])
      #expect(outcome.tls == nil)
      #expect((outcome.tlsResult == "clear") == (level == .may), "\(outcome.tlsResult)")
      #expect(outcome.failures.map(\.stage) == [.tls])
      if moment == .glued { #expect(outcome.failures.map(\.cause) == [.tls(.earlyBytes)]) }
    }
  }

  @Test func `a server that has no TLS to offer, and one that takes the offer back`() throws {
    let pki = try TestPKI.shared.get()
    for (level, result) in [(TLSPolicy.Level.may, "clear"), (.encrypt, "the server offers no STARTTLS")] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]) { $0.clearKeywords = ["PIPELINING"] })
      #expect(try TLSDelivery(level).run(to: server).tlsResult == result)
      #expect(try server.finish().count == 1)
    }
    for (level, result) in [(TLSPolicy.Level.may, "clear"), (.encrypt, "STARTTLS was refused: 454 4.7.0 not now")] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]) { $0.starttlsReply = "454 4.7.0 not now" })
      #expect(try TLSDelivery(level).run(to: server).tlsResult == result)
      #expect(try server.finish().count == (level == .may ? 2 : 1))
    }
  }

  @Test func `a server that is somebody else, and one that isn't`() throws {
    let pki = try TestPKI.shared.get()
    let servers = try [TestPKI.Name.wrongName, .ec].map { try TLSServers.shared.get().start(TLSBehaviour(pki[$0])) }
    let outcome = try trusting(.name).run(to: servers.map(\.port))
    #expect(outcome.tlsResult == "name" && outcome.failures.map(\.stage) == [.tls])
    #expect(try servers.map { try $0.finish().flatMap(\.messages).count } == [0, 1])
  }

  /// In the middle of the message, and between the commands.
  @Test(arguments: ["!cut", "!close", "!reset"]) func `an end under TLS`(_ end: String) throws {
    for command in ["DATA", "message"] {
      let server = try TLSServers.shared.get().start(
        TLSBehaviour(try TestPKI.shared.get()[.ec]) { $0.replies = [command: end] })
      let outcome = try TLSDelivery(.encrypt).run(to: server)
      let duplicate = command == "message" ? " Possible duplicate!" : ""
      #expect(outcome.reports.message.text.text == "Connected to 127.0.0.1 but connection died.\(duplicate) (#4.4.2)\n")
      try server.finish()
    }
  }
}

extension TLSBehaviour.Version: Comparable {
  public static func < (older: Self, newer: Self) -> Bool { older.rawValue < newer.rawValue }
}
