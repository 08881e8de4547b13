// The route maps: smtproutes and qmtproutes, and the variables that stand in for them, as one router. Searched together, key by key: the
// more specific key wins, of equal keys the variable before the file and QMTP before SMTP.

/// Looks routes up in the maps: `!@` first for the null sender, then the host, its suffixes, and the empty key.
public struct RouteTable: Router {
  private struct Map {
    let table: DomainTable
    let transport: Route.Transport
  }

  private let control: ControlDirectory
  private let dialect: Dialect
  private let environment: Environment

  public init(_ control: ControlDirectory, dialect: Dialect, environment: Environment) {
    self.control = control
    self.dialect = dialect
    self.environment = environment
  }

  public var dependsOnRecipients: Bool { false }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    let maps = try maps()
    if question.sender.isNull {
      for map in maps {
        // An empty bounce route means the ordinary search, an empty ordinary route means the mail exchangers.
        if let entry = map.table.entry(key: "!@"), !entry.value.isEmpty { return try route(entry, map.transport) }
      }
    }
    var found: (entry: DomainTable.Entry, transport: Route.Transport)?
    for map in maps {
      guard let entry = map.table.entry(for: question.host.text), entry.position < found?.entry.position ?? .max else {
        continue
      }
      found = (entry, map.transport)
    }
    guard let found else { return nil }
    return try route(found.entry, found.transport)
  }

  /// In the order in which equal keys win. With a variable set, the file that it replaces is not read.
  private func maps() throws(DeliveryFailure) -> [Map] {
    let qmtpVariable = variable("QMTPROUTE")
    // The second name is not unset by qmail-rspawn for each delivery, and so yields to the first.
    let smtpVariable = variable("SMTPROUTE") ?? variable("X-SMTPROUTES")
    let qmtpFile = qmtpVariable == nil ? try file("QMTPROUTESFILE", "qmtproutes") : nil
    let smtpFile = smtpVariable == nil ? try file("SMTPROUTESFILE", "smtproutes") : nil
    let sources: [(ControlFile?, Route.Transport)] = [
      (qmtpVariable, .qmtp), (smtpVariable, .smtp), (qmtpFile, .qmtp), (smtpFile, .smtp),
    ]
    return sources.compactMap { file, transport in
      file.map { Map(table: DomainTable(file: $0, keys: dialect.routeKeys), transport: transport) }
    }
  }

  private func variable(_ name: String) -> ControlFile? {
    environment.value(name).map { ControlFile(variable: name, value: $0) }
  }

  private func file(_ variable: String, _ name: String) throws(DeliveryFailure) -> ControlFile? {
    try control.file(environment.fileName(variable) ?? name)
  }

  private func route(_ entry: DomainTable.Entry, _ transport: Route.Transport) throws(DeliveryFailure) -> Route {
    Route(
      line: try RouteLine(entry.value, dialect: dialect, place: entry.place), transport: transport, source: entry.place)
  }
}
