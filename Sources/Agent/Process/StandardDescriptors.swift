// Descriptors 0, 1 and 2 as the spawner left them, and signals: settled before anything else opens a descriptor.
internal import CSystem

/// What has to be right about the process before a delivery starts.
public enum StandardDescriptors {
  /// Fills closed descriptors, and silences descriptor 2 where it is the report channel.
  ///
  /// qmail-rspawn makes 2 a copy of 1: whatever the runtime or a library printed there would become part of the report. A
  /// descriptor that is closed would go to the next socket, and a report written to it would be mail to a mail server.
  public static func settle() {
    // 0 is filled for writing only: reading it then fails as reading a closed descriptor does, and no empty message is sent.
    fill(0, O_WRONLY)
    fill(1, O_WRONLY)
    fill(2, O_WRONLY)
    if isSameChannel(1, 2) { silence(2) }
    csys_ignore_sigpipe()
    csys_last_words_install()
  }

  private static func fill(_ descriptor: Int32, _ flags: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) != 0, csys_errno() == EBADF else { return }
    // The lowest free number is `descriptor` itself, because those below are open by now. Not close-on-exec.
    let opened = unsafe csys_open("/dev/null", flags)
    if opened >= 0 { csys_keep_on_exec(opened) }
  }

  /// A terminal is one channel on purpose, for a person; a pipe, a socket or a file is read by a program.
  private static func isSameChannel(_ first: Int32, _ second: Int32) -> Bool {
    var one = stat()
    var two = stat()
    guard unsafe fstat(first, &one) == 0, unsafe fstat(second, &two) == 0 else { return false }
    return one.st_dev == two.st_dev && one.st_ino == two.st_ino && Int32(one.st_mode) & S_IFMT != S_IFCHR
  }

  private static func silence(_ descriptor: Int32) {
    let null = unsafe csys_open("/dev/null", O_WRONLY)
    guard null >= 0 else { return }
    _ = dup2(null, descriptor)
    if null != descriptor { _ = close(null) }
  }
}
