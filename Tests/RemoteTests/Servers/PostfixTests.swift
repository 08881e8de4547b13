// What Postfix does with TLS and AUTH when a test starts it so, seen by a client that isn't ours.
import Foundation
import Support
import Testing

@Suite struct PostfixTests {
  @Test func `TLS and AUTH`() throws {
    let pki = try TestPKI.shared.get()
    var options = PostfixOptions(users: ["user"])
    options.tls = PostfixOptions.TLS(pki[.ec], pki[.rsa])
    options.sasl = PostfixOptions.SASL(["user": "secret"])
    let postfix = try Postfix(options)
    for secure in PythonClient.Security.allCases {
      for mechanism in PostfixOptions.SASL.mechanisms {
        let port = secure == .implicit ? RealServer.implicitPort : RealServer.port
        var client = PythonClient(port, secure) {
          $0.authorities = pki.roots
          $0.mechanism = mechanism
        }
        _ = try postfix.server.network.run { [client] in try client.run() }
        let mail = String(decoding: try #require(try postfix.messages(of: "user", count: 1).first), as: UTF8.self)
        #expect(mail.hasSuffix("\nhello\n"))
        #expect(mail.contains("(Authenticated sender: user@mx.example.com)"))
        #expect(mail.contains("(using TLSv1.3 with cipher ") == (secure != .clear))
        #expect(postfix.log.contains("sasl_method=\(mechanism), sasl_username=user"))
        guard secure == .starttls else { continue }
        client.password = "wrong"
        #expect(throws: SpawnFault.self) { try postfix.server.network.run { [client] in try client.run() } }
      }
    }
    #expect(throws: SpawnFault.self) { try postfix.server.network.run { try PythonClient(RealServer.port, .starttls).run() } }
    try postfix.server.stop()
  }

  @Test func `a client certificate and one version of TLS`() throws {
    let pki = try TestPKI.shared.get()
    var options = PostfixOptions(users: ["user"])
    var tls = PostfixOptions.TLS(pki[.rsa])
    tls.protocols = "<=TLSv1.2"
    tls.clientCertificate = .require
    tls.clientAuthorities = pki.roots
    options.tls = tls
    let postfix = try Postfix(options)
    var client = PythonClient(RealServer.port, .starttls) { $0.identity = [pki[.client].chain, pki[.client].key] }
    let result = try postfix.server.network.run { [client] in try client.run() }
    #expect(result.version == "TLSv1.2")
    let mail = String(decoding: try #require(try postfix.messages(of: "user", count: 1).first), as: UTF8.self)
    #expect(mail.contains("(Client CN \"client\", Issuer \"EC intermediate\" (verified OK))"))
    client.identity = nil
    #expect(throws: SpawnFault.self) { try postfix.server.network.run { [client] in try client.run() } }
    client.secure = .clear
    #expect(throws: SpawnFault.self) { try postfix.server.network.run { [client] in try client.run() } }
    try postfix.server.stop()
  }
}
