// What Dovecot does with TLS and AUTH when a test starts it so, seen by a client that isn't ours.
import Foundation
import Support
import Testing

@Suite struct DovecotTests {
  @Test func `TLS and AUTH`() throws {
    let pki = try TestPKI.shared.get()
    var options = DovecotOptions(pki[.ec])
    options.accounts = ["user": "secret"]
    options.tokens = ["token": "user"]
    let dovecot = try Dovecot(options)
    var count = 0
    for secure in PythonClient.Security.allCases {
      for mechanism in DovecotOptions.mechanisms {
        let port = secure == .implicit ? RealServer.implicitPort : RealServer.port
        var client = PythonClient(port, secure) {
          $0.authorities = pki.roots
          $0.mechanism = mechanism
          $0.password = mechanism.contains("OAUTH") ? "token" : "secret"
        }
        let result = try dovecot.server.network.run { [client] in try client.run() }
        #expect(result.version == (secure == .clear ? nil : "TLSv1.3"))
        count += 1
        let message = try #require(try dovecot.messages(count: count).last)
        #expect(message.sender.hasPrefix("MAIL FROM:<sender@example.net>"))
        #expect(String(decoding: message.data, as: UTF8.self).hasSuffix("\r\nSubject: x\r\n\r\nhello\r\n"))
        guard secure == .starttls else { continue }
        client.password = "wrong"
        #expect(throws: SpawnFault.self) { try dovecot.server.network.run { [client] in try client.run() } }
      }
    }
    #expect(throws: SpawnFault.self) { try dovecot.server.network.run { try PythonClient(RealServer.port, .starttls).run() } }
    try dovecot.server.stop()
  }

  /// A token that was valid, and the one that takes its place.
  @Test func `tokens that change`() throws {
    let pki = try TestPKI.shared.get()
    var options = DovecotOptions(pki[.ec])
    options.tokens = ["old": "user"]
    options.mechanisms = ["XOAUTH2"]
    let dovecot = try Dovecot(options)
    var client = PythonClient(RealServer.port, .starttls) {
      $0.mechanism = "XOAUTH2"
      $0.password = "old"
    }
    _ = try dovecot.server.network.run { [client] in try client.run() }
    try dovecot.tokens.setAccess(["new": "user"])
    #expect(throws: SpawnFault.self) { try dovecot.server.network.run { [client] in try client.run() } }
    client.password = "new"
    _ = try dovecot.server.network.run { [client] in try client.run() }
    #expect(try dovecot.tokens.state().requests(to: "/introspect").count == 3)
    #expect(try dovecot.messages(count: 2).count == 2)
    try dovecot.server.stop()
  }

  @Test func `a client certificate`() throws {
    let pki = try TestPKI.shared.get()
    var options = DovecotOptions(pki[.rsa])
    options.accounts = ["user": "secret"]
    options.clientAuthorities = pki.roots
    let dovecot = try Dovecot(options)
    var client = PythonClient(RealServer.port, .starttls) {
      $0.mechanism = "PLAIN"
      $0.identity = [pki[.client].chain, pki[.client].key]
    }
    _ = try dovecot.server.network.run { [client] in try client.run() }
    client.identity = nil
    #expect(throws: SpawnFault.self) { try dovecot.server.network.run { [client] in try client.run() } }
    try dovecot.server.stop()
  }
}
