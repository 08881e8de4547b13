// The part of a plan in words that is about authentication.

extension PlanText {
  static func lines(_ plan: AuthenticationPlan) -> [String] {
    var lines: [String] = []
    for planned in plan.credentials {
      let user = planned.identity.user.map { "user \($0.text)" } ?? "asked for when the server offers authentication"
      lines.append("credentials: \(user) (\(planned.identity.source))")
      lines += planned.identity.warnings.map { "warning: \($0)" }
    }
    if let words = plan.lack?.notice {
      lines.append("warning: \(words)\(plan.credentials.isEmpty ? "; the mail goes without authentication" : "")")
    }
    if !plan.credentials.isEmpty {
      let selectors = plan.selectors.map { ", as \($0) says" }.joined()
      lines.append("auth: \(words(plan.rules))\(selectors)")
    }
    return lines
  }

  private static func words(_ rules: AuthenticationRules) -> String {
    var words = [choice(rules)]
    let overTLS = rules.allowed.filter { $0.condition == .overTLS }.map(\.name)
    if !overTLS.isEmpty { words.append("\(overTLS.joined(separator: ", ")) over TLS only (the variable SECURE_AUTH)") }
    if rules.areSecretsSalted { words.append("by a salted password (the variable SALTED_PASSWORD)") }
    if let realm = rules.realm { words.append("realm \(realm.printable.text) (control/realm)") }
    words.append(rules.requiredBy.map { "or not at all (\($0))" } ?? "else without authentication")
    return words.joined(separator: ", ")
  }

  private static func choice(_ rules: AuthenticationRules) -> String {
    guard let first = rules.allowed.first else { return "no mechanism" }
    if rules.isNamed { return "\(first.name) (the variable AUTH_SMTP)" }
    let disabled = rules.disabled.map { "\($0.name) (the variable \($0.variable))" }
    return disabled.isEmpty ? "any mechanism" : "any mechanism but \(disabled.joined(separator: ", "))"
  }
}
