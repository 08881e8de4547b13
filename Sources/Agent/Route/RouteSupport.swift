// What may be asked for that this version can't do. Such mail waits.

enum RouteSupport {
  /// - Throws: 4.3.5 with the place that asks.
  static func check(_ route: Route?) throws(DeliveryFailure) {
    if let route, route.transport == .qmtp { throw unsupported(route.source, "QMTP") }
  }

  private static func unsupported(_ place: String, _ demand: String) -> DeliveryFailure {
    .controlInvalid(place, "it asks for \(demand), which this version doesn't do")
  }
}
