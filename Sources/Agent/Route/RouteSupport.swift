// What may be asked for that this version can't do. Such mail waits: sent otherwise it would go out in clear.

enum RouteSupport {
  /// - Throws: 4.3.5 with the place that asks.
  static func check(_ route: Route?) throws(DeliveryFailure) {
    if let route, route.transport == .qmtp { throw unsupported(route.source, "QMTP") }
  }

  /// Why a plan can't be carried out; nil when it can.
  static func fault(_ plan: DeliveryPlan) -> DeliveryFailure? {
    plan.candidates.first(where: \.tls.isMandatory).map { unsupported($0.tls.source, "TLS") }
  }

  private static func unsupported(_ place: String, _ demand: String) -> DeliveryFailure {
    .controlInvalid(place, "it asks for \(demand), which this version doesn't do")
  }
}
