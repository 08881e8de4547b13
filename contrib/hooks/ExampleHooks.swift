// Hooks in Swift, an example for each point (qmail-remote-hooks(7), HOOKS IN SWIFT). Copy what you need into a file in Sources/Hooks, and
// put a line for each hook into the list in Sources/Site/Site.swift; the order there is the precedence. Each of these does nothing without
// its variable, so that all of them can be in one program.
public import Agent
internal import Glibc

/// Another way for all mail: EXAMPLE_ROUTE, written as in smtproutes.
public struct ExampleRouter: Router {
  private let value: Bytes?
  private let dialect: Dialect

  public init(_ environment: Environment, _ dialect: Dialect) {
    value = environment.value("EXAMPLE_ROUTE")
    self.dialect = dialect
  }

  public var dependsOnRecipients: Bool { false }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    guard let value else { return nil }
    return Route(line: try RouteLine(value, dialect: dialect, place: "the variable EXAMPLE_ROUTE"), source: "the example")
  }
}

/// Settings: EXAMPLE_EDITS, written as behind a route.
public struct ExampleEditor: EnvironmentEditor {
  public init() {}

  public func edits(
    for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [EnvironmentEdits] {
    guard let edits = environment.value("EXAMPLE_EDITS") else { return [] }
    return [try EnvironmentEdits(envstr: edits, source: "the example")]
  }
}

/// A word in front of the sender: EXAMPLE_PREFIX. The null sender of bounces stays what it is.
public struct ExampleRewriter: EnvelopeRewriter {
  public init() {}

  public func sender(
    _ sender: Address, for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> SenderDecision? {
    guard let prefix = environment.value("EXAMPLE_PREFIX"), !sender.isNull else { return nil }
    return SenderDecision(Address(prefix + sender.raw), reason: "prefixed by the example")
  }
}

/// An address that is not connected to: EXAMPLE_EXCLUDED.
public struct ExampleFilter: CandidateFilter {
  public init() {}

  public var name: String { "the example" }

  public func candidates(
    _ candidates: [Candidate], for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [Candidate]? {
    guard let excluded = environment.value("EXAMPLE_EXCLUDED").flatMap({ IPAddress($0) }) else { return nil }
    return candidates.filter { $0.address != excluded }
  }
}

/// A level of TLS for all servers: EXAMPLE_LEVEL.
public struct ExamplePolicy: TLSPolicySource {
  public init() {}

  public func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy? {
    guard let word = environment.value("EXAMPLE_LEVEL") else { return nil }
    // A level that nobody knows must not become none.
    guard let level = TLSPolicy.Level(rawValue: String(decoding: word, as: UTF8.self)) else {
      throw DeliveryFailure(.init(.temporary, 3, 5), Array("Unable to use the variable EXAMPLE_LEVEL.".utf8))
    }
    return TLSPolicy(level, source: "the example")
  }
}

/// The control file `examplesecret`: user and password, a line each.
public struct ExampleCredentials: CredentialSource {
  private let control: ControlDirectory

  public init(_ control: ControlDirectory) { self.control = control }

  private func file() throws(DeliveryFailure) -> [Bytes] {
    try control.file("examplesecret")?.lines.map { Bytes($0.text) } ?? []
  }

  public func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    guard let user = try file().first else { return nil }
    return CredentialIdentity(user: user, source: "the example")
  }

  public func credentials(
    for request: CredentialRequest, environment: Environment
  ) throws(DeliveryFailure) -> Credentials? {
    let lines = try file()
    // What was refused would be refused again.
    guard lines.count == 2, request.refused == nil else { return nil }
    return Credentials(user: lines[0], secret: Secret(lines[1]), kind: .password)
  }
}

/// One mechanism before all others: EXAMPLE_MECHANISM.
public struct ExampleSelector: MechanismSelector {
  private let wanted: String?

  public init(_ environment: Environment) {
    wanted = environment.value("EXAMPLE_MECHANISM").map { String(decoding: $0, as: UTF8.self) }
  }

  public var name: String? { wanted == nil ? nil : "the example" }

  public func choice(for question: MechanismQuestion, environment: Environment) throws(DeliveryFailure) -> MechanismChoice? {
    guard let wanted, question.usable.contains(wanted) else { return nil }
    return .use(wanted)
  }
}

/// A mechanism that nobody else has: user and password divided by a colon, under TLS or not. Don't use it.
public struct ExampleMechanism: Mechanism {
  public init() {}

