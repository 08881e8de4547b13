// What OpenSMTPD does with TLS and AUTH when a test starts it so, seen by a client that isn't ours.
import Foundation
import Support
import Testing

@Suite struct OpenSMTPDTests {
  @Test func `TLS and AUTH`() throws {
    let pki = try TestPKI.shared.get()
    var options = OpenSMTPDOptions(users: ["user"])
    options.tls = OpenSMTPDOptions.TLS(pki[.rsa])
    options.accounts = ["user": "secret"]
    options.needsLogin = true
    let server = try OpenSMTPD(options)
    for secure in [PythonClient.Security.starttls, .implicit] {
      for (mechanism, version) in zip(OpenSMTPDOptions.mechanisms, ["TLSv1_2", "TLSv1_3"]) {
        let port = secure == .implicit ? RealServer.implicitPort : RealServer.port
        var client = PythonClient(port, secure) {
          $0.authorities = pki.roots
          $0.mechanism = mechanism
          $0.versions = [version, version]
        }
        let result = try server.server.network.run { [client] in try client.run() }
        #expect(result.version == version.replacingOccurrences(of: "_", with: "."))
        let mail = String(decoding: try #require(try server.messages(of: "user", count: 1).first), as: UTF8.self)
        #expect(mail.hasPrefix("Return-Path: <sender@example.net>\n") && mail.hasSuffix("\nhello\n"))
        #expect(mail.contains(" with ESMTPSA id "))
        client.password = "wrong"
        #expect(throws: SpawnFault.self) { try server.server.network.run { [client] in try client.run() } }
      }
    }
    #expect(throws: SpawnFault.self) {
      try server.server.network.run { try PythonClient(RealServer.port, .starttls).run() }
    }
    try server.server.stop()
  }

  @Test func `a client certificate`() throws {
    let pki = try TestPKI.shared.get()
    var options = OpenSMTPDOptions(users: ["user"])
    var tls = OpenSMTPDOptions.TLS(pki[.rsa])
    tls.clientCertificate = .require
    tls.clientAuthorities = pki.roots
    options.tls = tls
    let server = try OpenSMTPD(options)
    for (secure, port) in [(PythonClient.Security.starttls, RealServer.port), (.implicit, RealServer.implicitPort)] {
      var client = PythonClient(port, secure) { $0.identity = [pki[.client].chain, pki[.client].key] }
      _ = try server.server.network.run { [client] in try client.run() }
      #expect(try server.messages(of: "user", count: 1).count == 1)
      client.identity = nil
      #expect(throws: SpawnFault.self) { try server.server.network.run { [client] in try client.run() } }
    }
    try server.server.stop()
  }
}
