// Mail servers of other people, each in a network of its own: so the port can be a fixed one, and tests don't meet.
import Foundation
import Support

/// A server process on the loopback address of its own network.
final class RealServer: Sendable {
  let network: NetworkNamespace
  private let process: SpawnedProcess
  private let programs: String

  static let port: UInt16 = 2_525

  /// Starts a program and waits until it takes connections.
  /// - Parameter package: the Debian package that the program comes from.
  init(_ program: String, _ operands: [String], ports: [UInt16] = [RealServer.port], package: String) throws {
    programs = program
    let network = try NetworkNamespace()
    self.network = network
    // A server that outlives its test, because that crashed, shouldn't do so for long.
    var start = ProgramStart("/usr/bin/timeout", ["--kill-after=5", "300", program] + operands)
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"]
    start.input = .file("/dev/null")
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw SpawnFault(description: "\(program) is missing; it is in the package \(package)")
    }
    process = try network.run { [start] in try SpawnedProcess(start) }
    let isUp = try network.run { [process] in
      eventually { process.isOver || ports.allSatisfy(RealServer.accepts) }
    }
    guard isUp, !process.isOver else {
      process.send(signal: SIGKILL)
      let finished = process.finish(within: 5)
      throw SpawnFault(description: "\(program) doesn't run: \(visible(finished.errors)) \(visible(finished.output))")
    }
  }

  /// Delivers in the server's network.
  func run(_ remote: Remote) throws -> FinishedProcess { try network.run { try remote.run() } }

  func stop() throws {
    process.send(signal: SIGTERM)
    guard process.finish(within: 20).ending != .tookTooLong else {
      throw SpawnFault(description: "\(programs) doesn't stop")
    }
  }

  /// For a test that fails before it stops the server.
  deinit { process.send(signal: SIGTERM) }

  private static func accepts(_ port: UInt16) -> Bool {
    guard let name = try? SocketName("127.0.0.1", port) else { return false }
    let descriptor = socket(name.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    return name.connect(descriptor)
  }
}

/// A Postfix with a configuration, a queue and mailboxes of its own, all in one folder.
final class Postfix: Sendable {
  let server: RealServer
  private let folder: TemporaryFolder

  /// What a port's smtpd doesn't offer.
  static let ports: [UInt16: String] = [2_525: "", 2_526: "chunking", 2_527: "chunking,pipelining"]
  private static let daemons = "/usr/lib/postfix/sbin"

  /// - Parameter users: those who have a mailbox at example.com.
  init(users: [String]) throws {
    folder = try TemporaryFolder()
    let path = folder.path
    try folder.write("etc/main.cf", Postfix.main(path))
    try folder.write("etc/master.cf", Postfix.master)
    try folder.write("etc/recipients", users.map { "\($0)@example.com \($0)/\n" }.joined())
    for name in ["queue", "data", "mail"] {
      try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
    }
    try Postfix.command("chown", "nobody", "\(path)/mail")
    try Postfix.command("chown", "postfix", "\(path)/data")
    // Makes the queue's folders.
    try Postfix.command("/usr/sbin/postfix", "-c", "\(path)/etc", "check")
    server = try RealServer(
      "\(Postfix.daemons)/master", ["-c", "\(path)/etc", "-d"], ports: Array(Postfix.ports.keys), package: "postfix")
  }

  /// Waits for the messages of a mailbox, and takes them out.
  func messages(of user: String, count: Int) throws -> [[UInt8]] {
    let box = "\(folder.path)/mail/\(user)/new"
    var names: [String] = []
    guard
      eventually({
        names = (try? FileManager.default.contentsOfDirectory(atPath: box)) ?? []
        return names.count >= count
      })
    else { throw SpawnFault(description: "\(names.count) messages for \(user) instead of \(count): \(log)") }
    return try names.sorted().map { name in
      let message = try folder.read("mail/\(user)/new/\(name)")
      try FileManager.default.removeItem(atPath: "\(box)/\(name)")
      return message
    }
  }

  /// For a failure's message.
  private var log: String { (try? folder.read("log")).map { String(decoding: $0.suffix(2_000), as: UTF8.self) } ?? "no log" }

  private static func command(_ program: String, _ operands: String...) throws {
    var start = ProgramStart(program, operands)
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    start.input = .file("/dev/null")
    let finished = try SpawnedProcess(start).finish(within: 30)
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "\(program) \(operands): \(visible(finished.errors)) (package postfix)")
    }
  }

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
    """ + "\n"
  }

  private static let master =
    ports.sorted { $0.key < $1.key }.map { port, withheld in
      "127.0.0.1:\(port) inet n - n - - smtpd\n  -o smtpd_discard_ehlo_keywords=\(withheld)\n"
    }.joined() + """
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
      """ + "\n"
}
