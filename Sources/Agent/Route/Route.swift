// The way that mail for a host takes, and where that was decided.

/// An artificial route.
public struct Route: Equatable, Sendable {
  public let line: RouteLine
  /// `control/smtproutes:3`, or the variable.
  public let source: String

  public init(line: RouteLine, source: String) {
    self.line = line
    self.source = source
  }
}

/// What a route is decided by.
public struct RouteQuestion: Sendable {
  public let host: Domain
  public let sender: Address
  public let recipients: [Address]

  public init(host: Domain, sender: Address, recipients: [Address]) {
    self.host = host
    self.sender = sender
    self.recipients = recipients
  }
}
