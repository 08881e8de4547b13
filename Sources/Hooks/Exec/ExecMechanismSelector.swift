// The program `mechanism` as a selector.
internal import Agent

/// Asks the program by which of the usable mechanisms to authenticate.
struct ExecMechanismSelector: MechanismSelector {
  let runner: HookRunner
  let program: HookProgram

  var name: String? { program.point.place }

  func choice(
    for question: MechanismQuestion, environment: Environment
  ) throws(DeliveryFailure) -> MechanismChoice? {
    var asked = HookQuestion(question.envelope)
    asked.add("relay", question.relay)
    asked.add("tls", Bytes(question.isSecured ? "1" : "0"))
    for name in question.offered { asked.add("offered", Bytes(name)) }
    for name in question.usable { asked.add("usable", Bytes(name)) }
    let answer = try runner.ask(program, asked, environment, keys: [HookKey("mechanism")])
    guard let value = answer?.value("mechanism") else { return nil }
    if value == Bytes("none") { return MechanismChoice.none }
    let name = value.text.uppercased()
    guard question.usable.contains(name) else {
      throw .hookFailed(program.point.place, "its answer names \(value.prefix(40).printable.text), which is not usable")
    }
    return .use(name)
  }
}
