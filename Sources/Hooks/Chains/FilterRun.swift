// One run of a message's filter by spawn-filter(8), and what its exit status means.
internal import Agent

struct FilterRun {
  /// For /bin/sh.
  let command: Bytes
  let call: SpawnFilterCall
  let environment: Environment
  let clock: any MonotonicClock

  enum Result {
    /// What goes on in the place of the message.
    case message(MessageFile)
    /// The delivery ends here.
    case reports(Reports)
  }

  /// As long as a whole delivery may take.
  private static let limit = Duration.seconds(7_200)

  func run(_ message: MessageFile) throws(DeliveryFailure) -> Result {
    let new = try MessageFile(environment)
    let result = HookProcess(clock: clock, limit: FilterRun.limit).run(
      HookStart(
        path: Bytes("/bin/sh"), arguments: [Bytes("sh"), Bytes("-c"), command], environment: surroundings.entries,
        input: .file(message.number), output: .stored(new, limit: ExecMessageFilter.limit(message.count))))
    switch result.ending {
    case .exited(0):
      // A filter that fails half-way through a pipe often ends so; an empty message is seldom what somebody wanted to send.
      if new.count == 0, message.count > 0 { return .reports(.deferred("the filter wrote no message")) }
      if try !ExecMessageFilter.endsLine(new), try ExecMessageFilter.endsLine(message) {
        return .reports(.deferred("the filter's message ends within a line"))
      }
      return .message(new)
    case .exited(2): return .reports(.swallowed)
    case .exited(100): return .reports(.rejected)
    case .exited(let status):
      let text = DeliveryFailure.firstLine(result.errors)
      return .reports(.deferred("exit code: \(status)\(text.isEmpty ? "" : ": ")", text))
    case .killed(let signal): return .reports(.deferred("signal \(signal)"))
    case .tookTooLong: return .reports(.deferred("more than \(FilterRun.limit.components.seconds) s"))
    case .wroteTooMuch(let descriptor, let limit):
      return .reports(.deferred("more than \(limit) bytes to descriptor \(descriptor)"))
    case .notStored(let failure): throw failure
    case .didNotStart(let number): return .reports(.deferred("can't be run: \(HookProgram.reason(number))"))
    case .lost: return .reports(.deferred("its supervisor is gone"))
    }
  }

  /// The delivery's, with the envelope, whose words a shell takes for words only.
  private var surroundings: HookEnvironment {
    HookEnvironment(
      environment,
      own: [
        ("DOMAIN", HookEnvironment.shown(call.host)), ("_EXT", HookEnvironment.shown(call.recipient.raw)),
        ("_QQEH", HookEnvironment.shown(call.extraHeader)), ("_SENDER", HookEnvironment.shown(call.sender.raw)),
        ("_RECIPIENT", HookEnvironment.shown(call.recipient.raw)),
      ])
  }
}

/// What qmail-rspawn is told instead of qmail-remote's reports.
extension Reports {
  static let improperCall = Reports(
    recipients: [Report(.recipientRejected, "I (spawn-filter) was invoked improperly. (#5.3.5)\n")],
    message: Report(.failure, "refusing to run filter\n"))

  static let tooLarge = Reports(
    recipients: [Report(.recipientRejected, "sorry, that message size exceeds my databytes limit (#5.3.4)\n")],
    message: Report(.failure, "refusing to run filter\n"))

  static let rejected = Reports(
    recipients: [Report(.recipientRejected, "Mail Rejected by FILTER (#5.7.1)\n")],
    message: Report(.failure, "refusing to run filter\n"))

  /// Accepted, and delivered to nobody.
  static let swallowed = Reports(
    recipients: [Report(.recipientAccepted)], message: Report(.success, "spawn accepted message.\n"))

  static func deferred(_ words: String, _ text: Bytes = []) -> Reports {
    Reports(
      recipients: [Report(.recipientDeferred, Bytes("FILTER: (spawn-filter) \(words)") + text + Bytes(". (#4.3.0)\n"))],
      message: Report(.deferral, "spawn-filter(remote): filter execution deferred\n"))
  }
}
