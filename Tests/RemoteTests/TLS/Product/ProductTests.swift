// Every form of policy with every certificate and every offer, delivered to three TLS libraries' servers. What becomes of each is worked
// out from the manual pages beforehand (`Expectation`), and so are the rows here that keep that honest.
import Support
import Testing

@Suite struct TLSProductTests {
  @Test func `policies, certificates and offers with openssl s_server`() throws { try check(try OpenSSLStage()) }

  @Test func `policies, certificates and offers with Postfix`() throws { try check(try PostfixStage()) }

  @Test func `policies, certificates and offers with Exim`() throws { try check(try EximStage()) }

  private func check(_ stage: some ProductStage) throws {
    let cells = stage.cells
    let finished = try stage.run {
      let scene = try ProductScene()
      return inParallel(cells, width: 4) { cell in
        Result {
          guard let port = stage.port(of: cell) else { throw SpawnFault(description: "no server for \(cell)") }
          return try scene.remote(cell, port: port).run()
        }
      }
    }
    var arrivals: [String: [Bool]] = [:]
    for arrival in try stage.finish() { arrivals[arrival.mark, default: []].append(arrival.isSecure) }
    var faults: [String] = []
    for (cell, result) in zip(cells, finished) {
      let came = arrivals[cell.mark] ?? []
      if came.count > 1 { faults.append("\(cell): came \(came.count) times") }
      faults += cell.faults(try result.get(), arrival: came.first)
    }
    #expect(finished.count == cells.count)
    let isAsExpected = faults.isEmpty
    #expect(isAsExpected, "\(faults.count) in \(cells.count):\n\(faults.prefix(40).joined(separator: "\n"))")
    // Everything that can become of a delivery has.
    let missing = TLSProductTests.everything.subtracting(cells.map(\.expectation))
    #expect(missing.subtracting(stage.offers.contains(.refused) ? [] : [.deferred(.refused), .clear(toldWhy: true)]).isEmpty)
  }

