// What the routers that read files have in common: where the files are, what they are called, and in which dialect their routes are.

struct RouteFiles {
  let control: ControlDirectory
  let dialect: Dialect
  let environment: Environment

  init(_ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment) {
    self.control = control
    self.dialect = dialect
    self.environment = environment
  }

  /// The file that a variable names, or else the usual one.
  func name(_ variable: String, or usual: String) -> String { environment.fileName(variable) ?? usual }

  /// The route that a line says, or what follows the key in it.
  /// - Throws: 4.3.5 when it can't be followed.
  func route(
    _ value: some Collection<UInt8>, _ transport: Route.Transport = .smtp, place: String
  ) throws(DeliveryFailure) -> Route {
    Route(
      line: try RouteLine(value, dialect: dialect, transport: transport, place: place), transport: transport, source: place)
  }
}
