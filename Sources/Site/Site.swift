// The one list of hooks. A site that writes a hook in Swift adds its file to Sources/Hooks and one line here; the order is the
// precedence.
public import Agent
internal import Hooks

public enum Site {
  /// The hooks of a delivery.
  public static func hooks(_ choice: DialectChoice, _ environment: Environment, _ circumstances: Circumstances) -> HookSet {
    HookSet(
      routers: [RouteTable(choice.control, dialect: choice.dialect)],
      backOff: TimeoutBackOff(choice.dialect, environment, circumstances),
      observers: [],
      outcomeHooks: [])
  }
}
