// A Dovecot as submission server, with all that it needs in one folder: what it takes it passes on to a server that keeps it.
import Foundation
import Support

/// What a Dovecot is to be.
struct DovecotOptions: Sendable {
  static let mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"]

  var identity: TestIdentity
  /// As ssl_min_protocol takes it. There is no way to set the highest one.
  var minimum = "TLSv1.2"
  /// A file. When it is set, clients are asked for a certificate, and those that have none from there can't log in.
  var clientAuthorities: String?
  /// Passwords by name.
  var accounts: [String: String] = [:]
  /// Names by access token, for XOAUTH2 and OAUTHBEARER.
  var tokens: [String: String] = [:]
  /// Names by refresh token, from which come access tokens.
  var refresh: [String: String] = [:]
  var mechanisms = DovecotOptions.mechanisms

  init(_ identity: TestIdentity) { self.identity = identity }
}

final class Dovecot: Sendable {
  let server: RealServer
  /// Knows which access tokens are valid; a test may change them, and get new ones there.
  let tokens: TokenServer
  private let folder: TemporaryFolder
  private let sink: TLSServer

  init(_ options: DovecotOptions) throws {
    folder = try TemporaryFolder()
    let path = folder.path
    try FileManager.default.createDirectory(atPath: "\(path)/mail", withIntermediateDirectories: false)
    try RealServer.command("chown", ["nobody", "\(path)/mail"], package: "coreutils")
    try folder.write("passwords", options.accounts.map { "\($0.key):{PLAIN}\($0.value)\n" }.joined())
    let network = try NetworkNamespace()
    tokens = try network.run { try TokenServer(access: options.tokens, refresh: options.refresh) }
    sink = try network.run {
      var behaviour = TLSBehaviour()
      behaviour.clearKeywords = ["8BITMIME", "SIZE 100000000"]
      return try TLSServers().start(behaviour)
    }
    try folder.write("oauth2.conf", Dovecot.introspection(tokens.port))
    let configuration = try folder.write("dovecot.conf", Dovecot.main(path, options, sink.port))
    var start = ServerStart("/usr/sbin/dovecot", ["-F", "-c", configuration], package: "dovecot-submissiond")
    start.ports = [RealServer.port, RealServer.implicitPort]
    server = try RealServer(start, in: network)
  }

  /// What it has passed on since it was started, once there are so many messages.
  func messages(count: Int) throws -> [TLSSession.Message] {
    var messages: [TLSSession.Message] = []
    let came = try eventually {
      messages = try sink.sessions().flatMap(\.messages)
      return messages.count >= count
    }
    guard came else { throw SpawnFault(description: "\(messages.count) messages instead of \(count): \(log.suffix(2_000))") }
    return messages
  }

  /// What it has said so far.
  var log: String { (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "no log" }
}

// MARK: configuration

extension Dovecot {
  private static let oauth = ["XOAUTH2", "OAUTHBEARER"]

  private static func main(_ path: String, _ options: DovecotOptions, _ sink: UInt16) -> String {
    let isOAuth = { (name: String) in oauth.contains(name) }
    let words = { (names: [String]) in names.joined(separator: " ").lowercased() }
    let clients = options.clientAuthorities.map {
      "ssl_ca = <\($0)\nssl_verify_client_cert = yes\nauth_ssl_require_client_cert = yes\nssl_require_crl = no"
    }
    return """
      base_dir = \(path)/run
      state_dir = \(path)/state
      log_path = \(path)/log
      auth_verbose = yes
      protocols = submission
      listen = 127.0.0.1
      hostname = mx.example.com
      ssl = yes
      ssl_cert = <\(options.identity.chain)
      ssl_key = <\(options.identity.key)
      ssl_min_protocol = \(options.minimum)
      \(clients ?? "")
      auth_mechanisms = \(words(options.mechanisms))
      disable_plaintext_auth = no
      # Wrong passwords cost nothing.
      auth_failure_delay = 0
      service anvil {
        unix_listener anvil-auth-penalty {
          mode = 0
        }
      }
      passdb {
        driver = oauth2
        mechanisms = \(words(oauth))
        args = \(path)/oauth2.conf
      }
      passdb {
        driver = passwd-file
        mechanisms = \(words(DovecotOptions.mechanisms.filter { !isOAuth($0) }))
        args = \(path)/passwords
      }
      userdb {
        driver = static
        args = uid=nobody gid=nogroup home=\(path)/mail
      }
      mail_location = maildir:\(path)/mail
      submission_relay_host = 127.0.0.1
      submission_relay_port = \(sink)
      service submission-login {
        # One process for all connections, as starting one takes a tenth of a second.
        service_count = 0
        inet_listener submission {
          port = \(RealServer.port)
        }
        inet_listener submissions {
          port = \(RealServer.implicitPort)
          ssl = yes
        }
      }

      """
  }

  private static func introspection(_ port: UInt16) -> String {
    """
    introspection_mode = post
    introspection_url = http://127.0.0.1:\(port)/introspect
    username_attribute = username
    active_attribute = active
    active_value = true

    """
  }
}
