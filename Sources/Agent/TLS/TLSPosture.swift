// The policies of a delivery's exchangers before anything that DNS says of them: which source speaks first, and what the route and the
// variable SMTPS make of it (D3). Knows no control file.

/// Asks the sources.
struct TLSPosture {
  private let sources: [any TLSPolicySource]
  private let environment: Environment
  private let host: Domain
  private let relay: Domain?
  private let sender: Address
  private let route: Route?
  private let service: Service

  init(_ sources: [any TLSPolicySource], _ question: RouteQuestion, _ route: Route?, _ environment: Environment) {
    self.sources = sources
    self.environment = environment
    host = question.host
    relay = route?.line.relay
    sender = question.sender
    self.route = route
    service = Service(route)
  }

  /// What is spoken with an exchanger, and where.
  func service(of policy: TLSPolicy) -> Service { service.revised(by: policy) }

  /// The port that an exchanger is connected to.
  func port(of policy: TLSPolicy) -> UInt16 { service(of: policy).port }

  /// The policy for an exchanger.
  /// - Throws: 4.3.x when a source can't say.
  func policy(for exchanger: Bytes) throws(DeliveryFailure) -> TLSPolicy {
    let question = TLSQuestion(
      host: host, relay: relay, exchanger: exchanger, sender: sender, port: service.port,
      isImplicit: route?.line.implicitTLS ?? false)
    for source in sources {
      guard let policy = try source.policy(for: question, environment: environment) else { continue }
      return settled(policy, for: exchanger)
    }
    return settled(TLSPolicy(.none, source: "nobody asks for it"), for: exchanger)
  }

  /// With what holds whichever source has spoken: a port where TLS comes first, and a name to ask for.
  func settled(_ answer: TLSPolicy, for exchanger: Bytes) -> TLSPolicy {
    var policy = answer
    if policy.names.isEmpty { policy.names = [exchanger] }
    let service = service(of: policy)
    let demand: String? =
      if service.transport == .smtp, environment.value("SMTPS") != nil {
        "the variable SMTPS"
      } else if policy.port == nil, route?.line.implicitTLS == true {
        route?.source
      } else {
        service.port == service.transport.implicitPort ? policy.source : nil
      }
    if demand != nil { policy.start = .implicit }
    // Nobody answers there without TLS, so nobody can have meant it to be tried; and it never falls back.
    if policy.start == .implicit, policy.level == .none || policy.level == .may {
      policy.level = .encrypt
      policy.source = demand ?? policy.source
    }
    return service.transport == .qmtp && policy.start != .implicit ? withoutStartTLS(policy) : policy
  }

  /// QMTP has TLS from the first byte or not at all. What demands it then stays, for a report; what only likes to have it is void.
  private func withoutStartTLS(_ policy: TLSPolicy) -> TLSPolicy {
    var void = policy.isMandatory ? policy : .overPlainQMTP
    void.port = policy.port
    void.records = .skip
    return void
  }
}
