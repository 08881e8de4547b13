// A Postfix with a configuration, a queue and mailboxes of its own, all in one folder.
import Foundation
import Support

/// What a Postfix is to be.
struct PostfixOptions: Sendable {
  struct TLS: Sendable {
    /// Several for several kinds of keys.
    var identities: [TestIdentity]
    /// In Postfix' words, as of TLS_README: `>=TLSv1.2`, `<=TLSv1.2`, `!TLSv1.3`...
    var protocols = ">=TLSv1"
    /// In OpenSSL's words, up to TLS 1.2; nil: Postfix' own list.
    var ciphers: String?
    /// No mail in clear.
    var isRequired = false
    /// When a certificate is required, it has to be from `clientAuthorities`.
    var clientCertificate = ClientCertificateWish.no
    /// A file.
    var clientAuthorities: String?

    init(_ identities: TestIdentity...) { self.identities = identities }
  }

  /// Authentication by Cyrus SASL with passwords of its own.
  struct SASL: Sendable {
    static let mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]

    /// Passwords by name.
    var accounts: [String: String]
    var mechanisms = SASL.mechanisms
    /// Nothing is offered in clear.
    var onlyInTLS = false
    /// Recipients are refused without it.
    var isRequired = true
    /// The realm of DIGEST-MD5 and of the password file.
    static let realm = "mx.example.com"

    init(_ accounts: [String: String]) { self.accounts = accounts }
  }

  /// Those who have a mailbox at example.com.
  var users: [String]
  var tls: TLS?
  var sasl: SASL?
  /// Further lines of main.cf.
  var lines: [String] = []
  /// Further ports, each with settings of its own in place of those of main.cf: `smtpd_tls_wrappermode=yes`.
  var listeners: [UInt16: [String]] = [:]

  init(users: [String]) { self.users = users }
}

final class Postfix: Sendable {
  let server: RealServer
  private let folder: TemporaryFolder

  /// What a port's smtpd doesn't offer.
  static let ports: [UInt16: String] = [2_525: "", 2_526: "chunking", 2_527: "chunking,pipelining"]
  private static let daemons = "/usr/lib/postfix/sbin"

  /// - Parameter users: those who have a mailbox at example.com.
  convenience init(users: [String]) throws { try self.init(PostfixOptions(users: users)) }

  init(_ options: PostfixOptions) throws {
    folder = try TemporaryFolder()
    let path = folder.path
    var lines = [Postfix.main(path)]
    if let tls = options.tls { lines += try Postfix.tlsLines(tls, folder) }
    if let sasl = options.sasl { lines += try Postfix.saslLines(sasl, folder) }
    try folder.write("etc/main.cf", (lines + options.lines).map { $0 + "\n" }.joined())
    try folder.write("etc/master.cf", Postfix.master(options))
    try folder.write("etc/recipients", options.users.map { "\($0)@example.com \($0)/\n" }.joined())
    for name in ["queue", "data", "mail"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
    }
    try Postfix.command("chown", "nobody", "\(path)/mail")
    try Postfix.command("chown", "postfix", "\(path)/data")
    // Makes the queue's folders.
    try Postfix.command("/usr/sbin/postfix", "-c", "\(path)/etc", "check")
    let ports = Array(Postfix.ports.keys) + options.listeners.keys + (options.tls == nil ? [] : [RealServer.implicitPort])
    server = try RealServer("\(Postfix.daemons)/master", ["-c", "\(path)/etc", "-d"], ports: ports, package: "postfix")
  }

  /// Waits for the messages of a mailbox, and takes them out.
  func messages(of user: String, count: Int) throws -> [[UInt8]] {
    try folder.takeMessages(of: "mail/\(user)", count: count) { log }
  }

  /// The queue files of messages that its rules keep on hold, which cost less than a mailbox.
  func held() throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/queue/hold").map { try folder.read("queue/hold/\($0)") }
  }

  /// What it has said so far.
  var log: String { (try? folder.read("log")).map { String(decoding: $0.suffix(20_000), as: UTF8.self) } ?? "no log" }

  private static func command(_ program: String, _ operands: String...) throws {
    try RealServer.command(program, operands, package: "postfix")
  }
}

// MARK: configuration

extension Postfix {
  private static func main(_ path: String) -> String {
    """
    compatibility_level = 3.6
    queue_directory = \(path)/queue
    data_directory = \(path)/data
    maillog_file = \(path)/log
    maillog_file_prefixes = \(path)
    myhostname = mx.example.com
    mydestination =
    mynetworks = 127.0.0.0/8
    inet_interfaces = 127.0.0.1
    inet_protocols = ipv4
    alias_maps =
    alias_database =
    # Nothing is changed in a message.
    local_header_rewrite_clients =
    message_size_limit = 0
    virtual_mailbox_limit = 0
    virtual_mailbox_domains = example.com
    virtual_mailbox_base = \(path)/mail
    virtual_mailbox_maps = texthash:\(path)/etc/recipients
    virtual_uid_maps = static:65534
    virtual_gid_maps = static:65534
    smtpd_relay_restrictions = reject_unauth_destination
    smtpd_reject_unlisted_recipient = yes
    smtpd_peername_lookup = no
    """
  }

