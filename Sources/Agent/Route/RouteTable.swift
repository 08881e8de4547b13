// The route maps: smtproutes and qmtproutes, and the variables that stand in for them, as one router. Searched together, key by key: the
// more specific key wins, of equal keys the variable before the file and QMTP before SMTP.

/// Looks routes up in the maps: `!@` first for the null sender, then the host, its suffixes, and the empty key.
public struct RouteTable: Router {
  private struct Map {
    let table: DomainTable
    let transport: Route.Transport
  }

  /// What a map has.
  private struct Found {
    let bounce: DomainTable.Entry?
    let ordinary: DomainTable.Entry?
    let transport: Route.Transport
  }

  private let files: RouteFiles

  public init(_ control: ControlDirectory, dialect: Dialect, environment: Environment) {
    files = RouteFiles(control, dialect, environment)
  }

  public var dependsOnRecipients: Bool { false }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    let name = DomainTable.Question.name(question.host.text)
    let questions = question.sender.isNull ? [name, .key(Bytes("!@"))] : [name]
    var found: [Found] = []
    for map in try maps() {
      let entries = try map.table.entries(for: questions)
      found.append(
        Found(bounce: entries.dropFirst().first ?? nil, ordinary: entries.first ?? nil, transport: map.transport))
    }
    // An empty bounce route means the ordinary search, an empty ordinary route means the mail exchangers.
    for map in found {
      if let entry = map.bounce, !entry.value.isEmpty { return try route(entry, map.transport) }
    }
    var best: (entry: DomainTable.Entry, transport: Route.Transport)?
    for map in found {
      guard let entry = map.ordinary, entry.position < best?.entry.position ?? .max else { continue }
      best = (entry, map.transport)
    }
    guard let best else { return nil }
    return try route(best.entry, best.transport)
  }

  /// In the order in which equal keys win. With a variable set, the file that it replaces is not read.
  private func maps() throws(DeliveryFailure) -> [Map] {
    let qmtpVariable = variable("QMTPROUTE")
    // The second name is not unset by qmail-rspawn for each delivery, and so yields to the first.
    let smtpVariable = variable("SMTPROUTE") ?? variable("X-SMTPROUTES")
    let qmtpFile = qmtpVariable == nil ? try file("QMTPROUTESFILE", "qmtproutes") : nil
    let smtpFile = smtpVariable == nil ? try file("SMTPROUTESFILE", "smtproutes") : nil
    let sources: [(DomainTable?, Route.Transport)] = [
      (qmtpVariable, .qmtp), (smtpVariable, .smtp), (qmtpFile, .qmtp), (smtpFile, .smtp),
    ]
    return sources.compactMap { table, transport in table.map { Map(table: $0, transport: transport) } }
  }

  private func variable(_ name: String) -> DomainTable? {
    files.environment.value(name).map {
      DomainTable(file: ControlFile(variable: name, value: $0), keys: files.dialect.routeKeys)
    }
  }

  private func file(_ variable: String, _ name: String) throws(DeliveryFailure) -> DomainTable? {
    try files.control.table(files.name(variable, or: name), keys: files.dialect.routeKeys)
  }

  private func route(_ entry: DomainTable.Entry, _ transport: Route.Transport) throws(DeliveryFailure) -> Route {
    try files.route(entry.value, transport, place: entry.place)
  }
}
