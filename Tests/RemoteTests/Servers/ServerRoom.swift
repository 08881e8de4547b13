// What a server sees of the machine differently from everybody else: users that its package would have made, and folders where its
// program insists on having them. In a mount namespace (mount_namespaces(7)) of its own, which goes with it.
import Foundation
import Support

struct ServerRoom: Sendable {
  struct User: Sendable {
    let name: String
    let number: Int
    var home = "/nonexistent"
  }

  /// A folder or file of ours in the place of another, which has to exist.
  struct Place: Sendable {
    let path: String
    let ours: String
  }

  /// With a group of the same name and number each.
  var users: [User] = []
  var places: [Place] = []

  /// Numbers from here on are nobody's on Debian (Debian Policy section 9.2.2).
  static let firstNumber = 65_000

  /// A command that runs another in the room.
  /// - Parameter folder: where the lists of users go.
  func wrap(_ command: [String], _ folder: TemporaryFolder) throws -> [String] {
    var places = places
    if !users.isEmpty {
      let accounts = users.map { "\($0.name):x:\($0.number):\($0.number)::\($0.home):/bin/false\n" }.joined()
      let groups = users.map { "\($0.name):x:\($0.number):\n" }.joined()
      for (file, lines) in [("passwd", accounts), ("group", groups)] {
        let all = try String(contentsOfFile: "/etc/\(file)", encoding: .utf8) + lines
        places.append(Place(path: "/etc/\(file)", ours: try folder.write("room/\(file)", all)))
      }
    }
    guard !places.isEmpty else { return command }
    return ["/usr/bin/python3", "-B", TestScripts.path("room.py")] + places.flatMap { [$0.ours, $0.path] } + ["--"] + command
  }

  /// A server that contrib/setup.sh has unpacked.
  static func unpacked(_ name: String) throws -> String {
    let path = (TestScripts.path("../../../.build/servers/\(name)") as NSString).standardizingPath
    guard FileManager.default.fileExists(atPath: path) else {
      throw SpawnFault(description: "\(path) is missing; contrib/setup.sh test makes it")
    }
    return path
  }
}

/// Whether a server asks for clients' certificates.
enum ClientCertificateWish: Sendable {
  case no, ask, require
}