  /// smtpd(8) reads the files as root, wherever they are.
  private static func tlsLines(_ tls: PostfixOptions.TLS, _ folder: TemporaryFolder) throws -> [String] {
    // It wants one file for each chain, with its key in front (postconf(5), smtpd_tls_chain_files).
    let chains = tls.identities.map(\.keyAndChain).joined(separator: ", ")
    var lines = [
      "smtpd_tls_security_level = \(tls.isRequired ? "encrypt" : "may")", "smtpd_tls_chain_files = \(chains)",
      "smtpd_tls_protocols = \(tls.protocols)", "smtpd_tls_mandatory_protocols = \(tls.protocols)",
      "smtpd_tls_received_header = yes", "smtpd_tls_loglevel = 1",
      "smtpd_tls_session_cache_database =",
    ]
    if let ciphers = tls.ciphers {
      lines += ["smtpd_tls_ciphers = medium", "smtpd_tls_mandatory_ciphers = medium", "tls_medium_cipherlist = \(ciphers)"]
    }
    switch tls.clientCertificate {
    case .no: break
    case .ask: lines.append("smtpd_tls_ask_ccert = yes")
    // In clear this says nothing: a client has to come by TLS to show a certificate.
    case .require: lines += ["smtpd_tls_req_ccert = yes", "smtpd_tls_security_level = encrypt"]
    }
    if tls.clientCertificate != .no { lines.append("smtpd_tls_fingerprint_digest = sha256") }
    if let authorities = tls.clientAuthorities { lines.append("smtpd_tls_CAfile = \(authorities)") }
    return lines
  }

  private static func saslLines(_ sasl: PostfixOptions.SASL, _ folder: TemporaryFolder) throws -> [String] {
    let path = folder.path
    // Where Debian's smtpd looks for it: beside main.cf, not where cyrus_sasl_config_path says.
    try folder.write(
      "etc/sasl/smtpd.conf",
      """
      pwcheck_method: auxprop
      auxprop_plugin: sasldb
      sasldb_path: \(path)/etc/sasl/passwords
      mech_list: \(sasl.mechanisms.joined(separator: " "))

      """)
    for (user, password) in sasl.accounts {
      try RealServer.command(
        "saslpasswd2", ["-p", "-c", "-f", "\(path)/etc/sasl/passwords", "-u", PostfixOptions.SASL.realm, user],
        input: Array(password.utf8), package: "sasl2-bin")
    }
    try command("chown", "postfix", "\(path)/etc/sasl/passwords")
    var lines = [
      "smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = cyrus", "smtpd_sasl_path = smtpd",
      "smtpd_sasl_local_domain = \(PostfixOptions.SASL.realm)",
      "smtpd_sasl_security_options = noanonymous", "smtpd_sasl_authenticated_header = yes",
      "smtpd_tls_auth_only = \(sasl.onlyInTLS ? "yes" : "no")",
    ]
    if sasl.isRequired {
      lines.append("smtpd_recipient_restrictions = reject_unlisted_recipient, permit_sasl_authenticated, reject")
    }
    return lines
  }

  private static func master(_ options: PostfixOptions) -> String {
    let hasTLS = options.tls != nil
    let settings = ports.mapValues { ["smtpd_discard_ehlo_keywords=\($0)"] }.merging(options.listeners) { $1 }
    let inputs = settings.sorted { $0.key < $1.key }.map { port, settings in
      "127.0.0.1:\(port) inet n - n - - smtpd\n" + settings.map { "  -o \($0)\n" }.joined()
    }
    let tls = """
      127.0.0.1:\(RealServer.implicitPort) inet n - n - - smtpd
        -o smtpd_tls_wrappermode=yes
      tlsmgr unix - - n 1000? 1 tlsmgr

      """
    return inputs.joined() + (hasTLS ? tls : "") + """
      cleanup unix n - n - 0 cleanup
      qmgr unix n - n 300 1 qmgr
      rewrite unix - - n - - trivial-rewrite
      bounce unix - - n - 0 bounce
      defer unix - - n - 0 bounce
      trace unix - - n - 0 bounce
      error unix - - n - - error
      retry unix - - n - - error
      virtual unix - n n - - virtual
      proxymap unix - - n - - proxymap
      anvil unix - - n - 1 anvil
      postlog unix-dgram n - n - 1 postlogd

      """
  }
}
