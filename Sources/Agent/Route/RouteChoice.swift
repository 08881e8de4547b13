// One route for a delivery: the routers are asked in order, and those whose answer depends on the recipient, for each recipient.

/// Asks the routers.
struct RouteChoice {
  private let routers: [any Router]
  private let question: RouteQuestion
  /// What the routers that don't look at recipients have said.
  private var common: [Answer]

  private enum Answer {
    case unasked
    case given(Route?)
  }

  init(_ routers: [any Router], _ question: RouteQuestion) {
    self.routers = routers
    self.question = question
    common = Array(repeating: .unasked, count: routers.count)
  }

  /// The route of the first recipient, which is the delivery's.
  mutating func route() throws(DeliveryFailure) -> Route? {
    guard let first = question.recipients.first else { return nil }
    return try route(of: first)
  }

  /// The recipients that would take another, or other credentials or settings.
  /// - Parameter settingsDiffer: whether they may, with one route.
  mutating func deferred(
    from route: Route?, settingsDiffer: Bool, _ settings: Settings
  ) throws(DeliveryFailure) -> [DeferredRecipient] {
    let mayDiffer = settingsDiffer || route?.line.credentials == .recipient
    guard question.recipients.count > 1, let leader = question.recipients.first,
      mayDiffer || routers.contains(where: \.dependsOnRecipients)
    else { return [] }
    let first = mayDiffer ? try settings(question.only(leader)) : nil
    var deferred: [DeferredRecipient] = []
    for (position, recipient) in question.recipients.enumerated() {
      let isSame = try self.route(of: recipient)?.line == route?.line
      if isSame, !mayDiffer { continue }
      if isSame, try settings(question.only(recipient)) == first { continue }
      deferred.append(DeferredRecipient(position: position, address: recipient))
    }
    return deferred
  }

  /// What the chosen route comes to for a recipient.
  typealias Settings = (RouteQuestion) throws(DeliveryFailure) -> RecipientSettings

  private mutating func route(of recipient: Address) throws(DeliveryFailure) -> Route? {
    for (index, router) in routers.enumerated() {
      let answer: Route?
      if router.dependsOnRecipients {
        answer = try router.route(for: question.only(recipient))
      } else if case .given(let known) = common[index] {
        answer = known
      } else {
        answer = try router.route(for: question)
        common[index] = .given(answer)
      }
      if let answer { return answer }
    }
    return nil
  }
}

/// What may differ between recipients that take one route.
struct RecipientSettings: Equatable {
  /// Who the mail is relayed as; nil for nobody.
  let user: Bytes?
  /// Those of the editors that look at recipients.
  let edits: [EnvironmentEdit]
}
