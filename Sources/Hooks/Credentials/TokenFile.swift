// One file of the folder of tokens, open: system calls only. Who may read the folder may relay as anybody in it, so it is used only if
// nobody else can.
internal import Agent
internal import CSystem

/// An open file, closed and unlocked with its owner.
final class TokenFile {
  enum Lock {
    /// Others may read too.
    case shared
    case exclusive
  }

  enum LockResult {
    case held, busy, unavailable
  }

  private let descriptor: Int32
  private let directory: Int32
  private let name: String

  private static let sizeLimit = 131_072
  private static let interval = timespec(tv_sec: 0, tv_nsec: 20_000_000)
  private static let cleanedAtOnce = 100

  /// - Returns: nil when there is no such folder and none can be made, or it is no safe place.
  init?(_ folder: Bytes, _ name: String) {
    self.name = name
    directory = TokenFile.open(folder)
    let isSafe = TokenFile.isOurs(directory, S_IFDIR)
    descriptor = isSafe ? unsafe csys_create_at(directory, name, 0o600) : -1
    guard TokenFile.isOurs(descriptor, S_IFREG) else { return nil }
  }

  deinit {
    if descriptor >= 0 { _ = close(descriptor) }
    if directory >= 0 { _ = close(directory) }
  }

  /// Nobody else may do anything with it.
  private static func isOurs(_ descriptor: Int32, _ kind: Int32) -> Bool {
    var status = stat()
    guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else { return false }
    return Int32(status.st_mode) & S_IFMT == kind && status.st_uid == geteuid() && status.st_mode & 0o077 == 0
  }

  private static func open(_ folder: Bytes) -> Int32 {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    let number = unsafe folder.withCString { unsafe csys_open($0, flags) }
    guard number < 0, csys_errno() == ENOENT else { return number }
    _ = unsafe folder.withCString { path in unsafe path.map { unsafe mkdir($0, 0o700) } }
    return unsafe folder.withCString { unsafe csys_open($0, flags) }
  }

  // MARK: locks

  func lock(_ kind: Lock) -> LockResult {
    guard flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 else { return .held }
    return csys_errno() == EWOULDBLOCK || csys_errno() == EINTR ? .busy : .unavailable
  }

  /// Between two tries: those who hold the lock wait for somebody else.
  static func pause() {
    var interval = interval
    unsafe nanosleep(&interval, nil)
  }

  /// Another delivery has removed it meanwhile.
  var isRemoved: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) != 0 || status.st_nlink == 0
  }

  // MARK: content

  /// Empty when there is nothing, or too much for a token.
  func read() -> Bytes {
    let limit = TokenFile.sizeLimit
    var count = 0
    let bytes = unsafe Bytes(unsafeUninitializedCapacity: limit) { buffer, filled in
      count = unsafe csys_pread(descriptor, buffer.baseAddress, limit, 0)
      filled = max(count, 0)
    }
    return count < limit ? bytes : []
  }

  /// What stood there before was no good any more. A record that comes to its place in part is none.
  /// - Parameters:
  ///   - text: wiped.
  ///   - expires: becomes the time of the file, so that whoever cleans up needn't read it.
  func write(_ text: consuming Bytes, expires: Int64) {
    _ = ftruncate(descriptor, 0)
    _ = unsafe text.withUnsafeBytes { unsafe csys_pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    text.wipe()
    let times = [timespec](repeating: timespec(tv_sec: Int(expires), tv_nsec: 0), count: 2)
    _ = unsafe futimens(descriptor, times)
  }

  /// Only while it is locked: another delivery may have made a new one.
  func remove() {
    _ = ftruncate(descriptor, 0)
    _ = unsafe unlinkat(directory, name, 0)
  }

  /// Removes other files whose token has expired by then; a few each time.
  func removeOthers(before moment: Int64) {
    let copy = csys_duplicate(directory)
    guard copy >= 0, let folder = unsafe fdopendir(copy) else { return }
    defer { unsafe closedir(folder) }
    var count = 0
    while count < TokenFile.cleanedAtOnce, let entry = unsafe csys_next_name(folder) {
      count += 1
      var status = stat()
      guard unsafe fstatat(directory, entry, &status, AT_SYMLINK_NOFOLLOW) == 0, Int32(status.st_mode) & S_IFMT == S_IFREG,
        Int64(status.st_mtim.tv_sec) < moment
      else { continue }
      _ = unsafe unlinkat(directory, entry, 0)
    }
  }
}
