// Which tables have an index, where it is kept, and when it is made anew. Making one takes time, so it is done when the reports of a
// delivery are out, and by one delivery only. Knows no table's meaning.
internal import CSystem

/// The indexes of one control directory.
final class TableIndexes {
  /// A table whose index is missing or of no use.
  private struct Wanted {
    let table: LargeTable
    let folds: Bool
    /// The file that is of no use; nil when there is none.
    let useless: UInt64?
  }

  /// What the files of an index are called.
  private struct Names {
    let index: String
    let lock: String
  }

  private let control: Bytes
  private let dialect: Dialect
  private let run: RunDirectory
  private lazy var folder = TrustedFolder(run.path)
  private var wanted: [Wanted] = []

  /// Nothing is opened before a large table is looked into.
  init(control: Bytes, dialect: Dialect, _ run: RunDirectory) {
    self.control = control
    self.dialect = dialect
    self.run = run
  }

  /// Answers questions by the index of a table.
  /// - Returns: nil when there is none that can be believed.
  func answer(_ answers: KeyAnswers, _ table: LargeTable) -> KeyAnswers? {
    guard let folder else { return nil }
    var useless: UInt64?
    for style in styles(of: table) {
      guard let file = folder.open(names(table, style).index) else { continue }
      useless = file.identity.inode
      guard let index = TableIndex(file, of: table.identity, folds: answers.folds) else { continue }
      if let answered = TableIndexes.answer(answers, table, index) { return answered }
      break
    }
    wanted.append(Wanted(table: table, folds: answers.folds, useless: useless))
    return nil
  }

  private static func answer(_ answers: KeyAnswers, _ table: LargeTable, _ index: borrowing TableIndex) -> KeyAnswers? {
    var answers = answers
    for (number, key) in answers.keys.enumerated() where answers.wants(number) {
      switch index.find(key) {
      case .nothing: break
      case .damaged: return nil
      case .line(let offset, let lineNumber):
        guard let line = table.line(at: offset, lineNumber, key: key, folds: answers.folds) else { return nil }
        answers.take(line, key: number)
      }
    }
    return answers
  }
}

// MARK: making

extension TableIndexes {
  /// A file that was changed within this time may be changed again without its times telling, where a clock is coarse.
  private static let settlingTime: Int64 = 2
  /// After a failure, the same version of a table is left alone for so many seconds.
  private static let pause: Int64 = 3_600

  /// Makes the indexes that were wanted and missing. Another process that is at it is left to it.
  /// - Parameter now: seconds since 1970.
  func update(now: Int64) {
    guard let folder else { return }
    for wish in wanted where now - (wish.table.identity.changed.first ?? now) >= TableIndexes.settlingTime {
      guard let style = styles(of: wish.table).first else { continue }
      guard let lock = folder.lock(names(wish.table, style).lock), !isMade(wish), !hasFailed(wish, lock, now) else { continue }
      make(wish, lock)
    }
    wanted = []
  }

  /// Whether somebody was quicker.
  private func isMade(_ wish: Wanted) -> Bool {
    for style in styles(of: wish.table) {
      guard let file = folder?.open(names(wish.table, style).index), file.identity.inode != wish.useless else { continue }
      if TableIndex(file, of: wish.table.identity, folds: wish.folds) != nil { return true }
    }
    return false
  }

  /// The lock's file tells which version somebody began with: if it is still there, that came to no good end.
  private func hasFailed(_ wish: Wanted, _ lock: borrowing OpenedFile, _ now: Int64) -> Bool {
    let mark = FileDescriptor.read(lock.descriptor.number, at: 0, limit: FileIdentity.size)
    return mark == wish.table.identity.bytes && now - (lock.identity.modified.first ?? 0) < TableIndexes.pause
  }

  private func make(_ wish: Wanted, _ lock: borrowing OpenedFile) {
    let mark = wish.table.identity.bytes
    let written = unsafe mark.withUnsafeBytes { unsafe csys_pwrite(lock.descriptor.number, $0.baseAddress, $0.count, 0) }
    guard written == mark.count else { return }
    let candidates = styles(of: wish.table)
    guard let style = candidates.first(where: { $0 == .own || SkarnetRoute.fit(wish.table) }) else { return }
    var isMade = false
    folder?.replace(names(wish.table, style).index) { descriptor in
      isMade = TableIndexMaker.make(wish.table, folds: wish.folds, style, descriptor: descriptor)
      return isMade
    }
    if isMade { _ = ftruncate(lock.descriptor.number, 0) }
  }
}

// MARK: names

extension TableIndexes {
  /// In which forms the index of a table can be, the one to look for first. skarnet's program looks into the file of its form for the
  /// smtproutes of its own control directory, and believes what it finds there.
  private func styles(of table: LargeTable) -> [TableIndexStyle] {
    let isTheirs = dialect == .skarnet && table.name == "smtproutes" && control == dialect.home + Bytes("/control")
    return isTheirs ? [.skarnet, .own] : [.own]
  }

  /// Both forms of one table share skarnet's lock.
  private func names(_ table: LargeTable, _ style: TableIndexStyle) -> Names {
    if style == .skarnet { return Names(index: "smtproutes.cdb", lock: "smtproutes.lock") }
    // Two control directories can have one run directory.
    let path = table.name.hasPrefix("/") ? Bytes(table.name) : control + Bytes("/\(table.name)")
    let last = table.name.split(separator: "/").last ?? ""
    let shown = last.prefix(64).map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }
    let name = "\(String(shown))-\(String(path.checksum, radix: 16)).cdb"
    return Names(index: name, lock: styles(of: table).count > 1 ? "smtproutes.lock" : "\(name).lock")
  }
}
