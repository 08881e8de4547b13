// TLSA records against certificates, where the records are given: RFC 7671 and 7672.
import Support
import Testing

@testable import Agent

@Suite struct RecordTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let certificate: TestPKI.Name
    /// Whose certificate the records are of, and their three numbers.
    let records: [(TestPKI.Name, Int, Int, Int)]
    let result: String
    var base = "mx.example.com"
    var names: [String] = []
    var floor = TLSPolicy.Level.encrypt
    /// Records as they stand.
    var raw: [String] = []

    init(
      _ what: String, _ certificate: TestPKI.Name, _ records: [(TestPKI.Name, Int, Int, Int)], _ result: String,
      change: (inout Row) -> Void = { _ in }
    ) {
      testDescription = what
      self.certificate = certificate
      self.records = records
      self.result = result
      change(&self)
    }
  }

  private static let mismatch = "the certificate matches no TLSA record"
  private static let noAuthority = "no certificate matches the TLSA records of authorities"

  static let rows: [Row] =
    [0, 1].flatMap { selector in
      [0, 1, 2].flatMap { matching in
        [
          Row("3 \(selector) \(matching), right", .ec, [(.ec, 3, selector, matching)], "record"),
          Row("3 \(selector) \(matching), wrong", .ec, [(.rsa, 3, selector, matching)], mismatch),
          Row("2 \(selector) \(matching), the issuer", .ec, [(.intermediateEC, 2, selector, matching)], "record"),
          Row("2 \(selector) \(matching), another", .ec, [(.intermediateRSA, 2, selector, matching)], noAuthority),
        ]
      }
    } + [
      // RFC 7672 section 3.1.1: neither names nor dates.
      Row("3 1 1, dates are over", .expired, [(.expired, 3, 1, 1)], "record"),
      Row("3 1 1, not valid yet", .future, [(.future, 3, 1, 1)], "record"),
      Row("3 1 1, another name", .wrongName, [(.wrongName, 3, 1, 1)], "record"),
      Row("3 1 1, signed by itself", .selfSigned, [(.selfSigned, 3, 1, 1)], "record"),
      Row("3 1 1, only for clients", .clientUsage, [(.clientUsage, 3, 1, 1)], "record"),
      // Section 3.1.2: both.
      Row("2 1 1, dates are over", .expired, [(.intermediateEC, 2, 1, 1)], "certificate has expired"),
      Row("2 1 1, another name", .wrongName, [(.intermediateEC, 2, 1, 1)], "the certificate is for another name"),
      // RFC 5280 section 6.1: a trust anchor has a name and a key, and no dates.
      Row("2 1 1, an authority whose dates are over", .oldIntermediate, [(.intermediateOld, 2, 1, 1)], "record"),
      Row("2 1 1, the domain's own name", .wrongName, [(.intermediateEC, 2, 1, 1)], "record") {
        $0.names = ["mx.elsewhere.example"]
      },
      Row("2 1 1, a wildcard", .wildcard, [(.intermediateEC, 2, 1, 1)], "record"),
      Row("2 1 1, the name as common name", .cnOnly, [(.intermediateEC, 2, 1, 1)], "record"),
      Row("2 1 1, a name of the base only", .ec, [(.intermediateEC, 2, 1, 1)], "the certificate is for another name") {
        $0.base = "base.example.com"
      },
      // The root need not be sent by the server, and is found only if the record holds it whole.
      Row("2 0 1, a root that isn't sent", .ec, [(.rootEC, 2, 0, 1)], noAuthority),
      Row("2 0 0, a root that isn't sent", .ec, [(.rootEC, 2, 0, 0)], "record"),
      // Any of several will do.
      Row("3 1 1 wrong, 2 1 1 right", .ec, [(.rsa, 3, 1, 1), (.intermediateEC, 2, 1, 1)], "record"),
      Row("3 1 1 of two keys", .ec, [(.rsa, 3, 1, 1), (.ec, 3, 1, 1)], "record"),
      // RFC 7671 section 9: of one usage and selector, only the strongest digest counts.
      Row("the stronger digest is wrong", .ec, [(.ec, 3, 1, 1), (.rsa, 3, 1, 2)], mismatch),
      Row("the weaker digest is wrong", .ec, [(.rsa, 3, 1, 1), (.ec, 3, 1, 2)], "record"),
      // RFC 7672 section 3.1.3: usages 0 and 1 mean nothing, right or wrong.
      Row("1 1 1, wrong", .ec, [(.rsa, 1, 1, 1)], "none"),
      Row("0 1 1 right, 3 1 1 wrong", .ec, [(.intermediateEC, 0, 1, 1), (.rsa, 3, 1, 1)], mismatch),
      Row("0 1 1 wrong, 3 1 1 right", .ec, [(.intermediateRSA, 0, 1, 1), (.ec, 3, 1, 1)], "record"),
      Row("nothing that can be used", .wrongName, [], "none") { $0.raw = ["3 1 1 00", "3 9 1 00", "3 1 9 00", "4 1 1 00"] },
      Row(
        "nothing that can be used, and a file that demands", .wrongName, [(.ec, 1, 1, 1)],
        "the certificate is for mx.elsewhere.example"
      ) {
        $0.floor = .name
      },
      // The owner of a zone can't make less of what a control file demands.
      Row("3 1 1 right, and a file that demands the chain", .selfSigned, [(.selfSigned, 3, 1, 1)], "self-signed certificate") {
        $0.floor = .verify
      },
      Row(
        "3 1 1 right, and a file that demands the name", .wrongName, [(.wrongName, 3, 1, 1)],
        "the certificate is for mx.elsewhere.example"
      ) {
        $0.floor = .name
      },
      Row("3 1 1 right, and all that a file demands", .ec, [(.ec, 3, 1, 1)], "record") { $0.floor = .name },
      Row("3 1 1 wrong, and all that a file demands", .ec, [(.rsa, 3, 1, 1)], mismatch) { $0.floor = .name },
    ]

  @Test(arguments: rows) func `records and certificates`(_ row: Row) throws {
    let pki = try TestPKI.shared.get()
    let server = try TLSServers.shared.get().start(TLSBehaviour(pki[row.certificate]))
    let records =
      try row.records.map { try TestHex.record(pki[$0.0].tlsa($0.1, $0.2, $0.3)) } + row.raw.map(TestHex.record)
    var delivery = TLSDelivery(.dane) {
      $0.tlsa = records
      $0.tlsaBase = Array(row.base.utf8)
      $0.tlsaNames = row.names.map { Array($0.utf8) }
      $0.floor = row.floor
    }
    if row.floor.isAbove(.encrypt) { delivery.policy.anchors = .file(Array(pki.roots.utf8)) }
    let outcome = try delivery.run(to: server)
    #expect(outcome.tlsResult == row.result)
    let session = try #require(try server.finish().first)
    #expect(session.hello?.name == row.base)
    #expect(session.messages.isEmpty == !["record", "none"].contains(row.result))
    #expect(outcome.reports.message.kind == (session.messages.isEmpty ? .deferral : .success))
  }
}
