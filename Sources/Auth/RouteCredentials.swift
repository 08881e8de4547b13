// The credentials that a route names: in the line itself, or in remote_auth.cdb.
public import Agent

/// Finds what a route's line refers to. A class, because it keeps what it has found: no file is read once packets go out.
public final class RouteCredentials: CredentialSource {
  private let control: ControlDirectory
  private var stored: [Bytes: RemoteAuthRecord] = [:]
  private static let fileName = "remote_auth.cdb"

  public init(_ control: ControlDirectory) { self.control = control }

  public func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    switch route.line.credentials {
    case .pipe(let user, _):
      return CredentialIdentity(user: user, source: route.source, warnings: warnings(route.source))
    case .space(let user, _):
      return CredentialIdentity(user: user, source: route.source, condition: .enabled, warnings: warnings(route.source))
    case .sender, .recipient, .token, nil:
      return try RouteCredentials.key(route, question).flatMap { key throws(DeliveryFailure) in try look(up: key) }
    }
  }

  /// What stands in a file is all there is.
  public func credentials(
    for request: CredentialRequest, environment: Environment
  ) throws(DeliveryFailure) -> Credentials? {
    guard request.refused == nil else { return nil }
    switch request.route.line.credentials {
    case .pipe(let user, let password), .space(let user, let password):
      return Credentials(user: user, secret: password, kind: .password)
    case .sender, .recipient, .token, nil:
      guard let key = RouteCredentials.key(request.route, request.envelope), let record = stored[key] else { return nil }
      return Credentials(user: record.user, secret: record.password, kind: .password)
    }
  }

  /// Under which the database has them; nil when they aren't there.
  private static func key(_ route: Route, _ question: RouteQuestion) -> Bytes? {
    switch route.line.credentials {
    case .sender: question.sender.raw
    case .recipient: question.recipients.first?.raw ?? []
    case .token(let word): word
    case .pipe, .space, nil: nil
    }
  }

  private func look(up key: Bytes) throws(DeliveryFailure) -> CredentialIdentity? {
    let name = RouteCredentials.fileName
    guard let database = try control.database(name), var data = try RemoteAuthLookup(database: database).data(for: key) else {
      return nil
    }
    defer { data.wipe() }
    // The key is no secret; the data is.
    let source = "control/\(name), key \(key.text)"
    guard let record = RemoteAuthRecord(data) else {
      throw .unusable(source, "no password")
    }
    stored[key] = record
    let edits = record.edits.isEmpty ? nil : try EnvironmentEdits(envstr: record.edits, source: source)
    return CredentialIdentity(
      user: record.user, source: source, condition: .enabled, edits: edits, warnings: warnings("control/\(name)"))
  }

  private func warnings(_ place: String) -> [String] {
    guard place.hasPrefix("control/") else { return [] }
    let name = String(place.dropFirst("control/".count).prefix { $0 != ":" })
    return control.isReadableByOthers(name) ? ["control/\(name) can be read by others"] : []
  }
}
