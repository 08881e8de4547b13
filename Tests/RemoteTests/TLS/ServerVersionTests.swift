// TLS 1.2 and 1.3, from the first byte and after STARTTLS, with our certificate by every family's files, to servers that ask for one,
// insist on one or don't care: what the servers say of the connection.
import Foundation
import Support
import Testing

@Suite struct TLSServerVersionTests {
  /// Where our certificate is configured.
  enum Source: String, CaseIterable, Sendable {
    case nowhere, folder, named, senders, paths

    func configure(_ remote: inout Remote, _ pki: TestPKI, _ folder: TemporaryFolder) throws {
      remote.environment["CERTDIR"] = folder.path
      switch self {
      case .nowhere: break
      case .folder: try folder.write("clientcert.pem", try bytes(pki[.client].keyAndChain))
      case .named:
        try folder.write("ours.pem", try bytes(pki[.client].keyAndChain))
        remote.environment["CLIENTCERT"] = "ours.pem"
      case .senders:
        remote.control["domaincerts"] =
          "example.net:\(pki[.client].chain)|\(pki.lockedClientKey)|\(TestPKI.clientPassword)\n"
      case .paths:
        remote.control["clientcert"] = pki[.client].chain + "\n"
        remote.control["clientkey"] = pki[.client].key + "\n"
      }
    }

    private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
  }

  struct Row: Sendable, CustomStringConvertible {
    let version: String
    let isImplicit: Bool
    let source: Source
    var description: String { "\(version) \(isImplicit ? "implicit" : "STARTTLS") \(source)" }

    static let all = ["1.2", "1.3"].flatMap { version in
      [false, true].flatMap { isImplicit in
        Source.allCases.map { Row(version: version, isImplicit: isImplicit, source: $0) }
      }
    }
  }

  private func deliver(_ row: Row, to server: RealServer) throws -> FinishedProcess {
    let pki = try TestPKI.shared.get()
    let folder = try TemporaryFolder()
    var remote = Remote(to: RealServer.port)
    if row.isImplicit { remote.control["smtproutes"] = ":127.0.0.1;s\(RealServer.implicitPort)\n" }
    let word = "TLSv" + row.version.replacingOccurrences(of: ".", with: "_")
    remote.control["tlsclientmethod"] = "\(word):\(word)\n"
    remote.control["tlsdestinations"] = "127.0.0.1:\n"
    remote.environment["QMAILREMOTE_DIALECT"] = "sqmail"
    try row.source.configure(&remote, pki, folder)
    return try server.run(remote)
  }

  /// - Parameter message: takes the message that has arrived.
  /// - Parameter said: what the server has to say of the connection, and where it says so.
  private func check(
    _ server: RealServer, _ wish: ClientCertificateWish, _ message: () throws -> String,
    _ said: (Row, String) -> [(String, Bool)]
  ) throws {
    for row in Row.all {
      let finished = try deliver(row, to: server)
      let output = visible(finished.output)
      guard wish != .require || row.source != .nowhere else {
        // Whether it is told in the handshake or after it, nothing is sent.
        #expect(output.hasPrefix("Z"), "\(row): \(output)")
        continue
      }
      guard output.hasPrefix("r^@K127.0.0.1 TLS transmitted message accepted.") else {
        Issue.record("\(row): \(output)")
        continue
      }
      let mail = try message()
      #expect(mail.hasSuffix("\nhello\n"), "\(row)")
      for (words, isThere) in said(row, mail) {
        #expect(mail.contains(words) == isThere, "\(row), client certificate \(wish): \(words) in \(mail)")
      }
    }
    try server.stop()
  }

  @Test(arguments: [ClientCertificateWish.no, .ask, .require])
  func `to Postfix`(_ wish: ClientCertificateWish) throws {
    let pki = try TestPKI.shared.get()
    var options = PostfixOptions(users: ["user"])
    var tls = PostfixOptions.TLS(pki[.ec], pki[.rsa])
    tls.clientCertificate = wish
    tls.clientAuthorities = pki.roots
    options.tls = tls
    let postfix = try Postfix(options)
    try check(postfix.server, wish) {
      String(decoding: try #require(try postfix.messages(of: "user", count: 1).first), as: UTF8.self)
    } _: { row, _ in
      let isShown = wish != .no && row.source != .nowhere
      return [
        ("(using TLSv\(row.version) with cipher ", true),
        ("(Client CN \"client\", Issuer \"EC intermediate\" (verified OK))", isShown),
        ("(No client certificate requested)", wish == .no), ("(Client did not present a certificate)", wish != .no && !isShown),
      ]
    }
  }

  @Test(arguments: [ClientCertificateWish.no, .ask, .require])
  func `to Exim`(_ wish: ClientCertificateWish) throws {
    let pki = try TestPKI.shared.get()
    var options = EximOptions(users: ["user"])
    var tls = EximOptions.TLS(pki[.ec], pki[.rsa])
    tls.clientCertificate = wish
    tls.clientAuthorities = pki.roots
    options.tls = tls
    let exim = try Exim(options)
    var seen = 0
    try check(exim.server, wish) {
      let mail = String(decoding: try #require(try exim.messages(of: "user", count: 1).first), as: UTF8.self)
      // The log has the lines of messages one after the other.
      let arrivals = exim.log.split(separator: "\n").filter { $0.contains(" <= sender@example.net ") }
      defer { seen += 1 }
      return "\(try #require(arrivals.dropFirst(seen).first))\n\(mail)"
    } _: { row, _ in
      let isShown = wish != .no && row.source != .nowhere
      return [
        (" X=TLS\(row.version):", true), (" CV=yes DN=\"O=Tests,CN=client\"", isShown),
        ("with esmtps  (TLS\(row.version)) ", true),
      ]
    }
  }

  @Test(arguments: [ClientCertificateWish.no, .require])
  func `to OpenSMTPD`(_ wish: ClientCertificateWish) throws {
    let pki = try TestPKI.shared.get()
    var options = OpenSMTPDOptions(users: ["user"])
    var tls = OpenSMTPDOptions.TLS(pki[.rsa])
    tls.clientCertificate = wish
    if wish == .require { tls.clientAuthorities = pki.roots }
    options.tls = tls
    let server = try OpenSMTPD(options)
    try check(server.server, wish) {
      String(decoding: try #require(try server.messages(of: "user", count: 1).first), as: UTF8.self)
    } _: { row, mail in
      [("(TLSv\(row.version):", true), (":YES)", wish == .require), (":NO)", wish == .no)]
    }
  }
}
