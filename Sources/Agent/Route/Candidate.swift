// The addresses that a delivery will try, in their order, and the reasons for it. Pure: exchangers in, candidates out.

/// One address to try.
public struct Candidate: Equatable, Sendable {
  /// The exchanger that the address belongs to.
  public let exchanger: Bytes
  public let preference: Int
  public let address: IPAddress
  public let port: UInt16
  public let transport: Route.Transport
  /// nil for the system's choice and the usual name.
  public let local: LocalSide?
  public internal(set) var tls: TLSPolicy
  /// Set where TLS came to nothing, and the mail may go there in clear: what there was with it.
  public private(set) var tlsTrouble: TLSTrouble?
  /// Chunks are used where the server offers them; not any more after it has shown that it doesn't know them.
  public private(set) var usesChunks = true

  public init(
    exchanger: Bytes, preference: Int, address: IPAddress, port: UInt16, transport: Route.Transport = .smtp,
    local: LocalSide? = nil, tls: TLSPolicy = TLSPolicy(.none, source: "nobody asks for it")
  ) {
    self.exchanger = exchanger
    self.preference = preference
    self.address = address
    self.port = port
    self.transport = transport
    self.local = local
    self.tls = tls
  }

  /// The same exchanger by SMTP, for mail that it can't be connected to for by QMTP.
  func isFallback(for other: Candidate) -> Bool {
    transport == .smtp && other.transport == .qmtp && exchanger == other.exchanger
  }
}

extension Candidate {
  /// The same address, in clear.
  func inClear(after trouble: TLSTrouble) -> Candidate {
    var other = self
    other.tls = TLSPolicy(.none, source: tls.source)
    other.tlsTrouble = trouble
    return other
  }

  /// The same address, without chunks.
  func withoutChunks() -> Candidate {
    var other = self
    other.usesChunks = false
    return other
  }

  /// Whether both may be connected to at once, and the slower left. A second attempt is one at its own server.
  func races(_ other: Candidate) -> Bool {
    preference == other.preference && (tlsTrouble == nil) == (other.tlsTrouble == nil) && usesChunks == other.usesChunks
  }
}

/// An exchanger or an address that will not be tried.
public struct LeftOut: Equatable, Sendable {
  public let exchanger: Bytes
  public let preference: Int
  /// nil for the exchanger as a whole.
  public let address: IPAddress?
  public let reason: String
}

/// What decides about candidates besides DNS.
struct CandidateRules {
  let family: FamilyPreference
  var services = ServiceRules()
  var local: LocalSideRules?
  var tls = TLSDecisions()
}

/// Who is tried, in which order, and who isn't.
struct CandidateOrder: Equatable {
  private(set) var candidates: [Candidate] = []
  private(set) var leftOut: [LeftOut] = []
  /// Why somebody who might take the mail is left out.
  private(set) var untried: DeliveryFailure?
  private var seen = SeenAddresses()

  /// The same exchanger under the same address: trying it again would change nothing. Another exchanger's name may mean another policy.
  private struct SeenAddresses: Equatable {
    struct Place: Hashable {
      let exchanger: Bytes
      let address: IPAddress
    }

    /// Nearly always all of them: the first `Set` of a process makes the runtime look for what its elements conform to.
    private var few: [Place] = []
    private var more: Set<Place> = []

    var count: Int { few.count + more.count }

    /// - Returns: whether it was new.
    mutating func insert(_ place: Place) -> Bool {
      if few.contains(place) { return false }
      if few.count == 32 { return more.insert(place).inserted }
      few.append(place)
      return true
    }
  }

  /// No domain needs more; one that has them is not to take hours of ours.
  private static let limit = 10_000

  /// The addresses of each preference stand together, families by turns, so that a broken family costs one short wait and not one for
  /// each of its addresses (RFC 8305 section 4).
  /// - Parameter exchangers: best first.
  init(_ exchangers: [MailExchanger], _ rules: CandidateRules) {
    var rest = exchangers[...]
    while let preference = rest.first?.preference {
      let equals = rest.prefix { $0.preference == preference }
      rest = rest.dropFirst(equals.count)
      append(equals, rules)
    }
  }

