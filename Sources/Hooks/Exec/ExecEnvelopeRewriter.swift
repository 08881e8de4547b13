// The program `sender` as a rewriter of the envelope.
internal import Agent

/// Asks the program for the sender that the remote host sees.
struct ExecEnvelopeRewriter: EnvelopeRewriter {
  let runner: HookRunner
  let program: HookProgram

  func sender(
    _ sender: Address, for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> SenderDecision? {
    var asked = HookQuestion(question)
    asked.add("route", route?.line.textWithoutCredentials ?? [])
    asked.add("outgoing", sender.raw)
    guard let answer = try runner.ask(program, asked, environment, keys: [HookKey("sender")]) else { return nil }
    guard let value = answer.value("sender") else { return nil }
    let rewritten = Address(value)
    if let fault = rewritten.fault(as: .sender) { throw .hookFailed(program.point.place, "the sender in its answer \(fault)") }
    return SenderDecision(rewritten, reason: "as \(program.point.place) says")
  }
}
