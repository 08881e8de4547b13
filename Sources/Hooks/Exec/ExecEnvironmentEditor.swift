// The program `environment` as an editor.
internal import Agent

/// Asks the program for edits of the environment.
struct ExecEnvironmentEditor: EnvironmentEditor {
  let runner: HookRunner
  let program: HookProgram

  private static let keys = [HookKey("set", .anyNumber), HookKey("unset", .anyNumber)]

  func edits(
    for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [EnvironmentEdits] {
    var asked = HookQuestion(question)
    asked.add("route", route?.line.textWithoutCredentials ?? [])
    guard let answer = try runner.ask(program, asked, environment, keys: ExecEnvironmentEditor.keys) else { return [] }
    let place = program.point.place
    var edits: [EnvironmentEdit] = []
    for (key, value) in answer.lines {
      if key == "unset" {
        edits.append(.unset(name: value))
        continue
      }
      guard let equals = value.firstIndex(of: UInt8(ascii: "=")) else {
        throw .hookFailed(place, "its answer has no = in the value of set")
      }
      edits.append(.set(name: Bytes(value[..<equals]), value: Bytes(value[(equals + 1)...])))
    }
    do throws(DeliveryFailure) {
      return [try EnvironmentEdits(edits, source: place)]
    } catch {
      throw error.ofHook
    }
  }
}