  private mutating func append(_ equals: ArraySlice<MailExchanger>, _ rules: CandidateRules) {
    var first: [Candidate] = []
    var second: [Candidate] = []
    for exchanger in equals {
      if let trouble = exchanger.trouble { leaveOut(exchanger, nil, CandidateOrder.words(trouble)) }
      let decision = rules.tls[exchanger.name]
      if case .unusable(let failure, let reason)? = decision?.outcome {
        leaveOut(exchanger, nil, reason)
        untried = untried ?? failure
        continue
      }
      for address in exchanger.addresses {
        if seen.count >= CandidateOrder.limit { break }
        guard let candidate = candidate(exchanger, address, decision, rules) else { continue }
        if address.isV6 == rules.family.order.startsWithV6 { first.append(candidate) } else { second.append(candidate) }
      }
    }
    let places = (0..<max(first.count, second.count)).flatMap {
      first.dropFirst($0).prefix(1) + second.dropFirst($0).prefix(1)
    }
    // All of them by the one protocol, and then by the other: whoever can be connected to decides which it is.
    candidates += places.compactMap(rules.services.overQMTP) + places
  }

  /// What a filter keeps, in its order; the others are left out.
  /// - Throws: 4.3.5 for a candidate that wasn't there, or twice.
  mutating func keep(_ kept: [Candidate], by filter: String) throws(DeliveryFailure) {
    var rest: [Candidate?] = candidates
    // Most filters keep the order, and then nothing is looked for twice.
    var next = 0
    for candidate in kept {
      guard let found = rest[next...].firstIndex(of: candidate) ?? rest[..<next].firstIndex(of: candidate) else {
        throw .controlInvalid(filter, "it adds the candidate \(candidate.address.text)")
      }
      rest[found] = nil
      next = found + 1
    }
    candidates = kept
    for case let candidate? in rest {
      leftOut.append(
        LeftOut(
          exchanger: candidate.exchanger, preference: candidate.preference, address: candidate.address,
          reason: "dropped by \(filter)"))
    }
  }

  /// nil for an address that won't be tried; the reason is noted.
  private mutating func candidate(
    _ exchanger: MailExchanger, _ address: IPAddress, _ decision: TLSDecision?, _ rules: CandidateRules
  ) -> Candidate? {
    var side: LocalSide?
    do throws(UnusableRemote) {
      side = try rules.local?.side(for: address)
    } catch {
      leaveOut(exchanger, address, error.reason)
      return nil
    }
    if !seen.insert(SeenAddresses.Place(exchanger: exchanger.name, address: address)) {
      leaveOut(exchanger, address, "listed before")
      return nil
    }
    guard rules.family.order.allows(address) else {
      leaveOut(exchanger, address, "\(rules.family.source ?? "the default") says \(rules.family.order.rawValue)")
      return nil
    }
    let service = decision?.service ?? rules.services.usual
    return Candidate(
      exchanger: exchanger.name, preference: exchanger.preference, address: address, port: service.port,
      transport: service.transport, local: side, tls: decision?.policy ?? TLSPolicy(.none, source: "nobody asks for it"))
  }

  /// Cuts our own addresses and everything that is not better than ourselves: an exchanger behind us would send the mail back
  /// (RFC 5321 section 5.1).
  /// - Throws: 5.4.6 when nothing is left; 4.1.2 when something better might be left, if DNS told.
  static func betterThanOurselves(
    _ exchangers: [MailExchanger], isOwn: (IPAddress) -> Bool
  ) throws(DeliveryFailure) -> (better: [MailExchanger], leftOut: [LeftOut]) {
    guard let own = exchangers.filter({ $0.addresses.contains(where: isOwn) }).map(\.preference).min() else {
      return (exchangers, [])
    }
    let better = exchangers.filter { $0.preference < own }
    guard better.contains(where: { !$0.addresses.isEmpty }) else {
      throw better.contains(where: \.hasFailed) ? .lookupFailed : .bestExchangerIsSelf
    }
    let leftOut = exchangers.filter { $0.preference >= own }.map { exchanger in
      let reason = exchanger.addresses.contains(where: isOwn) ? "this machine" : "not better than this machine"
      return LeftOut(exchanger: exchanger.name, preference: exchanger.preference, address: nil, reason: reason)
    }
    return (better, leftOut)
  }

  private mutating func leaveOut(_ exchanger: MailExchanger, _ address: IPAddress?, _ reason: String) {
    leftOut.append(LeftOut(exchanger: exchanger.name, preference: exchanger.preference, address: address, reason: reason))
  }

  private static func words(_ trouble: MailExchanger.Trouble) -> String {
    switch trouble {
    case .noAddress: "no address"
    case .lookupFailed(let words): "DNS: \(words)"
    }
  }
}
