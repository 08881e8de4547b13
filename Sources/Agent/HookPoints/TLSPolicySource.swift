// Hook point: what a delivery demands of TLS with a candidate.

/// What a policy is decided by.
public struct TLSQuestion: Sendable {
  /// That of argv.
  public let host: Domain
  /// The host of argv, or the relay in its place: what policies are written for.
  public let target: Domain
  public let isRelay: Bool
  /// The exchanger in DNS's form; the relay itself where there is one.
  public let exchanger: Bytes
  public let sender: Address
  /// By the route, else the protocol's own; a policy may replace it.
  public let port: UInt16
  /// A route asks for TLS before the greeting.
  public let isImplicit: Bool

  /// - Parameter relay: where a route sends the mail; nil for the mail exchangers.
  public init(host: Domain, relay: Domain?, exchanger: Bytes, sender: Address, port: UInt16, isImplicit: Bool) {
    self.host = host
    target = relay ?? host
    isRelay = relay != nil
    self.exchanger = exchanger
    self.sender = sender
    self.port = port
    self.isImplicit = isImplicit
  }
}

/// Decides the TLS policy of a candidate. The first answer wins; TLSA records then raise it, unless it says that they don't count.
public protocol TLSPolicySource {
  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.5 for a policy that can't be followed, 4.3.0 for one that can't be read.
  func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy?
}
