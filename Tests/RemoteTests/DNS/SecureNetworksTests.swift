// SecureNetworks, seen by a client that does DANE and isn't ours: a table of what Postfix says of it.
import Foundation
import Support
import Testing

@Suite struct SecureNetworksTests {
  private struct Row {
    let name: String
    /// `HOST` and `ADDRESS` are the row's own, `TLSA` the right record data, `WRONG` the same with another digest.
    let records: String
    let kind: [Int]
    let result: String
  }

  private static let verified = "Verified TLS connection established to"
  private static let untrusted = "Untrusted TLS connection established to"

  private static let table = [
    Row(
      name: "key.signed.test", records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA TLSA", kind: [3, 1, 1],
      result: verified),
    Row(
      name: "anchor.signed.test", records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA TLSA", kind: [2, 0, 1],
      result: verified),
    Row(
      name: "wrong.signed.test", records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA WRONG",
      kind: [3, 1, 1], result: untrusted),
    Row(
      name: "open.open.test", records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA TLSA", kind: [3, 1, 1],
      result: untrusted),
    Row(
      name: "bogus.signed.test",
      records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS\n_25._tcp.mx.HOST TLSA TLSA\n_25._tcp.mx.HOST TLSA forged",
      kind: [3, 1, 1], result: "TLSA lookup error"),
    Row(
      name: "alias.signed.test",
      records: """
        HOST MX 1 mx.HOST
        mx.HOST CNAME real.HOST
        real.HOST A ADDRESS
        _25._tcp.real.HOST TLSA TLSA
        _25._tcp.mx.HOST TLSA WRONG
        """, kind: [3, 1, 1], result: verified),
    Row(
      name: "expired.test", records: "HOST MX 1 mx.HOST\nmx.HOST A ADDRESS", kind: [3, 1, 1],
      result: "Host or domain name not found"),
  ]

  @Test func `posttls-finger at level dane`() throws {
    let pki = try TestPKI.shared.get()
    let folder = try TemporaryFolder()
    var records = ""
    var identities: [TestIdentity] = []
    for (number, row) in SecureNetworksTests.table.enumerated() {
      let names = "names=DNS:mx.\(row.name),DNS:\(row.name)"
      let identity = try pki.issue("row\(number)", into: folder, names)
      identities.append(identity)
      let subject = row.kind[0] == 2 ? pki[.intermediateEC] : identity
      let right = try subject.tlsa(row.kind[0], row.kind[1], row.kind[2])
      let wrong = right.dropLast() + (right.last == "0" ? "1" : "0")
      records +=
        row.records.replacingOccurrences(of: "TLSA TLSA", with: "TLSA \(right)")
        .replacingOccurrences(of: "WRONG", with: wrong).replacingOccurrences(of: "HOST", with: row.name)
        .replacingOccurrences(of: "ADDRESS", with: SecureNetworks.address(number)) + "\n"
    }
    let networks = try SecureNetworks(records: records)
    for (number, row) in SecureNetworksTests.table.enumerated() {
      let server = try networks.serve(TLSBehaviour(identities[number]), at: SecureNetworks.address(number))
      let said = try networks.finger("-c", "-l", "dane", "-L", "summary", row.name)
      #expect(said.contains(row.result), "\(row.name): \(said)")
      try server.finish()
    }
  }
}
