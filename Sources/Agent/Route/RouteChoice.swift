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

  /// The recipients that would take another, or other credentials.
  mutating func deferred(from route: Route?, _ identity: Identity) throws(DeliveryFailure) -> [DeferredRecipient] {
    let credentialsDiffer = route?.line.credentials == .recipient
    guard question.recipients.count > 1, credentialsDiffer || routers.contains(where: \.dependsOnRecipients) else { return [] }
    let first = try identity(question)
    var deferred: [DeferredRecipient] = []
    for (position, recipient) in question.recipients.enumerated() {
      let isSame = try self.route(of: recipient)?.line == route?.line
      if isSame, !credentialsDiffer { continue }
      if isSame, try identity(question.only(recipient))?.user == first?.user { continue }
      deferred.append(DeferredRecipient(position: position, address: recipient))
    }
    return deferred
  }

  /// Who mail with the chosen route is relayed as.
  typealias Identity = (RouteQuestion) throws(DeliveryFailure) -> CredentialIdentity?

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
