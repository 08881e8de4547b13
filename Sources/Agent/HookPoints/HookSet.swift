// All hooks of a delivery, in the order in which they are asked.

/// The hooks. Built in `Site`, the one list that a site edits.
public struct HookSet {
  public var routers: [any Router]
  public var credentialSources: [any CredentialSource]
  private let makeMechanismSelectors: () -> [any MechanismSelector]
  private let makeMechanisms: () -> [any Mechanism]
  public var environmentEditors: [any EnvironmentEditor]
  public var envelopeRewriters: [any EnvelopeRewriter]
  public var candidateFilters: [any CandidateFilter]
  public var tlsPolicySources: [any TLSPolicySource]
  public var tlsPolicyRevisers: [any TLSPolicyReviser]
  public var recordVerifier: (any RecordVerifier)?
  public var messageFilters: [any MessageFilter]
  public var backOff: any BackOff
  public var observers: [any Observer]
  public var outcomeHooks: [any OutcomeHook]

  /// - Parameters mechanismSelectors, mechanisms: made for a delivery that authenticates.
  public init(
    routers: [any Router] = [], credentialSources: [any CredentialSource] = [],
    mechanismSelectors: @autoclosure @escaping () -> [any MechanismSelector] = [],
    mechanisms: @autoclosure @escaping () -> [any Mechanism] = [],
    environmentEditors: [any EnvironmentEditor] = [],
    envelopeRewriters: [any EnvelopeRewriter] = [], candidateFilters: [any CandidateFilter] = [],
    tlsPolicySources: [any TLSPolicySource] = [], tlsPolicyRevisers: [any TLSPolicyReviser] = [],
    recordVerifier: (any RecordVerifier)? = nil, messageFilters: [any MessageFilter] = [],
    backOff: any BackOff = NoBackOff(), observers: [any Observer] = [],
    outcomeHooks: [any OutcomeHook] = []
  ) {
    self.routers = routers
    self.credentialSources = credentialSources
    makeMechanismSelectors = mechanismSelectors
    makeMechanisms = mechanisms
    self.environmentEditors = environmentEditors
    self.envelopeRewriters = envelopeRewriters
    self.candidateFilters = candidateFilters
    self.tlsPolicySources = tlsPolicySources
    self.tlsPolicyRevisers = tlsPolicyRevisers
    self.recordVerifier = recordVerifier
    self.messageFilters = messageFilters
    self.backOff = backOff
    self.observers = observers
    self.outcomeHooks = outcomeHooks
  }

  var mechanismSelectors: [any MechanismSelector] { makeMechanismSelectors() }

  /// The one to be preferred first.
  var mechanisms: [any Mechanism] { makeMechanisms() }

  /// What those will do that are asked after the plan, a line each.
  func intentions(_ environment: Environment) -> [String] {
    messageFilters.map { "message: filtered by \($0.name)" } + observers.flatMap(\.intentions)
      + outcomeHooks.flatMap { $0.intentions(environment) }
  }

  func observe(_ event: @autoclosure () -> DeliveryEvent) {
    guard !observers.isEmpty else { return }
    let event = event()
    for observer in observers { observer.observe(event) }
  }
}
