// Which programs may decide about mail: those that nobody could have put there or changed but root and whoever keeps the control files.
internal import Agent
internal import CSystem

/// Who is trusted with programs.
struct HookTrust: Equatable {
  let owners: [UInt32]

  /// - Parameter control: the control directory; without one, root alone is trusted.
  init(control: Bytes) {
    var status = stat()
    let isThere = unsafe control.withCString { path in unsafe path.map { unsafe stat($0, &status) } } == 0
    self.init(owners: isThere ? [0, status.st_uid] : [0])
  }

  init(owners: [UInt32]) { self.owners = owners }

  /// Why a program is refused; nil when it isn't.
  func fault(program: stat) -> String? {
    switch Int32(program.st_mode) & S_IFMT {
    case S_IFREG: break
    case S_IFLNK: return "it is a symbolic link"
    default: return "it is not a regular file"
    }
    if !owners.contains(program.st_uid) { return "it belongs to user \(program.st_uid), \(HookTrust.expected)" }
    return HookTrust.mayBeWritten(program) ? "its group or others may write to it" : nil
  }

  /// The same for the folder that it is in. The sticky bit is no help: it keeps people from removing files, not from making them.
  func fault(folder: stat) -> String? {
    if !owners.contains(folder.st_uid) { return "its folder belongs to user \(folder.st_uid), \(HookTrust.expected)" }
    return HookTrust.mayBeWritten(folder) ? "the group or others may write to its folder" : nil
  }

  private static let expected = "not to root or the owner of the control directory"

  /// With an access control list the bits of the group are its mask, the most that anybody in it has.
  private static func mayBeWritten(_ status: stat) -> Bool { status.st_mode & 0o022 != 0 }
}
