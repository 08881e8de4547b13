// The route maps: smtproutes and qmtproutes, and the variables that stand in for them, as one router. Searched together, key by key: the
// more specific key wins, of equal keys the variable before the file and QMTP before SMTP.

/// Looks routes up in the maps: `!@` first for the null sender, then the host, its suffixes, and the empty key.
public struct RouteTable: Router {
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
    let found = try search(question.sender.isNull ? [name, .key(Bytes("!@"))] : [name])
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

  /// Searches all maps, in the order in which equal keys win. With a variable set, the file that it replaces is not read.
  private func search(_ questions: [DomainTable.Question]) throws(DeliveryFailure) -> [Found] {
    let qmtpVariable = variable("QMTPROUTE")
    // The second name is not unset by qmail-rspawn for each delivery, and so yields to the first.
    let smtpVariable = variable("SMTPROUTE") ?? variable("X-SMTPROUTES")
    let qmtpFile = qmtpVariable == nil ? try file("QMTPROUTESFILE", "qmtproutes") : nil
    let smtpFile = smtpVariable == nil ? try file("SMTPROUTESFILE", "smtproutes") : nil
    var found: [Found] = []
    func search(_ table: DomainTable?, _ transport: Route.Transport) throws(DeliveryFailure) {
      guard let entries = try table?.entries(for: questions) else { return }
      found.append(Found(bounce: entries.dropFirst().first ?? nil, ordinary: entries.first ?? nil, transport: transport))
    }
    try search(qmtpVariable, .qmtp)
    try search(smtpVariable, .smtp)
    try search(qmtpFile, .qmtp)
    try search(smtpFile, .smtp)
    return found
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
