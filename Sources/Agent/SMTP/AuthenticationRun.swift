// Who authenticates with a server, and by which mechanism: the two things that need its offer. Asks the hooks; sends nothing.

/// Why mail goes without authentication, though somebody has asked for it.
public enum AuthenticationLack: Equatable, Sendable {
  /// The server offers nothing that may be used with these credentials.
  case mechanism
  case credentials(AuthenticationPlan.Lack?)

  var words: String {
    switch self {
    case .mechanism: "no supported AUTH method found"
    case .credentials(let lack): lack?.words ?? "no credentials"
    }
  }

  /// For a report on mail that went on; nil for what is as it should be.
  var notice: String? {
    if case .credentials(let lack?) = self, lack.notice == nil { return nil }
    return "\(words), continuing without authentication"
  }
}

/// The decisions about one connection.
struct AuthenticationRun {
  /// What is to be tried.
  struct Attempt {
    let credentials: Credentials
    let mechanism: any Mechanism
    /// Where the credentials come from, in the plan.
    fileprivate let position: Int
  }

  enum Choice {
    case notWanted
    case attempt(Attempt)
    case without(AuthenticationLack)
  }

  let hooks: HookSet
  let plan: AuthenticationPlan
  let route: Route
  let environment: Environment
  let channel: AuthenticationChannel

  /// The secret is asked for before the mechanism is chosen, because what can be used depends on what it is.
  func choice() throws(DeliveryFailure) -> Choice {
    guard !plan.credentials.isEmpty else { return .without(.credentials(plan.lack)) }
    let usable = plan.rules.usable(hooks.mechanisms, on: channel)
    guard !usable.isEmpty else {
      // A program that might have had credentials wasn't asked, so nobody knows that this mail should have had any.
      return plan.isExpected ? .without(.mechanism) : .notWanted
    }
    for position in plan.credentials.indices {
      guard let credentials = try credentials(position, usable) else { continue }
      return try choice(credentials, position, usable).map(Choice.attempt) ?? .without(.mechanism)
    }
    return plan.isExpected ? .without(.credentials(plan.lack)) : .notWanted
  }

  /// What else the source of the credentials has, once the server has refused them.
  /// - Returns: nil when it has nothing else.
  func attempt(after first: Attempt, refused reply: Reply) throws(DeliveryFailure) -> Attempt? {
    let usable = plan.rules.usable(hooks.mechanisms, on: channel)
    guard
      let credentials = try credentials(first.position, usable, refused: RefusedCredentials(first.credentials, reply))
    else { return nil }
    return try choice(credentials, first.position, usable)
  }

  /// For observers.
  func identity(_ attempt: Attempt) -> AuthenticatedIdentity {
    AuthenticatedIdentity(
      user: attempt.credentials.user, source: plan.credentials[attempt.position].identity.source,
      mechanism: attempt.mechanism.profile.name)
  }

  private func credentials(
    _ position: Int, _ usable: [any Mechanism], refused: RefusedCredentials? = nil
  ) throws(DeliveryFailure) -> Credentials? {
    let planned = plan.credentials[position]
    let request = CredentialRequest(
      envelope: plan.envelope, route: route, mechanisms: usable.map(\.profile.name), user: plan.user, refused: refused)
    let found = try hooks.credentialSources[planned.source].credentials(for: request, environment: environment)
    return try found.map { credentials throws(DeliveryFailure) in try plan.rules.classified(credentials) }
  }

  private func choice(
    _ credentials: Credentials, _ position: Int, _ usable: [any Mechanism]
  ) throws(DeliveryFailure) -> Attempt? {
    let fitting = usable.filter { mechanism in
      mechanism.profile.accepts.contains(credentials.kind)
        && credentials.mechanism.map { $0 == mechanism.profile.name } ?? true
    }
    guard !fitting.isEmpty else { return nil }
    let question = MechanismQuestion(
      envelope: plan.envelope, relay: channel.host, isSecured: channel.isSecured, offered: channel.offered,
      usable: fitting.map(\.profile.name))
    for selector in hooks.mechanismSelectors {
      switch try selector.choice(for: question, environment: environment) {
      case nil: continue
      case .some(.none): return nil
      case .use(let name):
        guard let mechanism = fitting.first(where: { $0.profile.name == name }) else { return nil }
        return Attempt(credentials: credentials, mechanism: mechanism, position: position)
      }
    }
    return nil
  }
}