  /// What a reader of the manual pages would say, without any rule: policy, certificate, offer.
  private static let rows: [(String, TestPKI.Name?, Offer, Expectation)] = [
    // Who asks for nothing.
    ("stock", .selfSigned, .startTLS, .secure(.nothing)), ("stock", .expired, .nothing, .clear(toldWhy: false)),
    ("stock", .ec, .refused, .clear(toldWhy: true)), ("sqmail", .ec, .broken, .clear(toldWhy: true)),
    ("sqmail", .wrongName, .implicit, .secure(.nothing)), ("skarnet", .ec, .startTLS, .clear(toldWhy: false)),
    ("indimail", .rsa, .startTLS, .clear(toldWhy: false)),
    ("indimail with clientcert.pem", .rsa, .startTLS, .secure(.nothing)),
    ("stock", nil, .startTLS, .clear(toldWhy: true)),
    // tlsdestinations, by its numbers.
    ("(0) *:", .expired, .startTLS, .secure(.nothing)), ("(0) *:{roots}", .rsa, .startTLS, .secure(.chain)),
    ("(0) *:{roots}", .expired, .startTLS, .secure(.nothing)), ("(1) ?:", .ec, .broken, .clear(toldWhy: true)),
    ("(2) -:", nil, .startTLS, .secure(.nothing)), ("(4) -*:", .ec, .nothing, .deferred(.notOffered)),
    ("(4) -*:", nil, .implicit, .secure(.nothing)), ("(5) +*:", .ec, .startTLS, .deferred(.chain)),
    ("(5) +*:{roots}", .wrongName, .startTLS, .secure(.chain)), ("(5) +*:{roots}", .selfSigned, .startTLS, .deferred(.chain)),
    ("(6) ~*:{folder}", .wildcard, .startTLS, .secure(.wildcardName)),
    ("(6) ~*:{folder}", .nullName, .startTLS, .deferred(.name)), ("(7) =*:{roots}", .wildcard, .implicit, .deferred(.name)),
    ("(7) =*:{roots}", .sanOnly, .startTLS, .secure(.name)), ("(7) =*:{roots}", .nullCN, .startTLS, .deferred(.name)),
    ("(7) =*:{roots}", .cnOnly, .startTLS, .secure(.name)), ("(7) =*:{roots}", .cnOverruled, .startTLS, .deferred(.name)),
    ("(8) /*:", .expired, .startTLS, .secure(.nothing)), ("(8) /*:", .ec, .refused, .deferred(.refused)),
    ("(9) mx.example.com:", .selfSigned, .startTLS, .secure(.nothing)),
    ("(9) mx.example.com:", nil, .startTLS, .deferred(.handshake)),
    ("(10) mx.example.com:{roots}|!SSLv2:HIGH", .expired, .startTLS, .deferred(.chain)),
    ("(10) mx.example.com:{stranger}", .untrusted, .startTLS, .secure(.chain)),
    ("(11) mx.example.com:{folder}||0", .ec, .startTLS, .deferred(.chain)),
    ("(11) mx.example.com:{folder}||0", .byRoot, .startTLS, .secure(.chain)),
    ("(11) mx.example.com:{folder}||3;s{port}", .rsa, .implicit, .secure(.chain)),
    ("(11) mx.example.com:{folder}||3;s{port}", .rsa, .startTLS, .deferred(.handshake)),
    ("(12) mx.example.com:{roots}||2|elsewhere.example", .expired, .startTLS, .secure(.nothing)),
    ("(13) =mx.example.com:{roots}||4", .rsa, .startTLS, .secure(.name)),
    ("(14) ~.example.com:{folder}", .wrongName, .startTLS, .deferred(.name)),
    ("(15) -mx.example.com:||aNULL:!kRSA", nil, .startTLS, .secure(.nothing)),
    ("(16) %mx.example.com:={sha224}", .expired, .startTLS, .secure(.fingerprint)),
    ("(16) %mx.example.com:={other sha512}", .ec, .startTLS, .deferred(.fingerprint)),
    ("(16) %mx.example.com:={sha384}", .ec, .startTLS, .deferred(.impossible)),
    ("(17) !:", .ec, .startTLS, .clear(toldWhy: false)), ("(18) mx.example.com:;{port}", .rsa, .greeting, .secure(.nothing)),
    ("(20) /mx.example.com:", .ec, .nothing, .clear(toldWhy: false)),
    // indimail and skarnet.
    ("tlshosts", .ec, .startTLS, .secure(.name)), ("tlshosts", .wrongName, .startTLS, .deferred(.name)),
    ("tlshosts", .ec, .nothing, .deferred(.notOffered)), ("exhaustivelist", .ec, .startTLS, .clear(toldWhy: false)),
    ("SMTPS", .selfSigned, .implicit, .secure(.nothing)), ("SMTPS", .ec, .startTLS, .deferred(.handshake)),
    ("notlshosts of the host", .ec, .implicit, .secure(.nothing)),
    ("tlsstrictness 1, trustanchors {roots}", .expired, .startTLS, .secure(.nothing)),
    ("tlsstrictness 2, trustanchors {folder}", .rsa, .startTLS, .secure(.name)),
    ("tlsstrictness 2, trustanchors {roots}", .rsa, .nothing, .deferred(.notOffered)),
    ("tlsstrictness 2, trustanchors ", .rsa, .startTLS, .deferred(.impossible)),
  ]

  @Test func `the rule says what a reader says`() throws {
    for (name, certificate, offer, said) in TLSProductTests.rows {
      let policy = try #require(ProductPolicy.named(name), "\(name)")
      let shown = try #require(Shown.all.first { $0.certificate == certificate })
      #expect(Expectation(policy.demand, shown, offer) == said, "\(name), \(shown), \(offer)")
    }
    #expect(Set(ProductPolicy.all.map(\.name)).count == ProductPolicy.all.count)
  }

  private static let everything: Set<Expectation> = [
    .secure(.nothing), .secure(.chain), .secure(.name), .secure(.wildcardName), .secure(.fingerprint), .clear(toldWhy: false),
    .clear(toldWhy: true), .deferred(.notOffered), .deferred(.refused), .deferred(.handshake), .deferred(.chain),
    .deferred(.name), .deferred(.fingerprint), .deferred(.impossible),
  ]
}
