// Rules by sender and recipient as an editor: settings for some of the mail without a program in front of qmail-remote.
public import Agent

/// Edits the environment by the site's rules, if ENVRULES_REMOTE is set.
public struct EnvelopeRuleEditor: EnvironmentEditor {
  private let control: ControlDirectory

  /// Read when a delivery starts, and not again after edits.
  static let variable = "ENVRULES_REMOTE"

  /// - Returns: nil when the site doesn't want it.
  public init?(_ control: ControlDirectory, _ environment: Environment) {
    guard environment.value(EnvelopeRuleEditor.variable) != nil else { return nil }
    self.control = control
  }

  /// Whoever has rules of their own gets a delivery of their own.
  public var dependsOnRecipients: Bool { true }

  public func edits(
    for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> [EnvironmentEdits] {
    var edited = environment
    let ofSender = try edits(EnvelopeRules.ofSender, question.sender, &edited)
    // What the sender's rules say of files and patterns holds for the recipient's.
    let ofRecipient = try question.recipients.first.map { recipient throws(DeliveryFailure) in
      try edits(EnvelopeRules.ofRecipient, recipient, &edited)
    }
    return ofSender + (ofRecipient ?? [])
  }

  private func edits(
    _ source: EnvelopeRules.Source, _ address: Address, _ environment: inout Environment
  ) throws(DeliveryFailure) -> [EnvironmentEdits] {
    guard let rules = try EnvelopeRules(source, control, environment) else { return [] }
    var all: [EnvironmentEdits] = []
    for rule in try rules.rules(for: address.raw) {
      let edits = try EnvironmentEdits(envstr: rule.edits, source: rule.place)
      environment.apply(edits)
      all.append(edits)
    }
    return all
  }
}
