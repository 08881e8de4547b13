// The program around a delivery: operands in, reports and an exit status out.

/// qmail-remote, but for the list of hooks.
public enum Program {
  /// Delivers what the process was started for, and writes the reports to descriptor 1.
  /// - Parameter hooks: the site's hooks for a control directory.
  /// - Returns: the exit status: 0, unless an outcome hook says otherwise.
  public static func run(
    operands: [Bytes], environment: Environment, hooks: (DialectChoice, Environment) -> HookSet
  ) -> Int32 {
    let circumstances = Circumstances.ofProcess()
    var site = HookSet()
    let outcome: Outcome
    do throws(DeliveryFailure) {
      let choice = try DialectChoice(operands: operands, environment: environment, open: ControlDirectory.init(path:))
      let envelope = try Envelope(operands: operands, convention: choice.convention)
      let config = try Config(choice.control, dialect: choice.dialect, environment: environment)
      site = hooks(choice, environment)
      let delivery = Delivery(
        hooks: site, resolver: CAresResolver(servers: environment.value(CAresResolver.variable), clock: circumstances.clock),
        interfaces: SystemInterfaces(), network: SocketNetwork(clock: circumstances.clock), lastWords: ProcessLastWords(),
        circumstances: circumstances)
      let plan = try delivery.plan(envelope, config)
      outcome = delivery.execute(plan, Message(DescriptorSource(descriptor: 0), extraHeader: envelope.extraHeader))
    } catch {
      outcome = Outcome(reports: Reports(message: error.report))
    }
    ReportWriter.write(outcome.reports)
    site.observe(.reported(outcome))
    var status: Int32?
    for hook in site.outcomeHooks { status = hook.run(outcome) ?? status }
    return status ?? 0
  }
}
