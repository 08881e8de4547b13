// The control directory: which files it has, and their lines by qmail's reading rules. Knows no file's meaning.
internal import CSystem

/// One control file, read whole.
public struct ControlFile: Sendable {
  /// For reports: `control/smtproutes`, or the variable.
  public let place: String
  public let bytes: Bytes
  /// The value of a variable is one line, whatever it holds.
  private let isOneLine: Bool

  /// - Parameter name: below the control directory, or a path.
  public init(name: String, bytes: Bytes) {
    place = ControlFile.place(name)
    self.bytes = bytes
    isOneLine = false
  }

  /// A variable that stands in for a file.
  init(variable: String, value: Bytes) {
    place = "\(ControlFile.variablePrefix)\(variable)"
    bytes = value
    isOneLine = true
  }

  private static let variablePrefix = "the variable "

  /// Whether a place is a variable's.
  static func isVariable(_ place: String) -> Bool { place.hasPrefix(variablePrefix) }

  static func place(_ name: String) -> String { name.hasPrefix("/") || name.hasPrefix(".") ? name : "control/\(name)" }

  /// For reports: `control/smtproutes:3`.
  package func place(line number: Int) -> String { isOneLine ? place : "\(place):\(number)" }

  /// The first line without the blanks at its end. Leading blanks count, `#` is not special (qmail-control(5)).
  public var firstLine: ArraySlice<UInt8> {
    bytes[..<(bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex)].trimmedAtEnd
  }

  /// Every line that says something: blanks at the end are removed, empty lines and lines that start with `#` are dropped. The
  /// last line need not end in a line feed. A null byte divides lines as a line feed does.
  public func forEachLine(_ body: (_ number: Int, _ line: ArraySlice<UInt8>) -> Void) {
    if isOneLine { return body(1, bytes[...]) }
    var number = 1
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "\n") || $0 == 0 } ?? bytes.endIndex
      let line = bytes[start..<end].trimmedAtEnd
      if let first = line.first, first != UInt8(ascii: "#") { body(number, line) }
      if end < bytes.endIndex, bytes[end] != 0 { number += 1 }
      start = end + 1
    }
  }

  /// Looks for lines with the keys of some questions.
  func search(for answers: inout KeyAnswers) throws(DeliveryFailure) {
    if bytes.isEmpty { return }
    let keys = try LineKeys(answers.keys, folds: answers.folds)
    if isOneLine {
      guard let key = keys.key(of: bytes) else { return }
      return answers.take(.init(number: 1, text: bytes[...], isTooLong: false), key: key)
    }
    try LineSearch(keys: keys).lines(of: bytes) { answers.take($0) }
  }

  public var lines: [(number: Int, text: ArraySlice<UInt8>)] {
    var lines: [(number: Int, text: ArraySlice<UInt8>)] = []
    forEachLine { lines.append(($0, $1)) }
    return lines
  }
}

/// The files of one control directory. Its listing is read once: most of the files a delivery asks for don't exist, and a name in a
/// list costs less than a failed open.
public final class ControlDirectory {
  private enum Contents {
    case folder(descriptor: Int32, names: NameList?)
    case missing
    case memory([String: Bytes])
  }

  public let path: Bytes
  private let contents: Contents
  /// Of the large tables; set as soon as the dialect is known.
  var indexes: TableIndexes?

  public init(path: Bytes) {
    self.path = path
    let descriptor = unsafe (path + [0]).withUnsafeBytes { bytes -> Int32 in
      guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe csys_open(start, O_RDONLY | O_DIRECTORY)
    }
    contents = descriptor >= 0 ? .folder(descriptor: descriptor, names: ControlDirectory.names(in: descriptor)) : .missing
  }

  /// A directory that exists in memory only, for tests and for plans of what would be.
  public init(files: [String: Bytes]) {
    path = Bytes("memory")
    contents = .memory(files)
  }

  deinit {
    if case .folder(let descriptor, _) = contents { _ = close(descriptor) }
  }

  public func has(_ name: String) -> Bool {
    switch contents {
    case .folder(let descriptor, let names): names?.contains(name) ?? exists(name, in: descriptor)
    case .missing: false
    case .memory(let files): files[name] != nil
    }
  }

  /// The file, or nil when there is none.
  /// - Throws: 4.3.0 when it is there and can't be read: acting as if it weren't could send mail where nobody wanted it.
  public func file(_ name: String) throws(DeliveryFailure) -> ControlFile? {
    switch contents {
    case .missing: return nil
    case .memory(let files): return files[name].map { ControlFile(name: name, bytes: $0) }
    case .folder(let descriptor, let names):
      if ControlDirectory.isMissing(name, names) { return nil }
      guard let opened = try ControlDirectory.open(name, in: ControlDirectory.start(name, descriptor)) else { return nil }
      return try ControlDirectory.read(name, opened.descriptor.number, size: opened.identity.size)
    }
  }

  /// The file as a table, or nil when there is none. A small one is read here and now, of a large one only what a look-up takes.
  /// - Throws: 4.3.0 when it is there and can't be read.
  func table(_ name: String, keys: RouteKeys) throws(DeliveryFailure) -> DomainTable? {
    guard case .folder(let folder, let names) = contents else {
      return try file(name).map { DomainTable(file: $0, keys: keys) }
    }
    if ControlDirectory.isMissing(name, names) { return nil }
    guard let opened = try ControlDirectory.open(name, in: ControlDirectory.start(name, folder)) else { return nil }
    let size = opened.identity.size
    guard size >= LargeTable.size else {
      return DomainTable(file: try ControlDirectory.read(name, opened.descriptor.number, size: size), keys: keys)
    }
    return DomainTable(large: LargeTable(name: name, opened, indexes), keys: keys)
  }

