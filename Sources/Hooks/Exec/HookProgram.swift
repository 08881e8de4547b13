// A program of the site on the disk, and whether it may be run.
internal import Agent
internal import CSystem

/// One program.
struct HookProgram: Equatable, Sendable {
  let point: HookPoint
  let folder: Bytes

  var path: Bytes { folder + Bytes("/\(point.rawValue)") }

  /// Looks at folder and file through descriptors, with no symbolic link in the place of the file.
  ///
  /// What is run then is the path, not the descriptor: a script run by descriptor is called /dev/fd/N, finds nothing that lies beside it,
  /// and keeps the descriptor. Between this look and the run nobody can put another file there but those who are trusted with it, which is
  /// what was looked at.
  /// - Returns: false when there is no such file (any more).
  /// - Throws: when it must not be run.
  func check(_ trust: HookTrust) throws(HookFault) -> Bool {
    let folder = try open(self.folder, csys_path_only | O_DIRECTORY)
    let number = unsafe csys_openat(folder.number, point.rawValue, csys_path_only | O_NOFOLLOW)
    guard number >= 0 else {
      if csys_errno() == ENOENT { return false }
      throw HookFault("it can't be opened: \(HookProgram.reason(csys_errno()))")
    }
    let file = FileDescriptor(owning: number)
    if let fault = trust.fault(program: try status(file.number)) { throw HookFault(fault) }
    if let fault = trust.fault(folder: try status(folder.number)) { throw HookFault(fault) }
    return true
  }

  private func open(_ folder: Bytes, _ flags: Int32) throws(HookFault) -> FileDescriptor {
    let number = unsafe folder.withCString { unsafe csys_open($0, flags) }
    guard number >= 0 else { throw HookFault("its folder can't be opened: \(HookProgram.reason(csys_errno()))") }
    return FileDescriptor(owning: number)
  }

  private func status(_ number: Int32) throws(HookFault) -> stat {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else {
      throw HookFault("it can't be examined: \(HookProgram.reason(csys_errno()))")
    }
    return status
  }

  static func reason(_ number: Int32) -> String { unsafe String(cString: csys_error_text(number)) }
}
