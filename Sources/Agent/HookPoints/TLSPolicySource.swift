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

/// An address that may be tried, and what is demanded of TLS with it so far.
public struct TLSSubject: Equatable, Sendable {
  /// The exchanger's.
  public let name: Bytes
  public let address: IPAddress
  public let port: UInt16
  public let level: TLSPolicy.Level

  public init(name: Bytes, address: IPAddress, port: UInt16, level: TLSPolicy.Level) {
    self.name = name
    self.address = address
    self.port = port
    self.level = level
  }
}

/// What somebody says about the policies of all candidates.
public struct TLSRevision: Equatable, Sendable {
  /// Whether it also holds where it demands less.
  public enum Force: Sendable {
    case raises, overrides
  }

  public var force: Force
  /// With everything that belongs to it. Without `names` those stay that the policy has; a port or a start that isn't given stays too.
  public var policy: TLSPolicy
  /// nil leaves it as it is.
  public var start: TLSPolicy.Start?
  /// nil leaves it as it is.
  public var records: TLSPolicy.RecordUse?

  public init(_ policy: TLSPolicy, force: Force, start: TLSPolicy.Start? = nil, records: TLSPolicy.RecordUse? = nil) {
    self.policy = policy
    self.force = force
    self.start = start
    self.records = records
  }

  /// The policy that holds then.
  func applied(to policy: TLSPolicy) -> TLSPolicy {
    var revised = policy
    let holds = force == .overrides || self.policy.level.isAbove(policy.level)
    if holds {
      revised = self.policy
      if revised.names.isEmpty { revised.names = policy.names }
      revised.ciphers = revised.ciphers ?? policy.ciphers
      revised.port = revised.port ?? policy.port
      revised.start = start ?? policy.start
      revised.records = policy.records
    }
    // Records can only raise a level, so that looking for them is allowed to everybody.
    if let records, holds && force == .overrides || records == .always { revised.records = records }
    return revised
  }
}

/// Has the last word before TLSA records: asked once, for all candidates.
public protocol TLSPolicyReviser {
  /// - Returns: nil for no opinion.
  /// - Throws: 4.3.0 for a reviser that fails.
  func revision(
    of subjects: [TLSSubject], for question: RouteQuestion, environment: Environment
  ) throws(DeliveryFailure) -> TLSRevision?
}
