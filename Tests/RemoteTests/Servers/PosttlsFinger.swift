// posttls-finger(1), Postfix' client that only looks at a server's TLS: another opinion on policies and certificates.
import Foundation
import Support

enum PosttlsFinger {
  /// Runs it in the network of the calling thread.
  /// - Parameter nameServer: the address of the resolver, at port 53; nil for the machine's own.
  /// - Returns: all that it prints.
  static func run(_ operands: [String], nameServer: String? = nil) throws -> String {
    let folder = try TemporaryFolder()
    var room = ServerRoom()
    if let nameServer {
      let ours = try folder.write("resolv.conf", "nameserver \(nameServer)\n")
      room.places.append(ServerRoom.Place(path: "/etc/resolv.conf", ours: ours))
    }
    // It doesn't start without a main.cf, and waits until one that somebody may still be writing is two seconds old.
    let settings = try folder.write("main.cf", "compatibility_level = 3.6\n")
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: settings)
    let command = try room.wrap(["/usr/sbin/posttls-finger"] + operands, folder)
    var start = ProgramStart(command[0], Array(command.dropFirst()))
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "MAIL_CONFIG": folder.path]
    start.input = .file("/dev/null")
    start.errors = .sameAsOutput
    return String(decoding: try SpawnedProcess(start).finish(within: 60).output, as: UTF8.self)
  }
}
