// The file that skarnet's program keeps compiled routes in: when we write it, and what that program finds in it.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct SkarnetRoutesTests {
  private static let relay = "relay." + String(repeating: "of-some-length.", count: 4) + "example.net"
  private static let filler = (0..<1_000).map { "h\($0).example:\(relay)\n" }.joined()

  private func scene(_ content: String) throws -> IndexScene { try IndexScene(RandomTable(content: bytes(content))) }

  /// A delivery in skarnet's dialect.
  private func deliver(_ scene: IndexScene, control: String = "/var/qmail/control", dialect: Dialect = .skarnet) throws
    -> DomainTable.Entry?
  {
    let path = "\(scene.folder.path)/control/smtproutes"
    var status = stat()
    try #require(stat(path, &status) == 0)
    let indexes = TableIndexes(
      control: bytes(control), dialect: dialect, RunDirectory(dialect, Environment([RunDirectory.variable: scene.run])))
    let opened = OpenedFile(descriptor: FileDescriptor(owning: open(path, O_RDONLY)), identity: FileIdentity(status))
    let table = DomainTable(large: LargeTable(name: "smtproutes", opened, indexes), keys: .bareDomains)
    let entry = try table.entry(for: bytes("mail.a.example"))
    indexes.update(now: Int64(status.st_ctim.tv_sec) + 2)
    return entry
  }

  private func value(_ scene: IndexScene, _ key: String) throws -> [UInt8]? {
    let descriptor = open("\(scene.run)/smtproutes.cdb", O_RDONLY)
    try #require(descriptor >= 0)
    return try ConstantDatabase(FileDescriptor(owning: descriptor), place: "smtproutes.cdb").value(bytes(key) + [0])
  }

  @Test("every line fits: keys, ports and relays as that program looks them up")
  func fits() throws {
    let lines = "# a comment\n\na.example:first:26\na.example:second\n.b:c\n:default:65535\nE:\n!@:bounce\n"
    let scene = try scene(lines + Self.filler)
    for _ in 0..<2 {
      let entry = try #require(try deliver(scene))
      // Ours is the last of equals, by the table and then by the index.
      #expect(entry.value.text == "second" && entry.place == "control/smtproutes:4")
    }
    #expect(try scene.kept() == ["smtproutes.cdb", "smtproutes.lock"])
    #expect(try value(scene, "a.example") == [0, 26] + bytes("first") + [0])
    #expect(try value(scene, ".b") == [0, 25] + bytes("c") + [0])
    #expect(try value(scene, "") == [255, 255] + bytes("default") + [0])
    #expect(try value(scene, "E") == [0, 25, 0])
    #expect(try value(scene, "e") == nil)
    #expect(try value(scene, "h999.example") == [0, 25] + bytes(Self.relay) + [0])
  }

  @Test(
    "one line that doesn't fit, and the file is our own",
    arguments: [
      "a:b:0", "a:b:65536", "a:b:", "a:b:x", "a: b", "a:b ", "a b:c", "a", "a:b\r", "[192.0.2.1]:b", "a:[192.0.2.1]", "a:b|u|p",
      "a:b;26", "a::26", "a:b\0c:d", "#no\u{e9}\n\u{e9}:b",
    ])
  func doesNotFit(_ line: String) throws {
    let scene = try scene(Self.filler + line + "\na.example:r\n")
    #expect(try deliver(scene)?.value.text == "r")
    #expect(try !scene.kept().contains("smtproutes.cdb"))
    #expect(try scene.kept().count == 2)
    #expect(try deliver(scene)?.value.text == "r")
  }

  @Test(
    "nor for another control directory or dialect",
    arguments: [("/etc/other", Dialect.skarnet), ("/var/qmail/control", .stock)])
  func elsewhere(_ control: String, _ dialect: Dialect) throws {
    let scene = try scene(Self.filler)
    _ = try deliver(scene, control: control, dialect: dialect)
    #expect(try scene.kept().count == 2 && !scene.kept().contains("smtproutes.cdb"))
  }

  @Test("what that program has made itself is not believed, but replaced")
  func theirs() throws {
    let scene = try scene("a.example:r\n" + Self.filler)
    let descriptor = open("\(scene.run)/smtproutes.cdb", O_RDWR | O_CREAT, 0o600)
    let maker = try ConstantDatabaseMaker(descriptor: descriptor)
    try maker.add(bytes("a.example") + [0], [0, 25] + bytes("wrong") + [0])
    try maker.finish()
    close(descriptor)
    #expect(try deliver(scene)?.value.text == "r")
    #expect(try value(scene, "a.example") == [0, 25] + bytes("r") + [0])
  }
}
