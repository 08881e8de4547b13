// moresmtproutes.cdb: routes by recipient, before everything else (qmail-remote(8) of indimail).

/// Looks up `!@` for the null sender, then the recipient, then the host, its suffixes and the empty key, in small letters.
public struct MoreRoutes: Router {
  private let files: RouteFiles

  public init(_ control: ControlDirectory, dialect: Dialect, environment: Environment) {
    files = RouteFiles(control, dialect, environment)
  }

  public var dependsOnRecipients: Bool { true }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    let name = files.name("MORESMTPROUTESCDB", or: "moresmtproutes.cdb")
    guard let database = try files.control.database(name) else { return nil }
    let recipient = question.recipients.first?.raw ?? []
    let bounces = question.sender.isNull ? [Bytes("!@")] : []
    let hosts = files.dialect.routeKeys.positions(of: question.host.text).map(Bytes.init)
    for key in (bounces + [recipient] + hosts).map({ $0.map(\.lowered) }) {
      // An empty route says nothing here: the ordinary search goes on.
      guard let value = try database.value(key), !value.isEmpty else { continue }
      return try files.route(
        value, place: "\(ControlFile.place(name)), key \(key.isEmpty ? "(empty)" : key.printable.text)")
    }
    return nil
  }
}
