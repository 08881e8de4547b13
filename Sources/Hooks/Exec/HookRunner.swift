// The one place where a program of the site is run, with the contract of qmail-remote-hooks(7): what it gets, how long it has, and what
// its end means.
internal import Agent
internal import CSystem

/// What all programs of a delivery have in common.
struct HookRunner {
  let control: Bytes
  let dialect: Dialect
  /// Those of qmail-remote.
  let operands: [Bytes]
  let clock: any MonotonicClock

  /// - Parameters:
  ///   - environment: the delivery's, as it is so far.
  ///   - keys: those that an answer may have.
  /// - Returns: nil when the program has no opinion, or isn't there.
  /// - Throws: 5.3.0 or 4.3.0 when it says so, and 4.3.0 for whatever is no answer.
  func ask(
    _ program: HookProgram, _ question: HookQuestion, _ environment: Environment, keys: [HookKey]
  ) throws(DeliveryFailure) -> HookAnswer? {
    do throws(HookFault) {
      guard try program.check(HookTrust(control: control)) else { return nil }
    } catch {
      throw .hookFailed(program.point.place, error.words)
    }
    let limit = HookRunner.limit(environment)
    let result = HookProcess(clock: clock, limit: limit).run(
      HookStart(
        path: program.path, arguments: [program.path] + operands,
        environment: HookEnvironment(environment, program.point, control: control, dialect: dialect).entries,
        input: .bytes(question.bytes)))
    return try HookRunner.answer(result, program.point.place, limit, keys)
  }

  /// What a run means.
  static func answer(
    _ result: HookResult, _ place: String, _ limit: Duration, _ keys: [HookKey]
  ) throws(DeliveryFailure) -> HookAnswer? {
    switch result.ending {
    case .exited(0):
      guard !result.output.isEmpty else { return nil }
      do throws(HookFault) {
        return try HookAnswer(result.output, keys)
      } catch {
        throw .hookFailed(place, "its answer \(error.words)")
      }
    case .exited(100): throw .hookDeclined(place, 100, .permanent, errors: result.errors)
    case .exited(111): throw .hookDeclined(place, 111, .temporary, errors: result.errors)
    case .exited(let status): throw .hookFailed(place, "its exit status is \(status)")
    case .killed(let signal): throw .hookFailed(place, "signal \(signal) ended it")
    case .tookTooLong: throw .hookFailed(place, "it ran for more than \(limit.components.seconds) s")
    case .wroteTooMuch(let descriptor):
      throw .hookFailed(place, "it wrote more than \(HookProcess.outputLimit) bytes to descriptor \(descriptor)")
    // The file was there a moment ago: it is what its first line names that isn't.
    case .didNotStart(ENOENT): throw .hookFailed(place, "it can't be run: its interpreter doesn't exist")
    case .didNotStart(let number): throw .hookFailed(place, "it can't be run: \(HookProgram.reason(number))")
    case .lost: throw .hookFailed(place, "its supervisor is gone")
    }
  }

  private static let standardLimit = Duration.seconds(30)

  static func limit(_ environment: Environment) -> Duration { limit(environment, "HOOKTIMEOUT", default: standardLimit) }

  /// A variable for time, read as the control files for it are: digits at the beginning count, 0 and what has none stand for the default.
  static func limit(_ environment: Environment, _ name: String, default standard: Duration) -> Duration {
    guard let digits = environment.value(name)?.prefix(while: \.isDigit), !digits.isEmpty, digits.decimal != 0 else {
      return standard
    }
    return .seconds(digits.decimal ?? Int(Int32.max))
  }
}
