// The way that mail for a host takes, and where that was decided.

/// An artificial route.
public struct Route: Equatable, Sendable {
  /// How the mail travels.
  public enum Transport: String, Sendable {
    case smtp = "SMTP"
    case qmtp = "QMTP"
  }

  public let line: RouteLine
  public let transport: Transport
  /// `control/smtproutes:3`, or the variable.
  public let source: String

  public init(line: RouteLine, transport: Transport = .smtp, source: String) {
    self.line = line
    self.transport = transport
    self.source = source
  }
}

/// What a route is decided by.
public struct RouteQuestion: Equatable, Sendable {
  public let host: Domain
  public let sender: Address
  public let recipients: [Address]

  public init(host: Domain, sender: Address, recipients: [Address]) {
    self.host = host
    self.sender = sender
    self.recipients = recipients
  }

  /// The same question for one of its recipients.
  func only(_ recipient: Address) -> RouteQuestion {
    RouteQuestion(host: host, sender: sender, recipients: [recipient])
  }
}
