// An Exim (whose TLS is GnuTLS') with a configuration, a spool and mailboxes of its own, all in one folder.
import Foundation
import Support

/// What an Exim is to be.
struct EximOptions: Sendable {
  struct TLS: Sendable {
    /// Several for several kinds of keys.
    var identities: [TestIdentity]
    /// In GnuTLS' words: `NORMAL:-VERS-ALL:+VERS-TLS1.2`. nil: Exim's own.
    var priorities: String?
    /// For anything but `no` there have to be `clientAuthorities`.
    var clientCertificate = ClientCertificateWish.no
    /// A file.
    var clientAuthorities: String?
    /// Instead of the first identity and what is offered to everybody: chain and key for each port.
    var ports: [UInt16: TestIdentity] = [:]
    /// Of these, those with TLS from the first byte.
    var implicitPorts: [UInt16] = []
    /// Further ports, without STARTTLS.
    var clearPorts: [UInt16] = []

    init(_ identities: TestIdentity...) { self.identities = identities }
  }

  /// EXTERNAL, which needs a verified client certificate, knows clients by the mail addresses in theirs.
  static let mechanisms = ["CRAM-MD5", "EXTERNAL", "PLAIN", "LOGIN"]

  /// Those who have a mailbox at example.com.
  var users: [String]
  var tls: TLS?
  /// Passwords by name.
  var accounts: [String: String] = [:]
  /// Of `mechanisms`, what is offered; in clear too, but for EXTERNAL.
  var mechanisms: [String] = []
  /// Recipients are refused without AUTH.
  var needsLogin = false
  /// Messages stay in the spool; see `queued`.
  var onlyQueues = false

  init(users: [String]) { self.users = users }

  /// Every mechanism, TLS that asks for client certificates, and no mail from anybody who isn't known.
  static func needingLogin(_ accounts: [String: String]) throws -> EximOptions {
    let pki = try TestPKI.shared.get()
    var options = EximOptions(users: ["user"])
    var tls = TLS(pki[.ec], pki[.rsa])
    tls.clientCertificate = .ask
    tls.clientAuthorities = pki.roots
    options.tls = tls
    options.accounts = accounts
    options.mechanisms = mechanisms
    options.needsLogin = true
    return options
  }
}

final class Exim: Sendable {
  let server: RealServer
  private let folder: TemporaryFolder

  init(_ options: EximOptions) throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let path = folder.path
    for name in ["spool", "log", "mail", "tls", "program"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
    }
    let passwords = options.accounts.map { "\($0.key): \($0.value)\n" }.joined()
    try folder.write("passwords", passwords)
    let tls = try options.tls.map { try Exim.tlsLines($0, folder) } ?? ["tls_advertise_hosts ="]
    let lines = [Exim.main(options, path)] + tls + [Exim.rules(options, path)]
    let configuration = try folder.write("exim.conf", lines.joined(separator: "\n") + "\n")
    for name in ["spool", "log", "mail", "tls"] {
      try RealServer.command("chown", ["-R", "\(Exim.user.number)", "\(path)/\(name)"], package: "coreutils")
    }
    // From where it is unpacked, the user that it becomes may not be allowed to run it.
    var start = ServerStart(
      "\(try ServerRoom.unpacked("exim"))/usr/sbin/exim4", ["-bdf", "-C", configuration], package: "exim4-daemon-light")
    start.room.users = [Exim.user]
    start.room.places = [ServerRoom.Place(path: "\(path)/program", ours: try ServerRoom.unpacked("exim"))]
    start.ports = Exim.ports(options)
    server = try RealServer(start)
  }

  /// Waits for the messages of a mailbox, and takes them out.
  func messages(of user: String, count: Int) throws -> [[UInt8]] {
    try folder.takeMessages(of: "mail/\(user)", count: count) { log }
  }

  /// The header files of the messages that are in the spool.
  func queued() throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/spool/input").filter { $0.hasSuffix("-H") }
      .map { try folder.read("spool/input/\($0)") }
  }

  /// What it has said so far.
  var log: String {
    ["main", "reject", "panic"].compactMap { try? folder.read("log/\($0)log") }.map { String(decoding: $0, as: UTF8.self) }
      .joined()
  }
}

// MARK: configuration

extension Exim {
  /// The name is built into Debian's program.
  private static let user = ServerRoom.User(name: "Debian-exim", number: ServerRoom.firstNumber)

  private static func ports(_ options: EximOptions) -> [UInt16] {
    guard let tls = options.tls else { return [RealServer.port] }
    return [RealServer.port, RealServer.implicitPort] + tls.ports.keys + tls.clearPorts
  }

