// What a route may ask for that this version can't do. Such mail waits: sent otherwise it would go out in clear, unauthenticated, or
// from the wrong address.

enum RouteSupport {
  /// - Throws: 4.3.5 with the place of the route.
  static func check(_ route: Route, usesCredentials: Bool) throws(DeliveryFailure) {
    guard let demand = demand(of: route, usesCredentials) else { return }
    throw .controlInvalid(route.source, "it asks for \(demand), which this version doesn't do")
  }

  private static func demand(of route: Route, _ usesCredentials: Bool) -> String? {
    if route.transport == .qmtp { return "QMTP" }
    if route.line.implicitTLS { return "TLS from the first byte" }
    return usesCredentials ? "authentication" : nil
  }
}
