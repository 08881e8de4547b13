// The limits of back-off for one delivery: the route's fields, else the variables, else the defaults (qmail-remote(8) of indimail).
// They count in every dialect: a site that sets them wants them.

extension BackOffLimits {
  /// - Parameter environment: with the edits of the route, which may set the variables.
  init(_ route: Route?, _ environment: Environment) {
    self.init(
      penalty: .init(route, route?.line.penalty, "MIN_PENALTY", environment) ?? BackOffLimits.defaultPenalty,
      maxTolerance: .init(route, route?.line.maxTolerance, "MAX_TOLERANCE", environment) ?? BackOffLimits.defaultTolerance,
      countsHello: environment.value(BackOffLimits.helloVariable) != nil)
  }

  static let helloVariable = "TRY_NEXT_MX_HELO_FAIL"
}

extension BackOffLimits.Limit {
  /// nil when neither the route nor the variable says anything.
  fileprivate init?(_ route: Route?, _ field: Int?, _ variable: String, _ environment: Environment) {
    if let route, let field {
      self.init(field, source: route.source)
      return
    }
    // Nothing but a number is one: `1h` read as one second would be worse than the default.
    guard let value = environment.value(variable), isAllDigits(value) else { return nil }
    self.init(value.decimal ?? Int(Int32.max), source: "the variable \(variable)")
  }
}
