// What Exim does with TLS and AUTH when a test starts it so, seen by a client that isn't ours.
import Foundation
import Support
import Testing

@Suite struct EximTests {
  @Test func `TLS and AUTH`() throws {
    let pki = try TestPKI.shared.get()
    let exim = try Exim(try .needingLogin(["user": "secret"]))
    for secure in PythonClient.Security.allCases {
      for mechanism in EximOptions.mechanisms where secure != .clear || mechanism != "EXTERNAL" {
        let isExternal = mechanism == "EXTERNAL"
        let port = secure == .implicit ? RealServer.implicitPort : RealServer.port
        var client = PythonClient(port, secure) {
          $0.authorities = pki.roots
          $0.mechanism = mechanism
          if isExternal {
            $0.identity = [pki[.client].chain, pki[.client].key]
            $0.user = "sender@example.net"
          }
        }
        _ = try exim.server.network.run { [client] in try client.run() }
        let mail = String(decoding: try #require(try exim.messages(of: "user", count: 1).first), as: UTF8.self)
        #expect(mail.hasPrefix("Return-path: <sender@example.net>\n") && mail.hasSuffix("\nhello\n"))
        #expect(mail.contains(secure == .clear ? " with esmtpa" : " with esmtpsa  (TLS1.3)"))
        #expect(exim.log.contains(" A=a\(mechanism.filter(\.isLetter).lowercased()):\(client.user) "))
        // Another password, or another's name.
        client.password = "wrong"
        if isExternal { client.user = "other@example.net" }
        #expect(throws: SpawnFault.self) { try exim.server.network.run { [client] in try client.run() } }
      }
    }
    #expect(throws: SpawnFault.self) { try exim.server.network.run { try PythonClient(RealServer.port, .starttls).run() } }
    try exim.server.stop()
  }

  @Test func `a client certificate and one version of TLS`() throws {
    let pki = try TestPKI.shared.get()
    var options = EximOptions(users: ["user"])
    var tls = EximOptions.TLS(pki[.rsa])
    tls.priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
    tls.clientCertificate = .require
    tls.clientAuthorities = pki.roots
    options.tls = tls
    let exim = try Exim(options)
    var client = PythonClient(RealServer.port, .starttls) { $0.identity = [pki[.client].chain, pki[.client].key] }
    let result = try exim.server.network.run { [client] in try client.run() }
    #expect(result.version == "TLSv1.2")
    #expect(try exim.messages(of: "user", count: 1).count == 1)
    #expect(exim.log.contains(" CV=yes DN=\"O=Tests,CN=client\" SNI=mx.example.com"))
    client.identity = nil
    #expect(throws: SpawnFault.self) { try exim.server.network.run { [client] in try client.run() } }
    try exim.server.stop()
  }
}
