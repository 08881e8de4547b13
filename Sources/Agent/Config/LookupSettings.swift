// What is asked of DNS, and for how long.

public struct LookupSettings: Equatable, Sendable {
  /// For one round of questions; nil for none but what asking each server twice comes to. Control file `timeoutdns`, seconds;
  /// 0 for none.
  public let timeout: Duration?
  /// Recipients' domains are replaced by their canonical names, as s/qmail and indimail do it for mail without a route.
  public let rewritesRecipients: Bool

  /// Two servers that are asked twice, the second time with twice the patience, are given up by then.
  private static let usualTimeout = 30

  init(_ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment) throws(DeliveryFailure) {
    let written = try control.file("timeoutdns").flatMap { Timeouts.number($0.firstLine, dialect) }
    let seconds = written ?? LookupSettings.usualTimeout
    timeout = seconds == 0 ? nil : .seconds(seconds)
    // The man page of indimail has both spellings.
    let isDisabled = ["DISABLE_CNAME_LOOKUP", "DISABLE_CNAME_LOOKUPS"].contains { environment.value($0) != nil }
    rewritesRecipients = dialect.rewritesRecipients && !isDisabled
  }
}
