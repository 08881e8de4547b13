// The program itself under TLS: what it loads and opens, and how much memory it takes.
import Foundation
import Support
import Testing

@Suite struct TLSProgramTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 2.0.0 ok\n"

  /// Certificates of authorities, wherever they may be.
  private static func isAuthority(_ file: String) -> Bool {
    file.hasPrefix("/etc/ssl/certs") || file.hasPrefix("/usr/lib/ssl/certs") || file.hasSuffix("cert.pem")
      || file.hasSuffix(".crt") || file.hasPrefix("/usr/share/ca-certificates")
  }

  /// The system's bundle alone takes longer to read than the delivery takes.
  @Test(arguments: ["stock", "sqmail"])
  func `TLS that need not prove anything reads no certificate`(_ dialect: String) throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]))
    var remote = Remote(to: server.port)
    remote.control["dialect"] = "\(dialect)\n"
    let traced = try LoadingTests.trace(remote)
    let session = try #require(try server.finish().first)
    #expect(session.messages.map(\.isSecure) == [true])
    #expect(traced.finished.ending == .exited(0))
    let report = "K127.0.0.1 \(dialect == "sqmail" ? "TLS transmitted message accepted" : "accepted message")"
    #expect(visible(traced.finished.output).contains(report), "\(visible(traced.finished.output))")
    #expect(traced.libraries == ["libcrypto", "libssl"])
    #expect(traced.files.filter(TLSProgramTests.isAuthority) == [])
    // The system's own policy for TLS is read.
    #expect(traced.files.contains { $0.hasSuffix("openssl.cnf") })
  }

  /// indimail does TLS with a certificate of its own, and skarnet's program with trust anchors.
  @Test(arguments: ["indimail", "skarnet"])
  func `a dialect that does no TLS by itself loads nothing though it is offered`(_ dialect: String) throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]))
    var remote = Remote(to: server.port)
    remote.control["dialect"] = "\(dialect)\n"
    let traced = try LoadingTests.trace(remote)
    #expect(try server.finish().first?.messages.map(\.isSecure) == [false])
    #expect(traced.libraries == [])
  }

  @Test func `a server without STARTTLS costs no library`() throws {
    let server = try TLSServers.shared.get().start(
      TLSBehaviour(try TestPKI.shared.get()[.ec]) { $0.clearKeywords = ["PIPELINING"] })
    let traced = try LoadingTests.trace(Remote(to: server.port))
    #expect(try server.finish().first?.messages.map(\.isSecure) == [false])
    #expect(traced.libraries == [])
  }

  @Test func `mail that waits for TLS costs no library where there is none`() throws {
    let server = try TLSServers.shared.get().start(
      TLSBehaviour(try TestPKI.shared.get()[.ec]) { $0.clearKeywords = ["PIPELINING"] })
    var remote = Remote(to: server.port)
    remote.control["tlsdestinations"] = "127.0.0.1:\n"
    let traced = try LoadingTests.trace(remote)
    #expect(try server.finish().first?.messages.isEmpty == true)
    #expect(visible(traced.finished.output).hasPrefix("ZI wasn't able to negotiate a StartTLS connection with: "))
    #expect(traced.libraries == [])
  }

  @Test func `a chain that is to verify makes it look into the system's folder, not at the bundle`() throws {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec]))
    var remote = Remote(to: server.port)
    remote.control["tlsdestinations"] = "+*:\n"
    let traced = try LoadingTests.trace(remote)
    #expect(try server.finish().first?.messages.isEmpty == true)
    #expect(visible(traced.finished.output).contains("unable to get local issuer certificate"))
    #expect(traced.files.filter(TLSProgramTests.isAuthority) == ["/etc/ssl/certs"])
  }

  /// - Returns: the memory that the program had needed when it had sent everything.
  private func deliver(lines: Int) throws -> Int {
    let sink = try TLSSink(.smtp, try TestPKI.shared.get()[.ec], lines: lines)
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1;s\(sink.port)\n"
    remote.input = .pieces(TLSSink.message(lines: lines).pieces)
    let running = try remote.start()
    try sink.awaitMessage()
    let memory = try #require(running.process.peakAddressSpace)
    try sink.accept()
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(running.finish(), "r^@\(accepted)^@", verdict: accepted)
    return memory
  }

  @Test func `a hundred megabytes take no more memory than one`() throws {
    let small = try deliver(lines: 14_000)
    let large = try deliver(lines: 1_400_000)
    #expect(large - small < 1_000_000, "\(small) and \(large) bytes")
  }
}
