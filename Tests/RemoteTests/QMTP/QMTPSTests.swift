// QMTP under TLS from the first byte, by the program as it is built: large messages, and what the server has to prove.
import Foundation
import Support
import Testing

@Suite struct QMTPSTests {
  /// - Returns: the memory that the program had needed when it had sent everything.
  private func deliver(lines: Int, _ carrier: Remote.Carrier) throws -> Int {
    let folder = try TemporaryFolder()
    let sink = try TLSSink(.qmtp, try TestPKI.shared.get()[.ec], lines: lines)
    var remote = Remote()
    remote.control["qmtproutes"] = ":127.0.0.1;s\(sink.port)\n"
    remote.input = try TLSSink.message(lines: lines).input(carrier, in: folder)
    remote.environment["TMPDIR"] = folder.path
    let running = try remote.start()
    try sink.awaitMessage()
    let memory = try #require(running.process.peakAddressSpace)
    try sink.accept()
    expect(
      running.finish(within: 120), "rqmtp:ok1\n^@KAll received okay by 127.0.0.1\n^@",
      verdict: "Kqmtp:ok1\nAll received okay by 127.0.0.1\n")
    return memory
  }

  @Test(arguments: Remote.Carrier.allCases)
  func `100 MB arrive by QMTPS, in the memory of 1 MB`(_ carrier: Remote.Carrier) throws {
    let small = try deliver(lines: 14_000, carrier)
    let large = try deliver(lines: 1_400_000, carrier)
    #expect(large - small < 1_048_576, "\(small) bytes for 1 MB, \(large) bytes for 100 MB")
  }

  struct Proof: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let certificate: TestPKI.Name
    /// The rule of tlsdestinations, before the roots' file; nil for none.
    let rule: String?
    /// What the report says; nil where the message arrives.
    let refusal: String?
  }

  /// As for SMTP (tlsdestinations of s/qmail), but that nothing goes in clear.
  static let proofs = [
    Proof(testDescription: "nothing to prove", certificate: .selfSigned, rule: nil, refusal: nil),
    Proof(testDescription: "the chain", certificate: .ec, rule: "+*", refusal: nil),
    Proof(testDescription: "another name", certificate: .ec, rule: "=*", refusal: "mx.example.com"),
    Proof(testDescription: "signed by itself", certificate: .selfSigned, rule: "+*", refusal: "self-signed certificate"),
    Proof(testDescription: "over", certificate: .expired, rule: "+*", refusal: "certificate has expired"),
  ]

  @Test(arguments: proofs) func `what the server has to prove`(_ proof: Proof) throws {
    let pki = try TestPKI.shared.get()
    let sink = try TLSSink(.qmtp, pki[proof.certificate], lines: 3)
    var remote = Remote()
    remote.environment["QMAILREMOTE_DIALECT"] = "sqmail"
    remote.control["qmtproutes"] = ":127.0.0.1;s\(sink.port)\n"
    remote.control["tlsdestinations"] = proof.rule.map { "\($0):\(pki.roots)\n" }
    remote.input = .pieces(TLSSink.message(lines: 3).pieces)
    let running = try remote.start()
    guard let refusal = proof.refusal else {
      try sink.awaitMessage()
      try sink.accept()
      let finished = running.finish()
      #expect(visible(finished.output).hasPrefix("rqmtp:ok1"), "\(visible(finished.output))")
      #expect(finished.ending == .exited(0))
      return
    }
    try sink.awaitEnd()
    let finished = running.finish()
    #expect(visible(finished.output).hasPrefix("Z"), "\(visible(finished.output))")
    #expect(visible(finished.output).contains(refusal), "\(visible(finished.output))")
    #expect(finished.ending == .exited(0))
  }

  @Test func `a server that isn't one of TLS gets nothing`() throws {
    let server = try QMTPServer()
    var remote = Remote()
    remote.control["qmtproutes"] = ":127.0.0.1;s\(server.port)\n"
    remote.control["timeoutconnect"] = "2\n"
    let finished = try remote.run()
    #expect(visible(finished.output).hasPrefix("Z"), "\(visible(finished.output))")
    #expect(finished.ending == .exited(0))
    server.finish()
    #expect(server.packages.isEmpty)
  }
}
