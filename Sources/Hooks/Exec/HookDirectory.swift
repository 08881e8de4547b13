// The folder of a site's programs: which points have one. A site without programs pays for one name looked up in a list.
public import Agent
internal import CSystem

/// The programs of a site: control/hooks, or the folder that HOOKDIR names.
public struct HookDirectory {
  private let runner: HookRunner
  private let environment: Environment
  private let programs: [HookPoint: HookProgram]
  private let tokens: TokenCache

  /// From the environment of the start: a path that an edit could change would be one that a message could.
  static let variable = "HOOKDIR"
  private static let name = "hooks"

  /// - Parameter operands: those of the process; only taken when there is a program to pass them to.
  public init(
    _ choice: DialectChoice, _ environment: Environment, _ circumstances: Circumstances, operands: @autoclosure () -> [Bytes]
  ) {
    var programs: [HookPoint: HookProgram] = [:]
    let named = environment.value(HookDirectory.variable) ?? []
    if !named.isEmpty || choice.control.has(HookDirectory.name) {
      let folder = named.isEmpty ? choice.control.path + Bytes("/\(HookDirectory.name)") : named
      for point in HookDirectory.points(in: folder) { programs[point] = HookProgram(point: point, folder: folder) }
    }
    self.programs = programs
    self.environment = environment
    runner = HookRunner(
      control: choice.control.path, dialect: choice.dialect, operands: programs.isEmpty ? [] : operands(),
      clock: circumstances.clock)
    tokens = TokenCache(folder: RunDirectory(choice.dialect, environment).path + Bytes("/tokens"), circumstances)
  }

  /// Those that seem to have a program. When the folder can't be opened, that is all of them, and each will say so: a folder that was
  /// named and isn't there must not mean that mail takes another way.
  private static func points(in folder: Bytes) -> [HookPoint] {
    let number = unsafe folder.withCString { unsafe csys_open($0, csys_path_only | O_DIRECTORY) }
    guard number >= 0 else { return HookPoint.allCases }
    let folder = FileDescriptor(owning: number)
    return HookPoint.allCases.filter { point in
      var status = stat()
      return unsafe fstatat(folder.number, point.rawValue, &status, AT_SYMLINK_NOFOLLOW) == 0 || csys_errno() != ENOENT
    }
  }
}

extension HookDirectory {
  /// `route`: asked before all other routers.
  public var routers: [any Router] {
    programs[.route].map { [ExecRouter(runner: runner, program: $0, environment: environment)] } ?? []
  }

  /// `environment`: after all other editors.
  public var environmentEditors: [any EnvironmentEditor] {
    programs[.environment].map { [ExecEnvironmentEditor(runner: runner, program: $0)] } ?? []
  }

  /// `sender`: after all other rewriters.
  public var envelopeRewriters: [any EnvelopeRewriter] {
    programs[.sender].map { [ExecEnvelopeRewriter(runner: runner, program: $0)] } ?? []
  }

  /// `candidates`: after all other filters of them.
  public var candidateFilters: [any CandidateFilter] {
    programs[.candidates].map { [ExecCandidateFilter(runner: runner, program: $0)] } ?? []
  }

  /// `tls`: after all sources, which it knows by what they have demanded.
  public var tlsPolicyRevisers: [any TLSPolicyReviser] {
    programs[.tls].map { [ExecTLSPolicyReviser(runner: runner, program: $0)] } ?? []
  }

  /// `message`: after all other filters of it, so that a signature stays true.
  public var messageFilters: [any MessageFilter] {
    programs[.message].map { [ExecMessageFilter(runner: runner, program: $0)] } ?? []
  }

  /// `trace`.
  public var observers: [any Observer] {
    programs[.trace].map { [ExecTrace(runner, $0, environment)] } ?? []
  }

  /// `record`.
  public var recordSinks: [any RecordSink] {
    programs[.record].map { [ExecRecord(runner: runner, program: $0)] } ?? []
  }

  /// `credentials`: before all other sources.
  public var credentialSources: [any CredentialSource] {
    programs[.credentials].map { [ExecCredentialSource(runner: runner, program: $0, cache: tokens)] } ?? []
  }

  /// `mechanism`: before all other selectors.
  public var mechanismSelectors: [any MechanismSelector] {
    programs[.mechanism].map { [ExecMechanismSelector(runner: runner, program: $0)] } ?? []
  }
}
