// A host that takes mail, with all that DNS said of it: usable or not, so that a plan can tell why one is left out.

/// A mail exchanger, or a relay in its place.
public struct MailExchanger: Equatable, Sendable {
  /// Why there are no addresses.
  public enum Trouble: Equatable, Sendable {
    case noAddress
    /// DNS failed: it may be the best exchanger all the same.
    case lookupFailed(String)
  }

  /// In DNS's form.
  public let name: Bytes
  /// RFC 5321 section 5.1: lower is tried first. 0 for relays, literals and hosts without MX records.
  public let preference: Int
  /// In DNS's order, IPv6 first.
  public let addresses: [IPAddress]
  /// Set if and only if there is no address.
  public let trouble: Trouble?
  /// Everything that led to the addresses was validated by DNSSEC.
  public let isSecure: Bool
  /// DNS failed for some question: there may be addresses that nobody knows.
  let isIncomplete: Bool
  /// What led to the name was validated, or somebody here has written it down.
  let isNameSecure: Bool
  /// Whose the addresses are, if the name is an alias.
  let alias: Bytes?
  /// What DNS said of its TLSA records; nil when that wasn't asked.
  public internal(set) var tlsa: TLSALookup?

  /// An exchanger whose address was given, not looked up.
  init(literal address: IPAddress, name: Bytes, preference: Int = 0) {
    self.name = name
    self.preference = preference
    addresses = [address]
    trouble = nil
    isSecure = false
    isIncomplete = false
    isNameSecure = false
    alias = nil
    tlsa = nil
  }

  /// - Parameters:
  ///   - addresses: the answers to the questions for its addresses.
  ///   - isSecure: what led to its name was validated.
  init(name: Bytes, preference: Int, addresses answers: some Collection<DNSAnswer>, isSecure: Bool) {
    self.name = name
    self.preference = preference
    addresses = answers.flatMap(\.records).compactMap { record in
      guard case .address(let address) = record else { return nil }
      return address
    }
    // One family's addresses are enough; without any, a failure may hide some.
    if addresses.isEmpty {
      let failures = answers.compactMap { answer -> String? in
        guard case .failure(let words) = answer else { return nil }
        return words
      }
      trouble = failures.first.map(Trouble.lookupFailed) ?? .noAddress
    } else {
      trouble = nil
    }
    // What failed told nothing, and what was validated stays so.
    let told = answers.filter { !$0.isFailure }
    self.isSecure = isSecure && !addresses.isEmpty && told.allSatisfy(\.isSecure)
    isIncomplete = told.count < answers.count
    isNameSecure = isSecure
    alias = answers.lazy.compactMap(\.alias).first
    tlsa = nil
  }

  var hasFailed: Bool {
    guard case .lookupFailed = trouble else { return false }
    return true
  }
}

/// What DNS said of TLSA records for a port.
public struct TLSALookup: Equatable, Sendable {
  public let port: UInt16
  /// The name that was asked for them: the exchanger's, or the one that it is an alias of.
  public internal(set) var base: Bytes
  public internal(set) var answer: DNSAnswer
  /// Whether the answer counts, failure included: only if the way to the addresses is validated (RFC 7672 section 2.2.2).
  public internal(set) var counts: Bool
  /// The aliases of the name have been followed.
  var isComplete = false

  /// The owner of the records (RFC 6698 section 3).
  static func owner(_ base: Bytes, _ port: UInt16) -> Bytes { Bytes("_\(port)._tcp.") + base }
}