  /// Makes the indexes of large tables that this delivery would have liked to have. For after the reports, because it may take a second.
  /// - Parameter now: seconds since 1970.
  package func updateIndexes(now: Int64) { indexes?.update(now: now) }

  /// The constant database of that name, or nil when there is none.
  /// - Throws: 4.3.0 when it is there and can't be read.
  package func database(_ name: String) throws(DeliveryFailure) -> ConstantDatabase? {
    let number: Int32
    switch contents {
    case .missing: return nil
    case .memory(let files):
      guard let bytes = files[name] else { return nil }
      number = unsafe bytes.withUnsafeBytes { unsafe csys_memory_file($0.baseAddress, $0.count) }
    case .folder(let folder, let names):
      if ControlDirectory.isMissing(name, names) { return nil }
      number = unsafe csys_openat(ControlDirectory.start(name, folder), name, O_RDONLY | O_NONBLOCK)
      if number < 0, csys_errno() == ENOENT { return nil }
    }
    guard number >= 0 else {
      throw .controlUnreadable("\(ControlFile.place(name)): \(unsafe String(cString: csys_error_text(csys_errno())))")
    }
    return try ConstantDatabase(FileDescriptor(owning: number), place: ControlFile.place(name))
  }

  /// Whether there is a file or folder at a path that need not lie here. A directory in memory has the files whose names are paths.
  /// - Throws: 4.3.0 when nobody can tell.
  package func exists(path: Bytes) throws(DeliveryFailure) -> Bool {
    if case .memory(let files) = contents { return files.keys.contains { "\($0)/".hasPrefix("\(path.text)/") } }
    var status = stat()
    let result = unsafe (path + [0]).withUnsafeBytes { bytes -> Int32 in
      guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe stat(start, &status)
    }
    guard result != 0 else { return true }
    let reason = csys_errno()
    guard [ENOENT, ENOTDIR, ENAMETOOLONG].contains(reason) else {
      throw .controlUnreadable("\(path.printable.text): \(unsafe String(cString: csys_error_text(reason)))")
    }
    return false
  }

  /// Whether others than its owner and group can read the file.
  package func isReadableByOthers(_ name: String) -> Bool {
    guard case .folder(let folder, _) = contents else { return false }
    var status = stat()
    return unsafe fstatat(folder, name, &status, 0) == 0 && status.st_mode & 0o004 != 0
  }

  private func exists(_ name: String, in folder: Int32) -> Bool { unsafe faccessat(folder, name, F_OK, 0) == 0 }

  private static func open(_ name: String, in folder: Int32) throws(DeliveryFailure) -> OpenedFile? {
    // Not blocking: a fifo in place of a file must not hold the delivery.
    let number = unsafe csys_openat(folder, name, O_RDONLY | O_NONBLOCK)
    guard number >= 0 else {
      let reason = csys_errno()
      if reason == ENOENT { return nil }
      throw .controlUnreadable(name, reason)
    }
    let descriptor = FileDescriptor(owning: number)
    var status = stat()
    let isRegular = unsafe fstat(descriptor.number, &status) == 0 && Int32(status.st_mode) & S_IFMT == S_IFREG
    guard isRegular, status.st_size <= ControlDirectory.sizeLimit else {
      throw .controlUnreadable("\(ControlFile.place(name)): \(isRegular ? "too large" : "not a file")")
    }
    return OpenedFile(descriptor: descriptor, identity: FileIdentity(status))
  }

  private static func read(_ name: String, _ descriptor: Int32, size: Int) throws(DeliveryFailure) -> ControlFile {
    var bytes = Bytes()
    while true {
      let wanted = max(size + 1 - bytes.count, 4_096)
      guard let block = FileDescriptor.read(descriptor, limit: wanted) else { throw .controlUnreadable(name, csys_errno()) }
      if bytes.isEmpty { bytes = block } else { bytes += block }
      // One read is enough as long as the file holds what fstat said; a full block means that it has grown.
      if block.count < wanted { return ControlFile(name: name, bytes: bytes) }
    }
  }

  /// The listing knows what lies in the folder itself; a name with a slash leads elsewhere.
  private static func isMissing(_ name: String, _ names: NameList?) -> Bool {
    guard let names, !name.utf8.contains(UInt8(ascii: "/")), !name.hasPrefix(".") else { return false }
    return !names.contains(name)
  }

  /// A name that begins with a dot is taken as it is, from the working directory (indimail-control(5)).
  private static func start(_ name: String, _ folder: Int32) -> Int32 { name.hasPrefix(".") ? AT_FDCWD : folder }

  /// A million routes of fifty bytes fit many times; what is larger is a mistake that must not eat the memory.
  private static let sizeLimit = 1 << 30

  /// nil when the folder may be searched but not listed.
  private static func names(in descriptor: Int32) -> NameList? {
    let copy = csys_duplicate(descriptor)
    guard copy >= 0, let folder = unsafe fdopendir(copy) else { return nil }
    defer { unsafe closedir(folder) }
    var names: [Bytes] = []
    while let entry = unsafe csys_next_name(folder) {
      unsafe names.append(Bytes(UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
    }
    return NameList(names)
  }
}

/// Names in order, to be found by halves. A `Set` would cost each delivery the runtime's search for what its elements conform to.
private struct NameList: Sendable {
  private let names: [Bytes]

  init(_ names: [Bytes]) { self.names = names.sorted { $0.lexicographicallyPrecedes($1) } }

  func contains(_ name: String) -> Bool {
    let name = name.utf8
    var low = 0
    var high = names.count
    while low < high {
      let middle = (low + high) / 2
      if names[middle].lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return low < names.count && names[low].elementsEqual(name)
  }
}
