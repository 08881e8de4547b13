// The part of a plan that is about authentication: whose credentials, by which rules, and what becomes of the mail without them.

/// How mail to a relay is authenticated.
public struct AuthenticationPlan: Equatable, Sendable {
  /// Credentials, and the source that has their secret.
  public struct Planned: Equatable, Sendable {
    public let identity: CredentialIdentity
    /// In the list of sources.
    let source: Int
  }

  /// Why there are none, though the route refers to some.
  public enum Lack: Equatable, Sendable {
    case notFound(CredentialReference)
    /// A secret is for a relay that somebody has chosen, and never for whomever DNS names.
    case noRelay
    /// They are for AUTH_SMTP, which isn't set.
    case notEnabled
  }

  /// Asked for the secret in this order, until one answers.
  public let credentials: [Planned]
  public let lack: Lack?
  public let rules: AuthenticationRules
  /// Who is asked for the mechanism.
  public let selectors: [String]
  let envelope: RouteQuestion

  /// - Throws: 4.3.5 when authentication is required, and it is known already that there will be none.
  func checkRequirement(_ route: Route?) throws(DeliveryFailure) {
    guard let requirement = rules.requiredBy, let lack, credentials.isEmpty else { return }
    throw .controlInvalid(route?.source ?? "the route", "\(lack.words), and \(requirement) asks for authentication")
  }

  /// Somebody counts on authentication; else only a program knows whether there is to be any.
  var isExpected: Bool { user != nil || lack?.notice != nil || lack != nil && rules.requiredBy != nil }

  /// As whom, as far as the plan can know.
  public var user: Bytes? { credentials.lazy.compactMap(\.identity.user).first }
}

extension AuthenticationPlan.Lack {
  /// nil for what is as it should be, unless somebody insists on authentication.
  var notice: String? { self == .notEnabled ? nil : words }

  var words: String {
    switch self {
    case .notFound(.sender), .notFound(.pipe), .notFound(.space): "no credentials for this sender"
    case .notFound(.recipient): "no credentials for this recipient"
    case .notFound(.token): "no credentials"
    case .noRelay: "no relay that credentials could be for"
    case .notEnabled: "AUTH_SMTP is not set"
    }
  }
}

extension Delivery {
  /// As whom a relay gets the mail: each source that may know, up to the first that does. Never asked for hosts found by MX, nor for QMTP,
  /// which has no authentication.
  func credentials(
    _ question: RouteQuestion, _ route: Route?, _ environment: Environment
  ) throws(DeliveryFailure) -> [AuthenticationPlan.Planned] {
    guard let route, route.line.relay != nil, route.transport == .smtp else { return [] }
    var found: [AuthenticationPlan.Planned] = []
    for (index, source) in hooks.credentialSources.enumerated() {
      guard let identity = try source.identity(for: question, route: route, environment: environment) else { continue }
      found.append(.init(identity: identity, source: index))
      if identity.user != nil { break }
    }
    return found
  }

  /// - Parameter edited: with all edits, those that stand with the credentials included.
  /// - Returns: nil when nobody wants to authenticate.
  /// - Throws: 4.3.5 for settings that can't be followed.
  func authentication(
    _ question: RouteQuestion, _ route: Route?, _ found: [AuthenticationPlan.Planned], _ control: ControlDirectory,
    _ edited: Environment
  ) throws(DeliveryFailure) -> AuthenticationPlan? {
    guard let route, !found.isEmpty || route.line.credentials != nil else { return nil }
    guard route.transport == .smtp else {
      guard let requirement = try AuthenticationRules.requirement(control, edited) else { return nil }
      throw .controlInvalid(route.source, "QMTP has no authentication, and \(requirement) asks for it")
    }
    let rules = try AuthenticationRules(hooks.mechanisms.map(\.profile), control, edited)
    let isEnabled = edited.value(AuthenticationRules.choiceVariable) != nil
    let used = found.filter { isEnabled || $0.identity.condition == .always }
    var lack: AuthenticationPlan.Lack?
    if let reference = route.line.credentials, !used.contains(where: { $0.identity.user != nil }) {
      if !isEnabled, !reference.isAlwaysUsed {
        lack = .notEnabled
      } else {
        lack = route.line.relay == nil ? .noRelay : .notFound(reference)
      }
    }
    return AuthenticationPlan(
      credentials: used, lack: lack, rules: rules, selectors: hooks.mechanismSelectors.compactMap(\.name), envelope: question)
  }
}
