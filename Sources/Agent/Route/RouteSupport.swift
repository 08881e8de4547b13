// What may be asked for that this version can't do. Such mail waits: sent otherwise it would go out in clear.

enum RouteSupport {
  /// - Throws: 4.3.5 with the place that asks.
  static func check(
    _ route: Route?, _ environment: Environment, _ control: ControlDirectory
  ) throws(DeliveryFailure) {
    if let route, let demand = demand(of: route) { throw unsupported(route.source, demand) }
    if environment.value("SMTPS") != nil { throw unsupported("the variable SMTPS", "TLS from the first byte") }
    // The lower values let mail go in clear where there is no TLS.
    if let file = try control.file("tlsstrictness"), (file.firstLine.decimal ?? 0) & 3 >= 2 {
      throw unsupported(file.place(line: 1), "TLS")
    }
  }

  private static func unsupported(_ place: String, _ demand: String) -> DeliveryFailure {
    .controlInvalid(place, "it asks for \(demand), which this version doesn't do")
  }

  private static func demand(of route: Route) -> String? {
    if route.transport == .qmtp { return "QMTP" }
    if route.line.implicitTLS { return "TLS from the first byte" }
    return nil
  }
}
