// From exchangers to what each of them has to prove: policies by source, revised by a site's program, raised by TLSA records, and held
// against the opinion of a service. What is asked of DNS on the way is asked along with the addresses wherever it can be.

/// Plans TLS for a delivery.
final class TLSPlanner {
  private let hooks: HookSet
  private let question: RouteQuestion
  private let environment: Environment
  private let rules: RecordRules
  private let posture: TLSPosture
  /// A list, not a dictionary: there are few, and the first dictionary costs a process more than looking through them.
  private var policies: [(name: Bytes, policy: TLSPolicy)] = []

  init(_ hooks: HookSet, _ question: RouteQuestion, _ route: Route?, _ config: Config) {
    self.hooks = hooks
    self.question = question
    environment = config.environment
    rules = config.records
    posture = TLSPosture(hooks.tlsPolicySources, question, route, config.environment)
  }

  /// The port for which TLSA records of an exchanger are looked for; nil where they don't count.
  func recordPort(for exchanger: Bytes) throws(DeliveryFailure) -> UInt16? {
    let policy = try policy(for: exchanger)
    switch policy.records {
    case .skip: return nil
    case .use: return try rules.count(for: exchanger) ? posture.port(of: policy) : nil
    case .always: return posture.port(of: policy)
    }
  }

  private func policy(for exchanger: Bytes) throws(DeliveryFailure) -> TLSPolicy {
    if let known = policies.first(where: { $0.name == exchanger }) { return known.policy }
    let policy = try posture.policy(for: exchanger)
    policies.append((exchanger, policy))
    return policy
  }

  /// The decisions about all exchangers.
  /// - Parameters:
  ///   - exchangers: with what DNS said of their records; gets what has to be asked in addition.
  ///   - names: validated ones of the domain that the exchangers are for.
  func decide(
    _ exchangers: inout [MailExchanger], _ names: [Bytes], _ search: RecordSearch
  ) throws(DeliveryFailure) -> TLSDecisions {
    if try revise(exchangers) {
      var ports: [UInt16?] = []
      for exchanger in exchangers { ports.append(try recordPort(for: exchanger.name)) }
      search.ask(&exchangers, ports: ports)
    }
    var decisions = TLSDecisions()
    for exchanger in exchangers where !exchanger.addresses.isEmpty && decisions[exchanger.name] == nil {
      let policy = try policy(for: exchanger.name)
      let outcome = policy.raised(by: exchanger.tlsa, of: exchanger.name, names: names)
      decisions.add(TLSDecision(name: exchanger.name, service: posture.service(of: policy), outcome: outcome))
    }
    if let service = rules.service { try consult(service, &decisions) }
    return decisions
  }

  /// Lets the site's program have its word.
  /// - Returns: whether it had any.
  private func revise(_ exchangers: [MailExchanger]) throws(DeliveryFailure) -> Bool {
    guard !hooks.tlsPolicyRevisers.isEmpty else { return false }
    var isRevised = false
    for reviser in hooks.tlsPolicyRevisers {
      var subjects: [TLSSubject] = []
      for exchanger in exchangers {
        let policy = try policy(for: exchanger.name)
        let port = posture.port(of: policy)
        subjects += exchanger.addresses.map {
          TLSSubject(name: exchanger.name, address: $0, port: port, level: policy.level)
        }
      }
      guard let revision = try reviser.revision(of: subjects, for: question, environment: environment) else { continue }
      isRevised = true
      policies = policies.map { ($0.name, posture.settled(revision.applied(to: $0.policy), for: $0.name)) }
    }
    return isRevised
  }

  /// Asks about the exchangers that have to prove themselves by records.
  private func consult(_ service: RecordService, _ decisions: inout TLSDecisions) throws(DeliveryFailure) {
    let judged = decisions.all.filter { $0.policy?.level == .dane }.map(\.name)
    guard let verifier = hooks.recordVerifier, !judged.isEmpty else { return }
    let opinions = try verifier.opinions(on: judged, by: service)
    for (name, opinion) in zip(judged, opinions) { decisions.take(opinion, on: name, from: service) }
  }
}

/// What is decided about TLS with an exchanger.
struct TLSDecision: Equatable {
  let name: Bytes
  let service: Service
  var outcome: RecordOutcome

  /// nil if it can't be used.
  var policy: TLSPolicy? {
    guard case .policy(let policy) = outcome else { return nil }
    return policy
  }
}

/// What is decided about each exchanger.
struct TLSDecisions {
  private(set) var all: [TLSDecision] = []

  subscript(name: Bytes) -> TLSDecision? { all.first { $0.name == name } }

  mutating func add(_ decision: TLSDecision) { all.append(decision) }

  /// An opinion can only take an exchanger away.
  mutating func take(_ opinion: RecordOpinion, on name: Bytes, from service: RecordService) {
    guard let index = all.firstIndex(where: { $0.name == name }), var policy = all[index].policy else { return }
    let who = "qmail-daned at \(service.text.printable.text)"
    switch opinion {
    case .unobjectionable(let words):
      policy.source += "; \(who): \(words)"
      all[index].outcome = .policy(policy)
    case .distrusted(let words):
      all[index].outcome = .unusable(.recordsDistrusted(name, "\(who): \(words)"), reason: "\(who): \(words)")
    }
  }
}
