// authsenders: relays and credentials by sender (qmail-remote(8) of s/qmail). Comes before the route maps.

/// Looks up the whole sender, then what follows each `.` or `@` in it (with that byte), then the empty key.
public struct AuthenticatedSenders: Router {
  private let files: RouteFiles

  public init(_ control: ControlDirectory, dialect: Dialect) { files = RouteFiles(control, dialect, Environment()) }

  public var dependsOnRecipients: Bool { false }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    let table = try files.control.table("authsenders", keys: .senderParts)
    // An empty value counts as no entry.
    guard let entry = try table?.entry(for: question.sender.raw), !entry.value.isEmpty else { return nil }
    return try files.route(entry.value, place: entry.place)
  }
}
