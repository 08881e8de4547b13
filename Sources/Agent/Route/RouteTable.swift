// The control file smtproutes as a router.

/// Looks routes up in `smtproutes`: `!@` first for the null sender, then the host, its suffixes, and the empty key.
public struct RouteTable: Router {
  private let control: ControlDirectory
  private let dialect: Dialect

  public init(_ control: ControlDirectory, dialect: Dialect) {
    self.control = control
    self.dialect = dialect
  }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    guard let file = try control.file("smtproutes") else { return nil }
    let table = DomainTable(file: file, keys: dialect.routeKeys)
    // An empty bounce route means the ordinary search, an empty ordinary route means the mail exchangers.
    if question.sender.isNull, let entry = table.entry(key: "!@"), !entry.value.isEmpty { return try route(entry) }
    guard let entry = table.entry(for: question.host.text) else { return nil }
    return try route(entry)
  }

  private func route(_ entry: DomainTable.Entry) throws(DeliveryFailure) -> Route {
    Route(line: try RouteLine(entry.value, dialect: dialect, place: entry.place), source: entry.place)
  }
}
