// The program `message` as a filter of the message.
internal import Agent

/// Gives the message to the program, and takes what it writes for the new one.
struct ExecMessageFilter: MessageFilter {
  let runner: HookRunner
  let program: HookProgram

  var name: String { program.point.place }

  /// Nothing is to be changed.
  private static let unchanged: Int32 = 99

  func message(_ message: MessageFile, for plan: DeliveryPlan) throws(DeliveryFailure) -> MessageFile? {
    guard try runner.isThere(program) else { return nil }
    let new = try MessageFile(plan.environment)
    message.rewind()
    defer { message.rewind() }
    let limit = ExecMessageFilter.limit(message.count)
    let result = runner.run(program, plan.environment, .file(message.number), .stored(new, limit: limit))
    if result.ending == .exited(ExecMessageFilter.unchanged) { return nil }
    if let failure = HookRunner.failure(result, name, HookRunner.limit(plan.environment)) { throw failure }
    guard new.count > 0 else { throw .hookFailed(name, "its answer is empty") }
    // Such a message would be bounced. If it was one before, that is right.
    if try !ExecMessageFilter.endsLine(new), try ExecMessageFilter.endsLine(message) {
      throw .hookFailed(name, "its answer ends within a line")
    }
    return new
  }

  static func endsLine(_ message: MessageFile) throws(DeliveryFailure) -> Bool {
    guard message.count > 0, let last = try message.read(at: message.count - 1, limit: 1).last else { return true }
    return last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r")
  }

  /// Ten times as much is more than any encoding makes of a message; one that writes without end must not fill the disk.
  static func limit(_ count: Int) -> Int { min(count, 1 << 50) * 10 + 10_000_000 }
}
