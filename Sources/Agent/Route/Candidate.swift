// Mail exchangers, and the addresses that a delivery will try, in their order.

/// A host that takes mail, as DNS or a route names it.
public struct MailExchanger: Equatable, Sendable {
  public let name: Bytes
  /// RFC 5321 section 5.1: lower is tried first. 0 for relays, literals and hosts without MX records.
  public let preference: Int
  public let addresses: [IPAddress]
  /// The names and addresses were validated by DNSSEC.
  public let isSecure: Bool

  public init(name: Bytes, preference: Int, addresses: [IPAddress], isSecure: Bool) {
    self.name = name
    self.preference = preference
    self.addresses = addresses
    self.isSecure = isSecure
  }
}

/// One address to try.
public struct Candidate: Equatable, Sendable {
  /// The exchanger that the address belongs to.
  public let exchanger: Bytes
  public let preference: Int
  public let address: IPAddress
  public let port: UInt16

  public init(exchanger: Bytes, preference: Int, address: IPAddress, port: UInt16) {
    self.exchanger = exchanger
    self.preference = preference
    self.address = address
    self.port = port
  }
}
