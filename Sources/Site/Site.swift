// The one list of hooks. A site that writes a hook in Swift adds its file to Sources/Hooks and one line here; the order is the
// precedence.
public import Agent
internal import Auth
internal import Hooks

public enum Site {
  /// The hooks of a delivery.
  public static func hooks(_ choice: DialectChoice, _ environment: Environment, _ circumstances: Circumstances) -> HookSet {
    HookSet(
      routers: [
        MoreRoutes(choice.control, dialect: choice.dialect, environment: environment),
        AuthenticatedSenders(choice.control, dialect: choice.dialect),
        RouteTable(choice.control, dialect: choice.dialect, environment: environment),
      ],
      credentialSources: [RouteCredentials(choice.control)],
      backOff: TimeoutBackOff(choice.dialect, environment, circumstances),
      observers: [],
      outcomeHooks: [])
  }
}
