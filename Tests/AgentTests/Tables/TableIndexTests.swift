// The index of a large table: what it finds, when it is believed, who may have made it, and who makes it.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct TableIndexTests {
  // MARK: what it finds

  @Test("with an index everything is found as without", arguments: LargeTableTests.styles, UInt64(20)..<24)
  func equality(_ style: RouteKeys, _ seed: UInt64) throws {
    let scene = try IndexScene(seed: seed, size: [70_000, 300_000][Int(seed % 2)], style: style)
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    #expect(try scene.answers() == scene.expected())
  }

  @Test("routes by an index are those of the table, and the same in each dialect", arguments: Dialect.allCases)
  func routes(_ dialect: Dialect) throws {
    let scene = try IndexScene(seed: 30, style: dialect == .skarnet ? .bareDomains : .dottedSuffixes)
    func routes(_ control: ControlDirectory) -> [Result<Route?, DeliveryFailure>] {
      scene.table.names.flatMap { name in
        ["", "s@x"].map { sender in
          let question = RouteQuestion(host: Domain(name), sender: Address(bytes(sender)), recipients: [])
          return Result { () throws(DeliveryFailure) in
            try RouteTable(control, dialect: dialect, environment: Environment()).route(for: question)
          }
        }
      }
    }
    let expected = routes(ControlDirectory(files: [IndexScene.name: scene.table.content]))
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    #expect(routes(scene.control(dialect)) == expected)
    #expect(expected.contains { (try? $0.get()) != nil })
  }

  @Test("of a thousand equal keys the last line wins")
  func duplicates() throws {
    let scene = try IndexScene()
    var lines = (0..<1_000).map { "Dup.example:relay\($0)\n" }.joined()
    lines += (0..<3_000).map { "h\($0).example:relay.example.net\n" }.joined()
    try scene.folder.write("control/smtproutes", lines)
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    let table = try scene.control().table("smtproutes", keys: .dottedSuffixes)
    #expect(table?.answer(bytes("dup.EXAMPLE")) == "1000: relay999, position 0")
  }

  // MARK: when it is believed

  @Test(
    "another version of the table is another table",
    arguments: [
      "append", "rewrite in place", "replace by a file of the same size and time", "times of before", "truncate", "mode",
    ])
  func staleness(_ change: String) throws {
    let scene = try IndexScene()
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    let path = "\(scene.folder.path)/control/smtproutes"
    var before = stat()
    #expect(stat(path, &before) == 0)
    var content = scene.table.content
    let line = bytes("\nx:changed\n")
    switch change {
    case "append": content += line
    case "truncate": content.removeLast(200)
    case "mode": break
    default: content.replaceSubrange((content.count - line.count)..., with: line)
    }
    switch change {
    case "mode": chmod(path, 0o600)
    case "replace by a file of the same size and time":
      try scene.folder.write("control/new", content)
      rename("\(scene.folder.path)/control/new", path)
    default:
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.truncate(atOffset: UInt64(content.count))
      try file.seek(toOffset: 0)
      try file.write(contentsOf: content)
    }
    var times = [before.st_atim, before.st_mtim]
    if change.contains("time") { #expect(utimensat(AT_FDCWD, path, &times, 0) == 0) }
    #expect(try scene.isIndexUsed().allSatisfy { !$0 })
    #expect(try scene.answers() == scene.expected(content))
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
    #expect(try scene.answers() == scene.expected(content))
  }

  /// Where an index is hit.
  enum Damage: String, CaseIterable, Sendable {
    case head, records, tables, end, anywhere

    func places(in index: [UInt8]) throws -> Range<Int> {
      let tables = Int(try #require(index.little32(at: 0)))
      return switch self {
      case .head: 0..<TableIndexLayout.head
      case .records: TableIndexLayout.head..<tables
      case .tables: tables..<index.count
      case .end, .anywhere: 0..<index.count
      }
    }
  }

  @Test("an index that is damaged is noticed where it matters, and made anew", arguments: Damage.allCases, UInt64(0)..<3)
  func damage(_ damage: Damage, _ seed: UInt64) throws {
    let scene = try IndexScene(seed: 3)
    try scene.deliver()
    let expected = scene.expected()
    let index = try scene.index()
    let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: index)))
    let places = try damage.places(in: good)
    var generator = SeededGenerator(seed: seed)
    for round in 0..<6 {
      var bad = good
      let place = Int.random(in: places, using: &generator)
      switch (damage, round % 3) {
      case (.end, 0): bad.append(0)
      case (.end, _): bad.removeLast(good.count - place)
      case (_, 0): bad[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case (_, 1):
        for place in place..<min(place + 4_096, places.upperBound) { bad[place] = 0 }
      // So many that most look-ups meet one; in the head one would do.
      default:
        for _ in 0..<(places.count / 20) {
          bad[Int.random(in: places, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
      }
      try Data(bad).write(to: URL(fileURLWithPath: index))
      chmod(index, 0o600)
      #expect(try scene.answers() == expected, "seed \(seed), round \(round)")
    }
    try Data(good.prefix(good.count / 2)).write(to: URL(fileURLWithPath: index))
    try scene.deliver()
    #expect(try scene.isIndexUsed().allSatisfy(\.self))
  }

  @Test("an index that leads to other lines is not believed")
  func lies() throws {
    let scene = try IndexScene(seed: 7)
    try scene.deliver()
    let index = try scene.index()
    // That of the same lines in another order, stamped as if it were this table's.
    let other = try IndexScene(seed: 7)
    let shuffled = Array(scene.table.content.split(separator: 10).reversed().joined(separator: [10]))
    try other.folder.write("control/smtproutes", shuffled)
    try other.deliver()
    let foreign = try Array(Data(contentsOf: URL(fileURLWithPath: other.index())))
    var status = stat()
    #expect(stat("\(scene.folder.path)/control/smtproutes", &status) == 0)
    let head = try #require(
      TableIndex.head(
        like: Array(foreign.prefix(TableIndexLayout.head)), of: FileIdentity(status), folds: true, size: foreign.count))
    try Data(head + foreign.dropFirst(head.count)).write(to: URL(fileURLWithPath: index))
    #expect(try scene.isIndexUsed().contains(false))
    #expect(try scene.answers() == scene.expected())
  }

  @Test("case counts in one dialect and not in the others: an index is for one of both")
  func caseOfKeys() throws {
    let scene = try IndexScene(seed: 8)
    try scene.deliver()
    let exact = KeyAnswers([.name(bytes("MAIL.example"))], .bareDomains)
    let control = scene.control()
    let path = "\(scene.folder.path)/control/smtproutes"
    var status = stat()
    #expect(stat(path, &status) == 0)
    let opened = OpenedFile(descriptor: FileDescriptor(owning: open(path, O_RDONLY)), identity: FileIdentity(status))
    #expect(control.indexes?.answer(exact, LargeTable(name: "smtproutes", opened)) == nil)
  }
}
