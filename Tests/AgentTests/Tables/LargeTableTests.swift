// Look-ups in tables of any size, kept in memory or not, give what the slow reference gives.
import Foundation
import Support
import Testing

@testable import Agent

extension DomainTable {
  /// An answer in the words of the reference.
  func answer(_ name: [UInt8]) -> String {
    do throws(DeliveryFailure) {
      guard let entry = try entry(for: name) else { return "nothing" }
      return "\(entry.place.drop { $0 != ":" }.dropFirst()): \(entry.value.text), position \(entry.position)"
    } catch {
      let text = error.report.text.text
      guard text.contains(": a line of more than 65536 bytes. (#4.3.5)") else { return text }
      return "line \(text.drop { $0 != ":" }.dropFirst().prefix { $0 != ":" }) is too long"
    }
  }
}

@Suite struct LargeTableTests {
  static let styles: [RouteKeys] = [.dottedSuffixes, .bareDomains, .addressPrefixes, .senderParts]

  @Test("random tables, in memory and from a file", arguments: UInt64(0)..<8)
  func random(_ seed: UInt64) throws {
    let table = RandomTable(seed: seed, size: [70_000, 200_000][Int(seed % 2)])
    let folder = try TemporaryFolder()
    try folder.write("table", table.content)
    let control = ControlDirectory(path: bytes(folder.path))
    let reference = LookupReference(table.content)
    for style in LargeTableTests.styles {
      let inMemory = DomainTable(file: ControlFile(name: "table", bytes: table.content), keys: style)
      let inFile = try #require(try control.table("table", keys: style))
      for name in table.names {
        let expected = reference.answer(name, style)
        #expect(inMemory.answer(name) == expected, "\(style) \(name.text)")
        #expect(inFile.answer(name) == expected, "\(style) \(name.text)")
      }
    }
  }

  @Test("routes from large maps are those from the same maps in memory", arguments: Dialect.allCases, UInt64(0)..<3)
  func routes(_ dialect: Dialect, _ seed: UInt64) throws {
    let tables = ["smtproutes", "qmtproutes"].enumerated().map { index, name in
      (name, RandomTable(seed: 100 + 2 * seed + UInt64(index), size: 70_000))
    }
    let folder = try TemporaryFolder()
    for (name, table) in tables { try folder.write(name, table.content) }
    let controls = [
      ControlDirectory(path: bytes(folder.path)),
      ControlDirectory(files: Dictionary(uniqueKeysWithValues: tables.map { ($0, $1.content) })),
    ]
    for name in tables[0].1.names {
      for sender in ["s@x", ""] {
        let question = RouteQuestion(host: Domain(name), sender: Address(bytes(sender)), recipients: [])
        let answers = controls.map { control in
          Result { () throws(DeliveryFailure) in
            try RouteTable(control, dialect: dialect, environment: Environment()).route(for: question)
          }
        }
        #expect(answers[0] == answers[1], "\(dialect) \(name.text)")
      }
    }
  }

  private func table(_ content: String) -> DomainTable {
    DomainTable(file: ControlFile(name: "smtproutes", bytes: bytes(content)), keys: .dottedSuffixes)
  }

  @Test("a line that is too long stands in nobody's way but its own")
  func tooLong() throws {
    let long = String(repeating: "v", count: 70_000)
    let content = "a:\(long)\n#\(long)\n\(long)\nb:r\n\(long)\na:x:y\n.c:\(long)a:z\n"
    #expect(table(content).answer(bytes("b")) == "4: r, position 0")
    #expect(table(content).answer(bytes("a")) == "6: x:y, position 0")
    #expect(table(content).answer(bytes("b.c")) == "line 7 is too long")
    #expect(throws: DeliveryFailure.self) { try table(content).entry(for: bytes("b.c")) }
    #expect(table(content).answer(bytes("v")) == "nothing")
    // Whatever stands where it is too long already.
    #expect(table("[a:\(long)]:r\n").answer(bytes("[a")) == "line 1 is too long")
    #expect(table("[a:b]:r\n").answer(bytes("[a")) == "nothing")
  }

  @Test("several questions at once are answered as each by itself")
  func questions() throws {
    let content = "*:last\n!@:bounce\n.example:suffix\n:default\n*:again\n"
    let entries = try table(content).entries(for: [.key(bytes("*")), .name(bytes("a.example")), .key(bytes("!@")), .name([])])
    #expect(entries.map { $0?.value.text } == ["again", "suffix", "bounce", "default"])
    #expect(entries.map { $0?.position } == [0, 1, 0, 0])
    #expect(try table(content).entries(for: [.key(bytes("?")), .name(bytes("x"))]).map { $0?.value.text } == [nil, "default"])
  }

  @Test("a file that can't be read any more defers")
  func unreadable() throws {
    let folder = try TemporaryFolder()
    try folder.write("table", RandomTable(seed: 1, size: 70_000).content)
    let descriptor = open("\(folder.path)/table", O_WRONLY)
    var status = stat()
    #expect(fstat(descriptor, &status) == 0)
    let opened = OpenedFile(descriptor: FileDescriptor(owning: descriptor), identity: FileIdentity(status))
    let table = DomainTable(large: LargeTable(name: "table", opened), keys: .dottedSuffixes)
    #expect(table.answer(bytes("x")) == "Unable to read control files. (#4.3.0)\ncontrol/table: Bad file descriptor\n")
  }
}
