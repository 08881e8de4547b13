// Authentication and TLS together: what counts is what the server offers in TLS, and where SCRAM can be bound to the connection, it is. The
// server's side (Python) knows nothing of libgsasl; the binding is that of its own TLS library.
import Foundation
import Support
import Testing

@Suite struct LoginTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  private func server(
    _ offer: String, _ change: (inout TLSBehaviour) -> Void = { _ in }
  ) throws -> TLSServer {
    var behaviour = TLSBehaviour(try TestPKI.shared.get()[.ec])
    behaviour.secureKeywords = ["PIPELINING"] + (offer.isEmpty ? [] : ["AUTH \(offer)"])
    behaviour.accounts = ["user": "secret word"]
    behaviour.needsLogin = true
    behaviour.replies = ["message": "250 ok 1"]
    change(&behaviour)
    return try TLSServers.shared.get().start(behaviour)
  }

  private func remote(_ server: TLSServer, password: String = "secret word", mechanism: String? = nil) -> Remote {
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:\(server.port)|user|\(password)\n"
    if let mechanism { remote.environment["AUTH_SMTP"] = mechanism }
    return remote
  }

  /// The client's first message in what it said of AUTH.
  private func firstMessage(_ session: TLSSession?) throws -> String {
    let line = try #require(session?.secureLines.first { $0.hasPrefix("AUTH ") })
    let words = line.split(separator: " ")
    return String(decoding: try #require(words.count == 3 ? Data(base64Encoded: String(words[2])) : nil), as: UTF8.self)
  }

  // MARK: bound

  @Test(arguments: ["SCRAM-SHA-1", "SCRAM-SHA-256"])
  func `TLS 1.2, bound by tls-unique`(_ name: String) throws {
    let server = try server("PLAIN \(name) \(name)-PLUS") { $0.maximum = .tls12 }
    expect(try remote(server).run(), "r^@\(Self.accepted)^@", verdict: Self.accepted)
    let wrong = "ZConnected to 127.0.0.1 but authentication was rejected (AUTH \(name)-PLUS).\n"
    expect(try remote(server, password: "other").run(), "\(wrong)Remote host said: 535 5.7.8 refused\n^@")
    let sessions = try server.finish()
    #expect(sessions.flatMap(\.messages).map(\.user) == ["user"])
    #expect(sessions.flatMap(\.logins).map(\.mechanism) == ["\(name)-PLUS", "\(name)-PLUS"])
    #expect(try firstMessage(sessions.first).hasPrefix("p=tls-unique,,n=user,r="))
  }

  /// RFC 9266: what both sides have of TLS 1.2 without RFC 7627 may be another connection's.
  @Test func `TLS 1.2 without extended master secret, nothing to be bound to`() throws {
    let server = try server("SCRAM-SHA-256-PLUS SCRAM-SHA-256") {
      $0.maximum = .tls12
      $0.extendedMasterSecret = false
    }
    expect(try remote(server).run(), "r^@\(Self.accepted)^@", verdict: Self.accepted)
    let session = try server.finish().first
    #expect(session?.tls?.version == "TLSv1.2" && session?.logins.map(\.mechanism) == ["SCRAM-SHA-256"])
    #expect(try firstMessage(session).hasPrefix("n,,n=user,r="))
  }

  @Test func `TLS 1.3, bound by tls-exporter`() throws {
    let server = try server("SCRAM-SHA-256 SCRAM-SHA-256-PLUS")
    // This server can't check it.
    let refused = "ZConnected to 127.0.0.1 but authentication was rejected (AUTH SCRAM-SHA-256-PLUS).\n"
    expect(try remote(server).run(), "\(refused)Remote host said: 535 5.7.8 refused\n^@")
    #expect(try firstMessage(server.finish().first).hasPrefix("p=tls-exporter,,n=user,r="))
  }

  @Test func `we could, and nobody offers it`() throws {
    let server = try server("SCRAM-SHA-256")
    expect(try remote(server).run(), "r^@\(Self.accepted)^@", verdict: Self.accepted)
    #expect(try firstMessage(server.finish().first).hasPrefix("y,,n=user,r="))
  }

  // MARK: what is offered, and where

  /// The offer in clear says nothing about the one in TLS.
  @Test(arguments: [
    ("PLAIN LOGIN", "CRAM-MD5", "CRAM-MD5"), ("CRAM-MD5", "PLAIN", "PLAIN"), ("", "LOGIN", "LOGIN"),
    ("SCRAM-SHA-256", "CRAM-SHA256 LOGIN", "CRAM-SHA256"),
  ])
  func `another offer in TLS`(_ clear: String, _ secure: String, _ used: String) throws {
    let server = try server(secure) { if !clear.isEmpty { $0.clearKeywords.append("AUTH \(clear)") } }
    expect(try remote(server).run(), "r^@\(Self.accepted)^@", verdict: Self.accepted)
    let session = try #require(try server.finish().first)
    #expect(session.logins.map(\.mechanism) == [used] && session.logins.map(\.isSecure) == [true])
    #expect(session.clearLines.allSatisfy { !$0.hasPrefix("AUTH") })
  }

  @Test(arguments: [nil, "PLAIN"])
  func `offered in clear only`(_ mechanism: String?) throws {
    let server = try server("") {
      $0.clearKeywords.append("AUTH PLAIN")
      $0.needsLogin = false
    }
    let words = "no supported AUTH method found"
    let report = "K127.0.0.1 accepted message.\n\(words), continuing without authentication.\nRemote host said: 250 ok 1\n"
    expect(try remote(server, mechanism: mechanism).run(), "r^@\(report)^@", verdict: report)
    var strict = remote(server, mechanism: mechanism)
    strict.control["authrequired"] = "1\n"
    expect(
      try strict.run(),
      "ZConnected to 127.0.0.1 but \(words), and control/authrequired asks for authentication. (#4.7.0)\n^@")
    let sessions = try server.finish()
    #expect(sessions.flatMap(\.logins).isEmpty && sessions.map(\.messages.count) == [1, 0])
  }

  /// SECURE_AUTH: in clear no secret is shown, by whatever name; in TLS it may.
  @Test(arguments: ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"], [true, false])
  func `secrets that only TLS keeps`(_ mechanism: String, _ isNamed: Bool) throws {
    let password = "token"
    for isSecure in [true, false] {
      let server = try server(mechanism) {
        if !isSecure { $0.clearKeywords = ["AUTH \(mechanism)"] }
        $0.accounts = ["user": password]
        $0.needsLogin = isSecure
      }
      var remote = remote(server, password: password, mechanism: isNamed ? mechanism : nil)
      remote.environment["SECURE_AUTH"] = ""
      #expect(String(decoding: try remote.run().output, as: UTF8.self).hasPrefix("r\0K"))
      #expect(try server.finish().map { $0.logins.map(\.mechanism) } == [isSecure ? [mechanism] : []])
    }
  }
}
