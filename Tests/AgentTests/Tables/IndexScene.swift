// A control directory with a large table, a run directory beside it, and deliveries that look into both.
import Foundation
import Support

@testable import Agent

final class IndexScene: Sendable {
  let folder: TemporaryFolder
  let table: RandomTable
  let style: RouteKeys

  static let name = "smtproutes"

  convenience init(seed: UInt64 = 1, size: Int = 70_000, style: RouteKeys = .dottedSuffixes) throws {
    try self.init(RandomTable(seed: seed, size: size), style: style)
  }

  init(_ table: RandomTable, style: RouteKeys = .dottedSuffixes) throws {
    self.table = table
    self.style = style
    folder = try TemporaryFolder()
    try folder.write("control/\(IndexScene.name)", table.content)
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: false)
    chmod(run, 0o700)
  }

  var run: String { "\(folder.path)/run" }

  /// One delivery's control directory.
  func control(_ dialect: Dialect = .stock) -> ControlDirectory {
    let path = bytes("\(folder.path)/control")
    let control = ControlDirectory(path: path)
    let environment = Environment([RunDirectory.variable: run])
    control.indexes = TableIndexes(control: path, dialect: dialect, RunDirectory(dialect, environment))
    return control
  }

  /// Seconds since 1970, long enough after the last change of the table.
  func later() throws -> Int64 {
    var status = stat()
    guard stat("\(folder.path)/control/\(IndexScene.name)", &status) == 0 else { throw POSIXError(.ENOENT) }
    return Int64(status.st_ctim.tv_sec) + 2
  }

  /// What a delivery would find for each name.
  func answers(_ control: ControlDirectory? = nil) throws -> [String] {
    let table = try (control ?? self.control()).table(IndexScene.name, keys: style)
    return self.table.names.map { table?.answer($0) ?? "no table" }
  }

  /// What it has to find.
  func expected(_ content: [UInt8]? = nil) -> [String] {
    let reference = LookupReference(content ?? table.content)
    return table.names.map { reference.answer($0, style) }
  }

  /// A delivery from its look-up to what it does when its reports are out.
  func deliver(at now: Int64? = nil) throws {
    let control = control()
    // The line may be one that can't be used.
    _ = try? control.table(IndexScene.name, keys: style)?.entry(for: bytes("x"))
    control.updateIndexes(now: try now ?? later())
  }

  /// For each name, whether the index is believed.
  func isIndexUsed() throws -> [Bool] {
    let control = control()
    let descriptor = open("\(folder.path)/control/\(IndexScene.name)", O_RDONLY)
    var status = stat()
    fstat(descriptor, &status)
    let opened = OpenedFile(descriptor: FileDescriptor(owning: descriptor), identity: FileIdentity(status))
    let table = LargeTable(name: IndexScene.name, opened, control.indexes)
    return table.names(self.table.names, style).map { control.indexes?.answer($0, table) != nil }
  }

  /// The files of the run directory.
  func kept() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: run).sorted() }

  /// The path of the index.
  func index() throws -> String {
    guard let name = try kept().first(where: { $0.hasSuffix(".cdb") }) else { throw POSIXError(.ENOENT) }
    return "\(run)/\(name)"
  }
}

extension LargeTable {
  fileprivate func names(_ names: [[UInt8]], _ style: RouteKeys) -> [KeyAnswers] {
    names.map { KeyAnswers([.name($0)], style) }
  }
}
