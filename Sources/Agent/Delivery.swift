// One delivery, top to bottom: `plan` (Planning.swift) decides, `execute` (Execution.swift) carries out. Each stage is a function from
// earlier values to the next.

/// A delivery and what it works with.
public struct Delivery {
  public let hooks: HookSet
  public let resolver: any Resolver
  public let interfaces: any Interfaces
  public let network: any Network
  public let tls: any TLSProvider
  public let lastWords: any LastWords
  public let circumstances: Circumstances
  /// The two hours of a delivery count from here, plan and execution together.
  let start: Instant

  public init(
    hooks: HookSet, resolver: any Resolver, interfaces: any Interfaces, network: any Network,
    tls: any TLSProvider = OpenSSL(), lastWords: any LastWords, circumstances: Circumstances
  ) {
    self.hooks = hooks
    self.resolver = resolver
    self.interfaces = interfaces
    self.network = network
    self.tls = tls
    self.lastWords = lastWords
    self.circumstances = circumstances
    start = circumstances.clock.now()
  }
}
