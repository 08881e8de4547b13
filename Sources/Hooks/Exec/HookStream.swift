// A program that runs beside the delivery and reads lines from descriptor 0. Knows no events, only lines.
internal import Agent
internal import CSystem

/// A running program, with our end of its pipe.
final class HookStream {
  private var writing: Int32 = -1
  private let supervisor: HookSupervisor
  private let output: HookOutput
  private let errors: HookOutput

  /// - Parameter start: its input is not looked at.
  /// - Returns: nil when the program can't be started.
  init?(_ start: HookStart) {
    var reading: Int32 = -1
    guard let output = HookOutput(start.output), let errors = HookOutput(start.output.ofErrors) else { return nil }
    guard unsafe csys_line_pipe(&reading, &writing) == 0 else { return nil }
    let question = FileDescriptor(owning: reading)
    guard let supervisor = HookSupervisor(start, (question.number, output.programEnd, errors.programEnd)) else {
      _ = close(writing)
      return nil
    }
    output.release()
    errors.release()
    (self.output, self.errors, self.supervisor) = (output, errors, supervisor)
  }

  deinit { closeInput() }

  /// - Parameter line: no longer than a pipe takes at once.
  /// - Returns: false when the program has not read enough to make room for it, or reads no more.
  func write(_ line: Bytes) -> Bool {
    guard writing >= 0 else { return false }
    let count = unsafe line.withUnsafeBytes { unsafe csys_write($0.baseAddress, $0.count, writing) }
    if count < 0, csys_errno() == EPIPE { closeInput() }
    return count == line.count
  }

  /// Ends its input, and the program when it takes longer.
  func finish(within limit: Duration, _ clock: any MonotonicClock) {
    closeInput()
    _ = HookWatch(output: output, errors: errors, supervisor: supervisor, clock: clock).wait(
      Deadline(limit, after: clock.now()))
  }

  private func closeInput() {
    if writing >= 0 { _ = close(writing) }
    writing = -1
  }
}
