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
    guard try isThere(program) else { return nil }
    var result = run(program, environment, .bytes(question.bytes), .collected)
    // At one point it is a secret.
    defer { result.output.wipe() }
    return try HookRunner.answer(result, program.point.place, HookRunner.limit(environment), keys)
  }

  /// - Returns: false when the program has gone meanwhile.
  /// - Throws: 4.3.0 when it must not be run.
  func isThere(_ program: HookProgram) throws(DeliveryFailure) -> Bool {
    do throws(HookFault) {
      return try program.check(HookTrust(control: control))
    } catch {
      throw .hookFailed(program.point.place, error.words)
    }
  }

  /// Runs a program that has been looked at.
  func run(
    _ program: HookProgram, _ environment: Environment, _ input: HookStart.Input, _ output: HookStart.Output
  ) -> HookResult {
    HookProcess(clock: clock, limit: HookRunner.limit(environment)).run(start(program, environment, input, output))
  }

  /// What a program is started with.
  func start(
    _ program: HookProgram, _ environment: Environment, _ input: HookStart.Input, _ output: HookStart.Output
  ) -> HookStart {
    HookStart(
      path: program.path, arguments: [program.path] + operands,
      environment: HookEnvironment(environment, program.point, control: control, dialect: dialect).entries,
      input: input, output: output)
  }

  /// What a run means whose answer is lines.
  static func answer(
    _ result: HookResult, _ place: String, _ limit: Duration, _ keys: [HookKey]
  ) throws(DeliveryFailure) -> HookAnswer? {
    if let failure = failure(result, place, limit) { throw failure }
    guard !result.output.isEmpty else { return nil }
    do throws(HookFault) {
      return try HookAnswer(result.output, keys)
    } catch {
      throw .hookFailed(place, "its answer \(error.words)")
    }
  }

  /// Why what a run has written is no answer; nil when it may be one.
  static func failure(_ result: HookResult, _ place: String, _ limit: Duration) -> DeliveryFailure? {
    switch result.ending {
    case .exited(0): nil
    case .exited(100): .hookDeclined(place, 100, .permanent, errors: result.errors)
    case .exited(111): .hookDeclined(place, 111, .temporary, errors: result.errors)
    case .exited(let status): .hookFailed(place, "its exit status is \(status)")
    case .killed(let signal): .hookFailed(place, "signal \(signal) ended it")
    case .tookTooLong: .hookFailed(place, "it ran for more than \(limit.components.seconds) s")
    case .wroteTooMuch(let descriptor, let limit):
      .hookFailed(place, "it wrote more than \(limit) bytes to descriptor \(descriptor)")
    case .notStored(let failure): failure
    // The file was there a moment ago: it is what its first line names that isn't.
    case .didNotStart(ENOENT): .hookFailed(place, "it can't be run: its interpreter doesn't exist")
    case .didNotStart(let number): .hookFailed(place, "it can't be run: \(HookProgram.reason(number))")
    case .lost: .hookFailed(place, "its supervisor is gone")
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
