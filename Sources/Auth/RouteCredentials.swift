// The credentials that a route names: in the line itself, or in remote_auth.cdb.
public import Agent

/// Finds what a route's line refers to.
public struct RouteCredentials: CredentialSource {
  private let control: ControlDirectory
  private static let fileName = "remote_auth.cdb"

  public init(_ control: ControlDirectory) { self.control = control }

  public func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    switch route.line.credentials {
    case .pipe(let user, _), .space(let user, _):
      return CredentialIdentity(user: user, source: route.source, warnings: warnings(route.source))
    case .sender: return try look(up: question.sender.raw)
    case .recipient: return try look(up: question.recipients.first?.raw ?? [])
    case .token(let word): return try look(up: word)
    case nil: return nil
    }
  }

  private func look(up key: Bytes) throws(DeliveryFailure) -> CredentialIdentity? {
    let name = RouteCredentials.fileName
    guard let database = try control.database(name), let data = try RemoteAuthLookup(database: database).data(for: key) else {
      return nil
    }
    // The key is no secret; the data is.
    let source = "control/\(name), key \(key.text)"
    guard let record = RemoteAuthRecord(data) else {
      throw .unusable(source, "no password")
    }
    let edits = record.edits.isEmpty ? nil : try EnvironmentEdits(envstr: record.edits, source: source)
    return CredentialIdentity(user: record.user, source: source, edits: edits, warnings: warnings("control/\(name)"))
  }

  private func warnings(_ place: String) -> [String] {
    guard place.hasPrefix("control/") else { return [] }
    let name = String(place.dropFirst("control/".count).prefix { $0 != ":" })
    return control.isReadableByOthers(name) ? ["control/\(name) can be read by others"] : []
  }
}
