// The programs that indimail knows: ONSUCCESS_REMOTE, ONFAILURE_REMOTE and ONTEMPORARY_REMOTE name one each, which is run when the reports
// are out (qmail-remote-hooks(7), OUTCOME PROGRAMS). Their contract is older than that of the other programs, and is kept.
public import Agent
internal import CSystem

/// Runs the program of the outcome that qmail-rspawn will conclude from the reports.
public struct OutcomePrograms: OutcomeHook {
  private let environment: Environment
  private let arguments: [Bytes]
  private let clock: any MonotonicClock
  /// By the control file.
  private let ignoresStatus: Bool
  /// Has the record that the programs get; nil when they get none.
  private let collector: RecordCollector?

  /// - Parameters:
  ///   - environment: that of the start, for a delivery that ends before any edit.
  ///   - arguments: argv as it is.
  ///   - collector: if HOOKRECORD is set at the start, the programs get its record.
  public init(
    _ control: ControlDirectory, _ environment: Environment, _ circumstances: Circumstances, arguments: [Bytes],
    collector: RecordCollector? = nil
  ) {
    self.collector = OutcomePrograms.wantRecord(environment) ? collector : nil
    self.environment = environment
    self.arguments = arguments
    clock = circumstances.clock
    ignoresStatus = OutcomePrograms.ignoresStatus(control)
  }

  /// Whether programs that are named at the start or later get the record.
  public static func wantRecord(_ environment: Environment) -> Bool { environment.value("HOOKRECORD") != nil }

  static func variable(_ outcome: EnhancedStatus.Disposition) -> String {
    switch outcome {
    case .success: "ONSUCCESS_REMOTE"
    case .permanent: "ONFAILURE_REMOTE"
    case .temporary: "ONTEMPORARY_REMOTE"
    }
  }

  public func intentions(_ environment: Environment) -> [String] {
    [EnhancedStatus.Disposition.success, .permanent, .temporary].compactMap { outcome in
      let name = OutcomePrograms.variable(outcome)
      guard let path = environment.value(name), !path.isEmpty else { return nil }
      return "afterwards: \(path.printable.text) (the variable \(name))"
    }
  }

  /// A program that could not be started, was killed or ran past its limit says nothing: the reports are the truth.
  public func run(_ outcome: Outcome) -> Int32? {
    let environment = outcome.environment ?? environment
    let concluded = outcome.reports.concluded
    guard let path = environment.value(OutcomePrograms.variable(concluded)), !path.isEmpty else {
      return ignoresStatus(environment) ? 0 : nil
    }
    let limit = HookRunner.limit(environment, "OUTCOMETIMEOUT", default: OutcomePrograms.standardLimit)
    let result = HookProcess(clock: clock, limit: limit).run(
      HookStart(
        path: path, arguments: arguments, environment: OutcomePrograms.environment(outcome, environment).entries,
        input: (collector?.record).map { .bytes($0) } ?? .nothing, output: .discarded))
    guard case .exited(let status) = result.ending, !ignoresStatus(environment) else { return 0 }
    return status
  }

  /// Until the program ends, qmail-rspawn has not noted the delivery.
  private static let standardLimit = Duration.seconds(20)
}

// MARK: what becomes of the exit status

extension OutcomePrograms {
  private static let fileName = "outcomestatus"
  private static let ignore = Bytes("ignore")

  /// A file that can't be read is taken for the word that loses no mail.
  private static func ignoresStatus(_ control: ControlDirectory) -> Bool {
    do throws(DeliveryFailure) {
      return try control.file(fileName)?.firstLine.elementsEqual(ignore) ?? false
    } catch {
      return true
    }
  }

  /// The variable comes before the file.
  private func ignoresStatus(_ environment: Environment) -> Bool {
    guard let value = environment.value("OUTCOME_STATUS"), !value.isEmpty else { return ignoresStatus }
    return value == OutcomePrograms.ignore
  }
}

// MARK: what the program is told

extension OutcomePrograms {
  static func environment(_ outcome: Outcome, _ environment: Environment) -> HookEnvironment {
    let concluded = outcome.reports.concluded
    let word = outcome.decidingWord
    var own = [
      ("SMTPTEXT", HookEnvironment.shown(word.text)), ("SMTPCODE", Bytes("\(word.code)")),
      ("SMTPSTATUS", [Report.Kind(message: concluded).rawValue]),
    ]
    if !word.hosts.isEmpty {
      own.append(("SMTPHOST", HookEnvironment.shown(Bytes(word.hosts.map(\.text).joined(separator: ",")))))
    }
    let others = [EnhancedStatus.Disposition.success, .permanent, .temporary].filter { $0 != concluded }
    return HookEnvironment(environment, own: own, hidden: others.map(variable) + ["SMTPHOST"])
  }

}
