// The example of a program for OAuth 2.0 tokens (contrib/hooks/oauth-token), with an authorization server on loopback, and the tokens
// that deliveries keep for one another.
import Foundation
import Support
import Testing

/// A relay that takes tokens, and a site that gets them by refresh tokens.
private struct OAuthSite {
  let tokens: TokenServer
  let control: TemporaryFolder
  /// Stands in the place of /var/qmail.
  let home: TemporaryFolder

  /// - Parameter refresh: users by refresh token.
  init(refresh: [String: String] = ["refresh \"1\" \\x": "user"]) throws {
    tokens = try TokenServer(refresh: refresh)
    control = try TemporaryFolder()
    home = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: "\(home.path)/run/qmail-remote", withIntermediateDirectories: true)
    try control.write("me", "me.example.net\n")
    let hook = try #require(FileManager.default.contents(atPath: OAuthSite.hook))
    try control.install("hooks/credentials", hook)
    try control.write("oauth/127.0.0.1", settings("refresh \"1\" \\x"))
    #expect(chmod("\(control.path)/oauth/127.0.0.1", 0o600) == 0)
  }

  private static let hook = (#filePath as NSString).deletingLastPathComponent + "/../../contrib/hooks/oauth-token"

  func settings(_ refresh: String, scheme: String = "http", port: UInt16? = nil) -> String {
    """
    user=user
    url=\(scheme)://127.0.0.1:\(port ?? tokens.port)/token
    client_id=a client
    client_secret=s3kr3t&=%"\\
    refresh_token=\(refresh)
    scope=mail

    """
  }

  func relay(_ access: [String], _ change: (inout TLSBehaviour) -> Void = { _ in }) throws -> TLSServer {
    var behaviour = TLSBehaviour()
    behaviour.clearKeywords = ["AUTH XOAUTH2 OAUTHBEARER PLAIN"]
    behaviour.replies = ["message": "250 ok 1"]
    behaviour.accounts = Dictionary(uniqueKeysWithValues: access.map { ("user", $0) })
    behaviour.needsLogin = true
    change(&behaviour)
    return try TLSServers.shared.get().start(behaviour)
  }

  func remote(_ server: TLSServer) -> Remote {
    var remote = Remote()
    remote.environment = [
      "CONTROLDIR": control.path, "PATH": "/usr/bin:/bin", "SMTPROUTE": ":127.0.0.1:\(server.port)", "HOOKTIMEOUT": "60",
      "QMAILREMOTE_RUNDIR": "\(home.path)/run/qmail-remote",
    ]
    return remote
  }

  func deliver(_ server: TLSServer) throws -> String { String(decoding: try remote(server).run().output, as: UTF8.self) }

  /// How often an access token was asked for.
  func grants() throws -> Int { try tokens.state().requests(to: "/token").count }

  /// The kept tokens, as they stand in their files.
  func kept() throws -> [String] {
    let folder = "\(home.path)/run/qmail-remote/tokens"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return try names.map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
  }
}

@Suite struct OAuthHookTests {
  private static let accepted = "r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n\0"

  private func report(_ words: String) -> String { "Z\(words) (#4.3.0)\nhooks/credentials, exit status 111\n\0" }

