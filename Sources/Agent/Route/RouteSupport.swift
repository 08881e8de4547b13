// What a route may ask for that this version can't do. Such mail waits: sent otherwise it would go out in clear, unauthenticated, or
// from the wrong address.

enum RouteSupport {
  /// - Throws: 4.3.5 with the place of the route.
  static func check(_ route: Route, _ environment: Environment) throws(DeliveryFailure) {
    if let demand = route.transport == .qmtp ? "QMTP" : demand(of: route.line, environment) {
      throw .controlInvalid(route.source, "it asks for \(demand), which this version doesn't do")
    }
  }

  private static func demand(of line: RouteLine, _ environment: Environment) -> String? {
    if line.implicitTLS { return "TLS from the first byte" }
    switch line.credentials {
    case .pipe: return "authentication"
    // Without AUTH_SMTP these forms of credentials are not used.
    case .space, .sender, .recipient, .token: return environment.value("AUTH_SMTP") == nil ? nil : "authentication"
    case nil: return nil
    }
  }
}
