// The one list of hooks. A site that writes a hook in Swift adds its file to Sources/Hooks and one line here; the order is the
// precedence.
public import Agent
internal import Auth
internal import Hooks

public enum Site {
  /// The hooks of a delivery.
  public static func hooks(_ choice: DialectChoice, _ environment: Environment, _ circumstances: Circumstances) -> HookSet {
    // The site's own programs, one for each point that has one: asked first where the first answer wins, last in a chain.
    let programs = HookDirectory(choice, environment, circumstances, operands: Arguments.ofProcess())
    let recordSinks = (DeliveryLog(choice.control).map { [$0] } ?? []) + programs.recordSinks
    // Nobody wants records at most sites, and then none are made.
    let collector =
      recordSinks.isEmpty && !OutcomePrograms.wantRecord(environment)
      ? nil : RecordCollector(choice.dialect, environment, circumstances, sinks: recordSinks)
    return HookSet(
      routers: programs.routers + [
        MoreRoutes(choice.control, dialect: choice.dialect, environment: environment),
        AuthenticatedSenders(choice.control, dialect: choice.dialect),
        RouteTable(choice.control, dialect: choice.dialect, environment: environment),
      ],
      credentialSources: programs.credentialSources + [RouteCredentials(choice.control)],
      mechanismSelectors: programs.mechanismSelectors + [PreferredMechanism()],
      mechanisms: Mechanisms.all,
      environmentEditors: [EnvelopeRuleEditor(choice.control, environment)].compactMap(\.self) + programs.environmentEditors,
      envelopeRewriters: [BATV(choice.control, circumstances)] + programs.envelopeRewriters,
      candidateFilters: programs.candidateFilters,
      tlsPolicySources: [
        TLSDestinations(choice.control, dialect: choice.dialect),
        HostCertificates(choice.control),
        TrustAnchors(choice.control, dialect: choice.dialect),
        DefaultPosture(choice.control, dialect: choice.dialect),
      ],
      tlsPolicyRevisers: programs.tlsPolicyRevisers,
      recordVerifier: DaneService(circumstances),
      messageFilters: programs.messageFilters,
      backOff: TimeoutBackOff(choice.dialect, environment, circumstances),
      observers: (collector.map { [$0] } ?? []) + programs.observers,
      outcomeHooks: [
        OutcomePrograms(choice.control, environment, circumstances, arguments: Arguments.all(), collector: collector),
        TableUpkeep(choice.control, circumstances),
      ])
  }
}
