// run/qmail-remote below the home of the dialect: the one place where deliveries keep things for each other. What lies there is a cache
// or a memory that a delivery can do without; so whatever is wrong with it, a delivery goes on as if there were nothing. Knows no
// file's meaning.
internal import CSystem

/// Where it is.
package struct RunDirectory: Sendable {
  package let path: Bytes

  /// The variable that says otherwise.
  package static let variable = "QMAILREMOTE_RUNDIR"

  package init(_ dialect: Dialect, _ environment: Environment) {
    let named = environment.value(RunDirectory.variable) ?? []
    path = named.isEmpty ? dialect.home + Bytes("/run/qmail-remote") : named
  }
}

/// A folder in which nobody but this process's user and root can make, change or remove anything: what is found in it is what one of them
/// has put there, and no link leads out of it.
package final class TrustedFolder {
  private let descriptor: FileDescriptor

  /// nil when there is none, or when it is no such folder.
  package init?(_ path: Bytes) {
    let number = unsafe (path + [0]).withUnsafeBytes { bytes -> Int32 in
      guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe csys_open(start, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }
    guard number >= 0 else { return nil }
    descriptor = FileDescriptor(owning: number)
    var status = stat()
    guard unsafe fstat(number, &status) == 0, TrustedFolder.isOurs(status) else { return nil }
  }

  /// A file for reading; nil when there is none, or when it is somebody else's.
  func open(_ name: String) -> OpenedFile? {
    let number = unsafe csys_openat(descriptor.number, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    guard number >= 0 else { return nil }
    return TrustedFolder.checked(FileDescriptor(owning: number))
  }

  /// The exclusive lock of a file that is made for it; nil when somebody else has it, or when the folder can't be written to. Never waits.
  /// The lock goes with the descriptor.
  func lock(_ name: String) -> OpenedFile? {
    let number = unsafe csys_make_at(descriptor.number, name, O_RDWR | O_NONBLOCK, TrustedFolder.mode)
    guard number >= 0 else { return nil }
    let file = FileDescriptor(owning: number)
    guard csys_try_lock(number) == 0 else { return nil }
    return TrustedFolder.checked(file)
  }

  /// Puts a new file in the place of another, whole or not at all. Only for who holds the lock for it.
  /// - Parameter write: fills the file, and says whether it is to be kept.
  func replace(_ name: String, _ write: (Int32) -> Bool) {
    let temporary = "\(name).new"
    // Of somebody who was killed at it.
    _ = unsafe unlinkat(descriptor.number, temporary, 0)
    let number = unsafe csys_make_at(descriptor.number, temporary, O_RDWR | O_EXCL, TrustedFolder.mode)
    guard number >= 0 else { return }
    let file = FileDescriptor(owning: number)
    if write(file.number), unsafe renameat(descriptor.number, temporary, descriptor.number, name) == 0 { return }
    _ = unsafe unlinkat(descriptor.number, temporary, 0)
  }

  /// Nobody else reads what deliveries keep: it may come from files that not everybody can read.
  private static let mode: mode_t = 0o600

  private static func checked(_ file: consuming FileDescriptor) -> OpenedFile? {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0, Int32(status.st_mode) & S_IFMT == S_IFREG, isOurs(status) else { return nil }
    return OpenedFile(descriptor: file, identity: FileIdentity(status))
  }

  /// It belongs to this process's user or to root, and nobody else may write to it. With an access control list the bits of the group
  /// are the most that anybody in it has.
  private static func isOurs(_ status: stat) -> Bool {
    (status.st_uid == 0 || status.st_uid == geteuid()) && status.st_mode & 0o022 == 0
  }
}
