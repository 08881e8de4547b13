// What is asked of DNS, and for how long.

public struct LookupSettings: Equatable, Sendable {
  /// For one round of questions; nil for the library's own limits. Control file `timeoutdns`, seconds; 0 or absent: none.
  public let timeout: Duration?
  /// Recipients' domains are replaced by their canonical names, as s/qmail and indimail do it for mail without a route.
  public let rewritesRecipients: Bool

  init(_ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment) throws(DeliveryFailure) {
    let seconds = try control.file("timeoutdns").flatMap { Timeouts.number($0.firstLine, dialect) } ?? 0
    timeout = seconds == 0 ? nil : .seconds(seconds)
    // The man page of indimail has both spellings.
    let isDisabled = ["DISABLE_CNAME_LOOKUP", "DISABLE_CNAME_LOOKUPS"].contains { environment.value($0) != nil }
    rewritesRecipients = dialect.rewritesRecipients && !isDisabled
  }
}
