// The program `route` as a router.
internal import Agent

/// Asks the program for a route.
struct ExecRouter: Router {
  let runner: HookRunner
  let program: HookProgram
  /// That of the start: nothing has edited it yet.
  let environment: Environment

  /// It is told of all recipients at once, and answers for all of them.
  var dependsOnRecipients: Bool { false }

  func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    let answer = try runner.ask(program, HookQuestion(question), environment, keys: [HookKey("route")])
    guard let value = answer?.value("route") else { return nil }
    let place = program.point.place
    do throws(DeliveryFailure) {
      return Route(line: try RouteLine(value, dialect: runner.dialect, place: place), source: place)
    } catch {
      throw error.ofHook
    }
  }
}
