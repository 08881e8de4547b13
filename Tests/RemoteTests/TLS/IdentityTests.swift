// Who a server has to be: every level against every kind of certificate.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct IdentityTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let level: TLSPolicy.Level
    let certificate: TestPKI.Name
    let result: String
    var matching = TLSPolicy.Matching.exact
    var names = ["mx.example.com"]

    var testDescription: String { "\(level) \(matching) \(names) \(certificate)" }
  }

  /// What is wrong with a chain, whatever its names; nil for nothing.
  private static let chains: [TestPKI.Name: String] = [
    .expired: "certificate has expired", .future: "certificate is not yet valid", .oldIntermediate: "certificate has expired",
    .selfSigned: "self-signed certificate", .untrusted: "unable to get local issuer certificate",
    .byLeaf: "invalid CA certificate", .clientUsage: "unsuitable certificate purpose",
  ]

  /// What those are for that aren't for mx.example.com.
  private static let names: [TestPKI.Name: String] = [
    .wrongName: "mx.elsewhere.example", .cnOverruled: "mx.elsewhere.example", .nameless: "another name",
    .address: "127.0.0.1", .nullName: "mx.example.com?.elsewhere.example", .nullCN: "mx.example.com?.elsewhere.example",
  ]

  private static let servers: [TestPKI.Name] = [
    .rsa, .ec, .byRoot, .expired, .future, .oldIntermediate, .wrongName, .wildcard, .sanOnly, .cnOnly, .cnElsewhere,
    .cnOverruled,
    .nameless, .address, .nullName, .nullCN, .selfSigned, .untrusted, .byLeaf, .clientUsage,
  ]

  static let rows: [Row] = servers.flatMap { certificate -> [Row] in
    let chain = chains[certificate]
    let other = names[certificate].map { "the certificate is for \($0)" }
    let isWildcard = certificate == .wildcard
    let exact = chain ?? other ?? (isWildcard ? "the certificate is for *.example.com" : "name")
    let wildcard = chain ?? other ?? (isWildcard ? "partialName" : "name")
    return [
      Row(level: .may, certificate: certificate, result: chain == nil ? "chain" : "none"),
      Row(level: .encrypt, certificate: certificate, result: chain == nil ? "chain" : "none"),
      Row(level: .verify, certificate: certificate, result: chain ?? "chain"),
      Row(level: .name, certificate: certificate, result: exact),
      Row(level: .name, certificate: certificate, result: wildcard, matching: .wildcard),
      Row(level: .name, certificate: certificate, result: wildcard, matching: .partial),
    ]
  }

  @Test(arguments: rows) func `a certificate and a level`(_ row: Row) throws { try check(row) }

  static let nameRows: [Row] = [
    // The name and all above it, but for the top level.
    .init(level: .name, certificate: .ec, result: "partialName", matching: .partial, names: ["host.mx.example.com"]),
    .init(level: .name, certificate: .wildcard, result: "partialName", matching: .partial, names: ["example.com"]),
    .init(level: .name, certificate: .wildcard, result: "partialName", matching: .partial, names: ["a.b.example.com"]),
    .init(
      level: .name, certificate: .ec, result: "the certificate is for mx.example.com", matching: .partial,
      names: ["example.com"]),
    .init(
      level: .name, certificate: .ec, result: "the certificate is for mx.example.com", matching: .partial,
      names: ["notmx.example.com"]),
    .init(
      level: .name, certificate: .wildcard, result: "the certificate is for *.example.com", matching: .wildcard,
      names: ["example.com"]),
    .init(
      level: .name, certificate: .wildcard, result: "the certificate is for *.example.com", matching: .wildcard,
      names: ["a.b.example.com"]),
    // Any of several names will do; case and the root's dot don't count.
    .init(level: .name, certificate: .ec, result: "name", names: ["example.org", "MX.example.COM."]),
    // A leading dot is no "any host below".
    .init(
      level: .name, certificate: .ec, result: "the certificate is for mx.example.com", matching: .wildcard,
      names: [".example.com"]),
    .init(level: .name, certificate: .ec, result: "the certificate is for mx.example.com", matching: .partial, names: []),
    .init(level: .name, certificate: .ec, result: "the certificate is for mx.example.com", names: [""]),
    // Addresses are addresses, not names.
    .init(level: .name, certificate: .address, result: "name", names: ["[127.0.0.1]"]),
    .init(level: .name, certificate: .address, result: "name", names: ["::1"]),
    .init(
      level: .name, certificate: .address, result: "the certificate is for 127.0.0.1", matching: .partial,
      names: ["127.0.0.2"]),
  ]

  @Test(arguments: nameRows) func `names`(_ row: Row) throws { try check(row) }

  private func check(_ row: Row) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[row.certificate]))
    let outcome = try trusting(row.level) {
      $0.matching = row.matching
      $0.names = row.names.map { Array($0.utf8) }
    }.run(to: server)
    #expect(outcome.tlsResult == row.result)
    let session = try #require(try server.finish().first)
    // RFC 6066: the name that is asked for is no address, and has no brackets.
    let asked = row.names.first.map { Domain(Array($0.utf8)) }
    if let asked, asked.literal == nil, IPAddress(asked.text) == nil, !asked.text.isEmpty, asked.text.first != UInt8(ascii: ".")
    {
      #expect(session.hello?.name == asked.text.text)
    } else {
      #expect(session.hello?.name == nil || asked?.text.first == UInt8(ascii: "."))
    }
    // Nothing of the mail goes to a server that is somebody else.
    let isDelivered = ["none", "chain", "name", "partialName"].contains(row.result)
    #expect(session.secureLines.isEmpty != isDelivered)
    #expect(session.clearLines == ["EHLO me.example.net", "STARTTLS"])
    if !isDelivered { #expect(outcome.reports.message.kind == .deferral) }
  }

  // MARK: what is trusted

  @Test func `a hashed folder, and a chain that is longer than allowed`() throws {
    let pki = try TestPKI.shared.get()
    for (depth, result) in [(nil, "chain"), (1, "chain"), (0, "certificate chain too long")] as [(Int?, String)] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[.ec]))
      let delivery = TLSDelivery(.verify) {
        $0.anchors = .directory(Array(pki.rootsFolder.utf8))
        $0.depth = depth
      }
      #expect(try delivery.run(to: server).tlsResult == result, "depth \(depth ?? -1)")
      try server.finish()
    }
  }

  @Test func `who isn't trusted by the system isn't`() throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]))
    let delivery = TLSDelivery(.verify) { $0.anchors = .system }
    #expect(try delivery.run(to: server).tlsResult == "unable to get local issuer certificate")
    try server.finish()
  }

  @Test func `anybody in the file is trusted, root or not`() throws {
    let pki = try TestPKI.shared.get()
    for name in [TestPKI.Name.intermediateEC, .ec, .selfSigned] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(pki[name == .selfSigned ? .selfSigned : .ec]))
      let delivery = TLSDelivery(.name) { $0.anchors = .file(Array(pki[name].certificate.utf8)) }
      #expect(try delivery.run(to: server).tlsResult == "name", "\(name)")
      try server.finish()
    }
  }

  @Test(arguments: [TLSPolicy.Anchors.file(Array("/nowhere/ca.pem".utf8)), .directory(Array("/nowhere/".utf8))])
  func `what isn't there can't be trusted, and is named`(_ anchors: TLSPolicy.Anchors) throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]))
    let outcome = try TLSDelivery(.may) { $0.anchors = anchors }.run(to: server)
    #expect(outcome.tlsResult == "\(anchors.path.text): No such file or directory")
    #expect(outcome.reports.message.text.text.contains(anchors.path.text))
    #expect(try server.finish().first?.messages.isEmpty == true)
  }

  // MARK: pins

  @Test(arguments: TestIdentity.Digest.allCases) func `a pinned certificate`(_ digest: TestIdentity.Digest) throws {
    let pki = try TestPKI.shared.get()
    // Not even its dates count.
    let identity = pki[.expired]
    let right = try TestHex.bytes(identity.fingerprint(digest))
    let wrong = try TestHex.bytes(pki[.ec].fingerprint(digest))
    for pin in [right, wrong] {
      let server = try TLSServers.shared.get().start(TLSBehaviour(identity))
      let outcome = try TLSDelivery(.pin) { $0.pin = pin }.run(to: server)
      // qmail-remote(8) of s/qmail has four digests; SHA-384 isn't among them.
      let result =
        digest == .sha384
        ? "no digest has the length of the fingerprint"
        : pin == right ? "pin" : "the certificate is not the one of the fingerprint"
      #expect(outcome.tlsResult == result)
      try server.finish()
    }
  }

  // MARK: nobody

  @Test func `a server without a certificate`() throws {
    for (anonymous, level, result) in [
      (.accepted, .encrypt, "none"), (.accepted, .may, "none"), (.accepted, .verify, "the server sent no certificate"),
      (.refused, .encrypt, "the TLS handshake failed: sslv3 alert handshake failure"),
    ] as [(TLSPolicy.Anonymous, TLSPolicy.Level, String)] {
      var behaviour = TLSBehaviour()
      behaviour.ciphers = "aNULL:@SECLEVEL=0"
      behaviour.maximum = .tls12
      let server = try TLSServers.shared.get().start(behaviour)
      let outcome = try trusting(level) { $0.anonymous = anonymous }.run(to: server)
      #expect(outcome.tlsResult == result, "\(anonymous) \(level)")
      try server.finish()
    }
  }
}

/// Bytes written as hexadecimal digits.
enum TestHex {
  static func bytes(_ text: some StringProtocol) throws -> [UInt8] {
    try stride(from: 0, to: text.count, by: 2).map { offset in
      let start = text.index(text.startIndex, offsetBy: offset)
      return try #require(UInt8(text[start...].prefix(2), radix: 16))
    }
  }

  /// `3 1 1 01ab…`
  static func record(_ text: String) throws -> TLSARecord {
    let words = text.split(separator: " ")
    let numbers = try words.prefix(3).map { try #require(UInt8($0)) }
    return TLSARecord(usage: numbers[0], selector: numbers[1], matching: numbers[2], association: try bytes(words[3]))
  }
}
