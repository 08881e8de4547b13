// An OpenSMTPD with a configuration, a queue and mailboxes of its own, all in one folder.
import Foundation
import Support

/// What an OpenSMTPD is to be.
struct OpenSMTPDOptions: Sendable {
  struct TLS: Sendable {
    /// With an RSA key: what Debian has can't do with others.
    var identity: TestIdentity
    /// `require`: no mail in clear, and none without a certificate from `clientAuthorities`. It can't just ask for one.
    var clientCertificate = ClientCertificateWish.no
    /// A file.
    var clientAuthorities: String?

    init(_ identity: TestIdentity) { self.identity = identity }
  }

  static let mechanisms = ["PLAIN", "LOGIN"]

  /// Those who have a mailbox at example.com.
  var users: [String]
  var tls: TLS?
  /// Passwords by name; both mechanisms are offered if there are any, in TLS only.
  var accounts: [String: String] = [:]
  /// Mail is refused without AUTH.
  var needsLogin = false

  init(users: [String]) { self.users = users }
}

final class OpenSMTPD: Sendable {
  let server: RealServer
  private let folder: TemporaryFolder

  init(_ options: OpenSMTPDOptions) throws {
    folder = try TemporaryFolder()
    let path = folder.path
    for name in ["mail", "lib/opensmtpd/empty", "spool", "run"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
    }
    try RealServer.command("chown", ["\(OpenSMTPD.owner.number)", "\(path)/mail"], package: "coreutils")
    try folder.write(
      "users", options.users.map { "\($0) \(OpenSMTPD.owner.number):\(OpenSMTPD.owner.number):\(path)/mail\n" }.joined())
    try folder.write("passwords", try options.accounts.map { "\($0.key) \(try OpenSMTPD.hash($0.value))\n" }.joined())
    if let authorities = options.tls?.clientAuthorities {
      // One of its processes reads it, which isn't root's.
      try folder.write("clients.pem", Array(try Data(contentsOf: URL(fileURLWithPath: authorities))))
    }
    let configuration = try folder.write("smtpd.conf", OpenSMTPD.lines(options, path).map { $0 + "\n" }.joined())
    let programs = try ServerRoom.unpacked("opensmtpd")
    var start = ServerStart("\(programs)/usr/sbin/smtpd", ["-d", "-f", configuration], package: "opensmtpd")
    start.room.users = [OpenSMTPD.owner] + OpenSMTPD.staff
    start.room.places = [
      ServerRoom.Place(path: "/usr/libexec", ours: "\(programs)/usr/libexec"),
      ServerRoom.Place(path: "/var/lib", ours: "\(path)/lib"), ServerRoom.Place(path: "/var/spool", ours: "\(path)/spool"),
      ServerRoom.Place(path: "/run", ours: "\(path)/run"),
    ]
    start.ports = [RealServer.port] + (options.tls == nil ? [] : [RealServer.implicitPort])
    start.log = "\(path)/log"
    start.environment["LD_PRELOAD"] = try OpenSMTPD.repair(folder)
    server = try RealServer(start)
  }

  /// Waits for the messages of a mailbox, and takes them out.
  func messages(of user: String, count: Int) throws -> [[UInt8]] {
    try folder.takeMessages(of: "mail/\(user)", count: count) { log }
  }

  /// What it has said so far.
  var log: String { (try? folder.read("log")).map { String(decoding: $0, as: UTF8.self) } ?? "no log" }
}

// MARK: configuration

extension OpenSMTPD {
  private static let owner = ServerRoom.User(name: "mailboxes", number: ServerRoom.firstNumber)
  /// The names are built into Debian's program.
  private static let staff = [
    ServerRoom.User(name: "opensmtpd", number: ServerRoom.firstNumber + 1),
    ServerRoom.User(name: "opensmtpq", number: ServerRoom.firstNumber + 2),
  ]

  private static func lines(_ options: OpenSMTPDOptions, _ path: String) -> [String] {
    var lines = ["table users file:\(path)/users", "table passwords file:\(path)/passwords", "smtp max-message-size 100M"]
    let listen = { (port: UInt16, words: String) in
      lines.append("listen on 127.0.0.1 port \(port) hostname mx.example.com \(words)")
    }
    if let tls = options.tls {
      lines += ["pki one cert \"\(tls.identity.chain)\"", "pki one key \"\(tls.identity.key)\""]
      var words = "pki one"
      if tls.clientAuthorities != nil {
        lines.append("ca clients cert \"\(path)/clients.pem\"")
        words += " ca clients"
      }
      if !options.accounts.isEmpty { words += " \(options.needsLogin ? "auth" : "auth-optional") <passwords>" }
      listen(RealServer.port, (tls.clientCertificate == .require ? "tls-require verify " : "tls ") + words)
      listen(RealServer.implicitPort, (tls.clientCertificate == .require ? "smtps verify " : "smtps ") + words)
    } else {
      listen(RealServer.port, "")
    }
    lines.append("action \"box\" maildir \"\(path)/mail/%{user.username}\" userbase <users>")
    lines.append("match from any for domain \"example.com\" action \"box\"")
    return lines
  }

  /// As crypt(3) gives it.
  private static func hash(_ password: String) throws -> String {
    var start = ProgramStart("/usr/bin/openssl", ["passwd", "-6", "-stdin"])
    start.input = .pipe(Array(password.utf8))
    let finished = try SpawnedProcess(start).finish(within: 20)
    guard finished.ending == .exited(0) else { throw SpawnFault(description: "openssl passwd: \(visible(finished.errors))") }
    return String(decoding: finished.output.dropLast(), as: UTF8.self)
  }

  /// A library to be loaded before all others.
  ///
  /// This OpenSMTPD notes at a key which one it is, so that the process that has the private keys can be asked. OpenSSL 3 makes a copy of
  /// the key, without the note, and every handshake fails ("missing private key"). There is one key here: so it is the one.
  private static func repair(_ folder: TemporaryFolder) throws -> String {
    let source = try folder.write(
      "repair.c",
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <stddef.h>

      static void *noted;

      int RSA_set_ex_data(void *key, int index, void *note) {
        int (*set)(void *, int, void *) = dlsym(RTLD_NEXT, "RSA_set_ex_data");
        if (note != NULL) noted = note;
        return set(key, index, note);
      }

      void *RSA_get_ex_data(const void *key, int index) {
        void *(*get)(const void *, int) = dlsym(RTLD_NEXT, "RSA_get_ex_data");
        void *note = get(key, index);
        return note == NULL ? noted : note;
      }

      """)
    let library = "\(folder.path)/repair.so"
    try RealServer.command("gcc", ["-shared", "-fPIC", "-o", library, source], package: "gcc")
    return library
  }
}