  @Test func `a token, and the same for the next delivery`() throws {
    let site = try OAuthSite()
    let server = try site.relay(["access-1"])
    #expect(try site.deliver(server) == Self.accepted)
    #expect(try site.deliver(server) == Self.accepted)
    #expect(try site.grants() == 1)
    let request = try #require(try site.tokens.state().requests(to: "/token").first)
    // A blank is a plus sign in a form, and Foundation doesn't know forms.
    let form = request.replacingOccurrences(of: "+", with: "%20")
    let fields = try #require(URLComponents(string: "?\(form)")?.queryItems)
    #expect(
      fields.map { "\($0.name)=\($0.value ?? "")" } == [
        "grant_type=refresh_token", "client_id=a client", "client_secret=s3kr3t&=%\"\\", "refresh_token=refresh \"1\" \\x",
        "scope=mail",
      ])
    let sessions = try server.finish()
    // OAUTHBEARER is the standard's.
    #expect(sessions.flatMap(\.logins).map(\.mechanism) == ["OAUTHBEARER", "OAUTHBEARER"])
    #expect(sessions.flatMap(\.messages).map(\.user) == ["user", "user"])
  }

  @Test func `a refused token is refreshed, and the new one kept`() throws {
    let site = try OAuthSite()
    let first = try site.relay(["access-1"])
    #expect(try site.deliver(first) == Self.accepted)
    try first.finish()
    let second = try site.relay(["access-2"])
    #expect(try site.deliver(second) == Self.accepted)
    #expect(try site.deliver(second) == Self.accepted)
    #expect(try site.grants() == 2)
    #expect(try site.kept().map { $0.contains("token=access-2\n") } == [true])
    #expect(try second.finish().map { $0.logins.map(\.user) } == [[nil, "user"], ["user"]])
  }

  @Test func `an expired token is asked for anew`() throws {
    let site = try OAuthSite()
    try site.tokens.setExpiry(seconds: 10)
    let server = try site.relay(["access-2"])
    _ = try site.deliver(server)
    // access-1 was refused, access-2 expires within the margin.
    #expect(try site.grants() == 2)
    _ = try site.deliver(server)
    #expect(try site.grants() > 2)
    try server.finish()
  }

  /// 200 deliveries, each its own process, with a token that the relay has just stopped to accept.
  @Test func `200 at once refresh once`() throws {
    let site = try OAuthSite()
    let first = try site.relay(["access-1"])
    #expect(try site.deliver(first) == Self.accepted)
    try first.finish()
    let second = try site.relay(["access-2"])
    let deliveries = try (0..<200).map { _ in try site.remote(second).start() }
    let reports = deliveries.map { String(decoding: $0.finish(within: 300).output, as: UTF8.self) }
    #expect(reports.filter { $0 != Self.accepted } == [])
    #expect(try site.grants() == 2)
    #expect(try second.finish().flatMap(\.messages).count == 200)
  }

  @Test func `a server that gives a new refresh token too`() throws {
    let rotating = try ScriptedServer { peer in
      while try !peer.line().isEmpty {}
      let body = #"{"access_token" : "a\/b", "expires_in":"3600","refresh_token":"next+\/one", "token_type":"Bearer"}"#
      try peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }
    let site = try OAuthSite()
    try site.control.write("oauth/127.0.0.1", site.settings("old", port: rotating.port))
    let server = try site.relay(["a/b"])
    #expect(try site.deliver(server) == Self.accepted)
    let written = String(decoding: try site.control.read("oauth/127.0.0.1"), as: UTF8.self)
    #expect(written.contains("\nrefresh_token=next+/one\n") && !written.contains("=old"))
    #expect(written.contains("client_secret=s3kr3t&=%\"\\\n") && written.hasPrefix("user=user\nurl=http"))
    rotating.finish()
    try server.finish()
  }

  @Test func `no settings for a relay: no opinion`() throws {
    let site = try OAuthSite()
    try FileManager.default.removeItem(atPath: "\(site.control.path)/oauth/127.0.0.1")
    let server = try site.relay([]) { $0.needsLogin = false }
    #expect(try site.deliver(server) == Self.accepted)
    #expect(try site.kept().isEmpty)
    try server.finish()
  }

  @Test func `what doesn't work is said without secrets`() throws {
    let site = try OAuthSite(refresh: [:])
    let server = try site.relay(["access-1"])
    let name = "The authorization server of 127.0.0.1"
    #expect(try site.deliver(server) == report("\(name) gives no token: invalid_grant."))
    let closed = try ScriptedServer { peer in peer.close() }
    try site.control.write("oauth/127.0.0.1", site.settings("x", port: closed.port))
    #expect(try site.deliver(server) == report("\(name) doesn't answer."))
    closed.finish()
    try site.control.write("oauth/127.0.0.1", "user=user\nurl=http://login.example/token\nrefresh_token=x\n")
    #expect(try site.deliver(server) == report("The OAuth settings of 127.0.0.1 have no url that begins with https."))
    #expect(try site.kept().isEmpty)
    #expect(try server.finish().flatMap(\.logins).isEmpty)
  }
}