  public var profile: MechanismProfile {
    MechanismProfile("X-EXAMPLE", exposure: .secret, choice: .byNameOnly, disabledBy: nil, responseNames: ["x-example"])
  }

  public func begin(
    _ credentials: Credentials, _ channel: AuthenticationChannel
  ) throws(DeliveryFailure) -> any MechanismExchange {
    ExampleExchange(credentials)
  }
}

private final class ExampleExchange: MechanismExchange {
  private let credentials: Credentials

  init(_ credentials: Credentials) { self.credentials = credentials }

  func initialResponse() throws(MechanismFault) -> Secret? {
    var text = credentials.user + [UInt8(ascii: ":")]
    credentials.secret.append(to: &text)
    return Secret(taking: &text)
  }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret { throw .noChallenge }

  var isComplete: Bool { true }
}

/// A line in front of the message: EXAMPLE_LINE.
public struct ExampleMessageFilter: MessageFilter {
  private let line: Bytes?

  public init(_ environment: Environment) { line = environment.value("EXAMPLE_LINE") }

  public var name: String { "the example" }

  public func message(_ message: MessageFile, for plan: DeliveryPlan) throws(DeliveryFailure) -> MessageFile? {
    guard let line else { return nil }
    let new = try MessageFile(plan.environment)
    try new.append(line + [UInt8(ascii: "\n")])
    var offset = 0
    while true {
      let block = try message.read(at: offset, limit: 65_536)
      if block.isEmpty { return new }
      try new.append(block)
      offset += block.count
    }
  }
}

/// An address that counts as failing: EXAMPLE_FAILING. Everything else is left to another memory.
public struct ExampleBackOff: BackOff {
  private let other: any BackOff
  private let failing: IPAddress?

  public init(_ other: any BackOff, _ environment: Environment) {
    self.other = other
    failing = environment.value("EXAMPLE_FAILING").flatMap { IPAddress($0) }
  }

  public func isAvoided(_ candidate: Candidate, _ limits: BackOffLimits) -> Bool {
    candidate.address == failing || other.isAvoided(candidate, limits)
  }

  public func record(_ event: BackOffEvent, _ limits: BackOffLimits) { other.record(event, limits) }
}

/// Connections and replies, a line each, at the end of the file that EXAMPLE_LOG names.
public struct ExampleObserver: Observer {
  private let path: String?

  public init(_ environment: Environment) {
    path = environment.value("EXAMPLE_LOG").map { String(decoding: $0, as: UTF8.self) }
  }

  public var intentions: [String] { path.map { ["observed: \($0) (the example)"] } ?? [] }

  public func observe(_ event: DeliveryEvent) {
    guard let path else { return }
    switch event {
    case .connected(let candidate): append("connected to \(candidate.address.text)\n", to: path)
    case .received(let reply): append("reply \(reply.code)\n", to: path)
    default: break
    }
  }
}

/// A line for each delivery, at the end of the file that EXAMPLE_OUTCOMES names.
public struct ExampleOutcome: OutcomeHook {
  private let path: String?

  public init(_ environment: Environment) {
    path = environment.value("EXAMPLE_OUTCOMES").map { String(decoding: $0, as: UTF8.self) }
  }

  public func intentions(_ environment: Environment) -> [String] { path.map { ["afterwards: \($0) (the example)"] } ?? [] }

  public func run(_ outcome: Outcome) -> Int32? {
    guard let path else { return nil }
    // The host is whatever somebody wrote: it must not make lines of its own.
    let host = (outcome.envelope?.host.text ?? []).map { $0 < 33 || $0 > 126 ? UInt8(ascii: "?") : $0 }
    append("\(String(decoding: host, as: UTF8.self)): \(outcome.reports.concluded)\n", to: path)
    return nil
  }
}

/// What can't be written is lost: neither observers nor outcome hooks may keep a delivery waiting or make it fail.
private func append(_ line: String, to path: String) {
  let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
  guard file >= 0 else { return }
  let bytes = Array(line.utf8)
  _ = unsafe write(file, bytes, bytes.count)
  _ = close(file)
}
