// The programs around a delivery: operands in, reports and an exit status out.

/// What the executables do, but for the list of hooks.
public enum Program {
  /// The site's hooks for a control directory.
  public typealias HookList = (DialectChoice, Environment, Circumstances) -> HookSet

  /// qmail-remote(8): delivers what the process was started for, and writes the reports to descriptor 1.
  /// - Returns: the exit status: the outcome's, unless an outcome hook says otherwise.
  public static func deliver(operands: [Bytes], environment: Environment, hooks: HookList) -> Int32 {
    var site = HookSet()
    let outcome: Outcome
    do throws(DeliveryFailure) {
      let (delivery, plan) = try plan(operands: operands, environment: environment, hooks: hooks, chosen: &site)
      let source = DescriptorSource(
        descriptor: 0, by: Deadline(plan.timeouts.delivery, after: delivery.start), clock: delivery.circumstances.clock)
      outcome = delivery.execute(plan, Message(source, extraHeader: plan.envelope.extraHeader))
    } catch {
      outcome = Outcome(error)
    }
    ReportWriter.write(outcome.reports)
    site.observe(.reported(outcome))
    var status: Int32?
    for hook in site.outcomeHooks { status = hook.run(outcome) ?? status }
    return status ?? outcome.status
  }

  /// qmail-remote-explain(8): what a delivery with these operands would do, in words, without a packet to any mail server.
  public static func explain(operands: [Bytes], environment: Environment, hooks: HookList) -> String {
    var site = HookSet()
    do throws(DeliveryFailure) {
      let (_, plan) = try plan(operands: operands, environment: environment, hooks: hooks, chosen: &site)
      return (PlanText.lines(plan) + site.intentions(plan.environment)).map { $0 + "\n" }.joined()
    } catch {
      return "report: \(error.report.wire.dropLast().text)"
    }
  }

  /// - Parameter chosen: gets the hooks as soon as they are known, for what comes after a failure.
  private static func plan(
    operands: [Bytes], environment: Environment, hooks: HookList, chosen: inout HookSet
  ) throws(DeliveryFailure) -> (Delivery, DeliveryPlan) {
    let circumstances = Circumstances.ofProcess()
    let choice: DialectChoice
    do throws(DeliveryFailure) {
      choice = try DialectChoice(operands: operands, environment: environment, open: ControlDirectory.init(path:))
    } catch {
      chosen = hooks(
        DialectChoice(without: operands, environment: environment, open: ControlDirectory.init(path:)), environment,
        circumstances)
      throw error
    }
    do throws(DeliveryFailure) {
      return try plan(operands, environment, choice, circumstances, hooks, &chosen)
    } catch {
      throw error.worded(for: choice.dialect)
    }
  }

  private static func plan(
    _ operands: [Bytes], _ environment: Environment, _ choice: DialectChoice, _ circumstances: Circumstances, _ hooks: HookList,
    _ chosen: inout HookSet
  ) throws(DeliveryFailure) -> (Delivery, DeliveryPlan) {
    chosen = hooks(choice, environment, circumstances)
    let envelope = try Envelope(operands: operands, convention: choice.convention)
    let delivery = Delivery(
      hooks: chosen,
      resolver: CAresResolver(servers: environment.value(CAresResolver.variable), clock: circumstances.clock),
      interfaces: SystemInterfaces(), network: SocketNetwork(clock: circumstances.clock), lastWords: ProcessLastWords(),
      circumstances: circumstances)
    do throws(DeliveryFailure) {
      return (delivery, try delivery.plan(envelope, choice, environment))
    } catch {
      var failure = error
      failure.envelope = envelope
      throw failure
    }
  }
}