  private static func main(_ options: EximOptions, _ path: String) -> String {
    let implicit = [RealServer.implicitPort] + (options.tls?.implicitPorts ?? [])
    return """
      exim_path = \(path)/program/usr/sbin/exim4
      primary_hostname = mx.example.com
      spool_directory = \(path)/spool
      log_file_path = \(path)/log/%slog
      log_selector = +tls_cipher +tls_peerdn +tls_sni +tls_certificate_verified
      pid_file_path = \(path)/spool/pid
      local_interfaces = 127.0.0.1
      daemon_smtp_ports = \(list(ports(options) + (options.tls == nil ? [RealServer.implicitPort] : [])))
      tls_on_connect_ports = \(list(implicit))
      queue_only = \(options.onlyQueues)
      # Without the privileges of an installed Exim everything is one user's.
      deliver_drop_privilege = true
      keep_environment =
      add_environment = TZ=UTC
      host_lookup =
      rfc1413_hosts =
      message_size_limit = 0
      smtp_accept_max = 100
      smtp_accept_queue_per_connection = 0
      acl_smtp_rcpt = recipient
      acl_smtp_data = accept
      """
  }

  private static func list(_ ports: [UInt16]) -> String { ports.map { "\($0)" }.joined(separator: " : ") }

  private static func tlsLines(_ tls: EximOptions.TLS, _ folder: TemporaryFolder) throws -> [String] {
    // It reads them as its own user.
    let place = "\(folder.path)/tls"
    let identities = tls.identities + tls.ports.values
    let files = Set(identities.flatMap { [$0.chain, $0.key] } + [tls.clientAuthorities].compactMap(\.self))
    try RealServer.command("cp", files.sorted() + [place], package: "coreutils")
    let named = { (path: String) in "\(place)/\((path as NSString).lastPathComponent)" }
    let byPort = { (name: String, kind: String, file: (TestIdentity) -> String) in
      let usual = tls.identities.map { named(file($0)) }.joined(separator: " : ")
      guard !tls.ports.isEmpty else { return "\(name) = \(usual)" }
      let table = try folder.write("ports.\(kind)", tls.ports.map { "\($0.key): \(named(file($0.value)))\n" }.joined())
      return "\(name) = ${lookup{$received_port}lsearch{\(table)}{$value}{\(usual)}}"
    }
    let hidden = tls.clearPorts.map { "{={$received_port}{\($0)}}" }.joined()
    var lines = [
      hidden.isEmpty ? "tls_advertise_hosts = *" : "tls_advertise_hosts = ${if or{\(hidden)}{}{*}}",
      try byPort("tls_certificate", "chains", \.chain), try byPort("tls_privatekey", "keys", \.key),
    ]
    if let priorities = tls.priorities { lines.append("tls_require_ciphers = \(priorities)") }
    if let authorities = tls.clientAuthorities { lines.append("tls_verify_certificates = \(named(authorities))") }
    switch tls.clientCertificate {
    case .no: break
    case .ask: lines.append("tls_try_verify_hosts = *")
    case .require: lines.append("tls_verify_hosts = *")
    }
    return lines
  }

  private static func rules(_ options: EximOptions, _ path: String) -> String {
    let lookup = "lsearch{\(path)/passwords}{$value}fail"
    let right = { (user: String, password: String) in
      "${if eq{\(password)}{${lookup{\(user)}lsearch{\(path)/passwords}{$value}fail}}}"
    }
    let authenticators = [
      "CRAM-MD5": """
      driver = cram_md5
        server_secret = ${lookup{$auth1}\(lookup)}
        server_set_id = $auth1
      """,
      "PLAIN": """
      driver = plaintext
        server_prompts = :
        server_condition = \(right("$auth2", "$auth3"))
        server_set_id = $auth2
      """,
      "LOGIN": """
      driver = plaintext
        server_prompts = Username:: : Password::
        server_condition = \(right("$auth1", "$auth2"))
        server_set_id = $auth1
      """,
      // RFC 4422 appendix A: without an authorisation identity it is the certificate that says who the client is.
      "EXTERNAL": """
      driver = external
        server_advertise_condition = $tls_in_certificate_verified
        server_param2 = ${certextract {subj_altname,mail,>:}{$tls_in_peercert}}
        server_condition = ${if or{{eq{$auth1}{}} {forany{$auth2}{eq{$item}{$auth1}}}}}
        server_set_id = ${if eq{$auth1}{}{$auth2}{$auth1}}
      """,
    ]
    let offered = options.mechanisms.compactMap { name in
      authenticators[name].map { "a\(name.filter(\.isLetter).lowercased()):\n  public_name = \(name)\n  \($0)" }
    }
    return """
      begin acl
      recipient:
      \(options.needsLogin ? "  deny !authenticated = *\n    message = log in first" : "")
        accept domains = example.com
          verify = recipient
        deny message = relay not permitted
      begin routers
      users:
        driver = accept
        domains = example.com
        local_parts = \(options.users.joined(separator: " : "))
        transport = box
      begin transports
      box:
        driver = appendfile
        directory = \(path)/mail/$local_part_data
        maildir_format
        return_path_add
        user = \(user.name)
      begin authenticators
      """ + "\n" + offered.joined(separator: "\n")
  }
}
