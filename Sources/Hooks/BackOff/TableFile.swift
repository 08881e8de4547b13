// A table on disk, shared with other deliveries and other programs. Whatever is wrong with the file, a delivery goes on as if there were
// none, and at once: nothing here waits for longer than a moment, and nothing throws.
internal import Agent
internal import CSystem

/// A file that holds a timeout table.
final class TableFile {
  private enum State {
    case unopened
    case usable
    /// There is no table in it that we know, or none at all; not looked at again.
    case unusable
  }

  private let path: Bytes
  /// The layout of a file of some size; nil when there is none.
  private let layout: (Int) -> RecordLayout?
  private var state = State.unopened
  /// Once open, to the end of the delivery.
  private var descriptor: Int32 = -1
  /// How many pauses are left to wait for the lock: 200 ms for the delivery as a whole, however many addresses it meets.
  private(set) var patience: Int

  /// Other deliveries hold the lock for microseconds.
  private static let pause = timespec(tv_sec: 0, tv_nsec: 2_000_000)
  static let patience = 100

  /// - Parameter patience: pauses that a delivery waits for the lock; for tests.
  init(path: Bytes, patience: Int = TableFile.patience, layout: @escaping (Int) -> RecordLayout?) {
    self.path = path
    self.patience = patience
    self.layout = layout
  }

  deinit {
    if descriptor >= 0 { _ = close(descriptor) }
  }

  /// Looks something up.
  /// - Returns: nil when there is no usable table now.
  func look<Answer>(_ question: (TimeoutTable) -> Answer) -> Answer? {
    locked { table().map(question) }
  }

  /// Changes the table, if there is one and `edit` wants to.
  func change(_ edit: (TimeoutTable) -> TableEdit?) {
    locked {
      if let table = table(), let edit = edit(table) { write(edit) }
    }
  }
}

// MARK: system calls

extension TableFile {
  /// Opens the file the first time: a delivery without back-off pays for one call that fails.
  private func open() {
    guard case .unopened = state else { return }
    state = .unusable
    // A link could lead to a file that isn't meant to be written to. Who owns the table, and who may write to it, is the site's
    // affair: the families differ, and a table can do nothing but what it is for.
    descriptor = unsafe (path + [0]).withUnsafeBytes { bytes -> Int32 in
      guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe csys_open(start, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    }
    var status = stat()
    if descriptor >= 0, unsafe fstat(descriptor, &status) == 0, Int32(status.st_mode) & S_IFMT == S_IFREG { state = .usable }
  }

  /// - Returns: nil when the file can't be opened or locked.
  private func locked<Answer>(_ body: () -> Answer?) -> Answer? {
    open()
    guard case .usable = state else { return nil }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      // A file system without locks, or somebody who has forgotten to let go.
      guard csys_errno() == EWOULDBLOCK, patience > 0 else { return nil }
      patience -= 1
      var pause = TableFile.pause
      unsafe nanosleep(&pause, nil)
    }
    defer { _ = flock(descriptor, LOCK_UN) }
    return body()
  }

  /// Read anew each time: other deliveries write to it.
  private func table() -> TimeoutTable? {
    let limit = RecordLayout.readLimit
    var count = 0
    let bytes = unsafe Bytes(unsafeUninitializedCapacity: limit) { buffer, filled in
      count = unsafe csys_pread(descriptor, buffer.baseAddress, limit, 0)
      filled = max(count, 0)
    }
    guard count >= 0, let layout = layout(count), let table = TimeoutTable(bytes, layout: layout) else {
      state = .unusable
      return nil
    }
    return table
  }

  private func write(_ edit: TableEdit) {
    if let cut = edit.cut, ftruncate(descriptor, off_t(cut)) != 0 { return }
    _ = unsafe edit.bytes.withUnsafeBytes { bytes in
      unsafe csys_pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(edit.offset))
    }
  }
}
