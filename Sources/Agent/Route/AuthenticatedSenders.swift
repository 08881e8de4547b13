// authsenders: relays and credentials by sender (qmail-remote(8) of s/qmail). Comes before the route maps.

/// Looks up the whole sender, then what follows each `.` or `@` in it (with that byte), then the empty key.
public struct AuthenticatedSenders: Router {
  private let control: ControlDirectory
  private let dialect: Dialect

  public init(_ control: ControlDirectory, dialect: Dialect) {
    self.control = control
    self.dialect = dialect
  }

  public var dependsOnRecipients: Bool { false }

  public func route(for question: RouteQuestion) throws(DeliveryFailure) -> Route? {
    guard let file = try control.file("authsenders") else { return nil }
    // An empty value counts as no entry.
    guard let entry = DomainTable(file: file, keys: .senderParts).entry(for: question.sender.raw), !entry.value.isEmpty else {
      return nil
    }
    return Route(line: try RouteLine(entry.value, dialect: dialect, place: entry.place), source: entry.place)
  }
}
