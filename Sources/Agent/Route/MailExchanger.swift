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
  /// What DNS said of its TLSA records; nil when that wasn't asked. Counts only if `isSecure` (RFC 7672 section 2.2.2).
  public let tlsa: DNSAnswer?

  /// An exchanger whose address was given, not looked up.
  init(literal address: IPAddress, name: Bytes, preference: Int = 0) {
    self.name = name
    self.preference = preference
    addresses = [address]
    trouble = nil
    isSecure = false
    isIncomplete = false
    tlsa = nil
  }

  /// - Parameters:
  ///   - addresses: the answers to the questions for its addresses.
  ///   - isSecure: what led to its name was validated.
  init(name: Bytes, preference: Int, addresses answers: some Collection<DNSAnswer>, isSecure: Bool, tlsa: DNSAnswer?) {
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
    self.tlsa = tlsa
  }

  var hasFailed: Bool {
    guard case .lookupFailed = trouble else { return false }
    return true
  }
}
