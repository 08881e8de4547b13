// The part of a plan that is about TLS, in words. A password is only said to be there.

extension PlanText {
  /// The candidates, and before each of them its policy, if it is another than that of the one before.
  static func candidates(_ plan: DeliveryPlan) -> [String] {
    var lines: [String] = []
    var last: String?
    for (number, candidate) in plan.candidates.enumerated() {
      let policy = words(candidate.tls, candidate.port)
      if policy != last { lines.append("tls: \(policy)") }
      last = policy
      lines.append("candidate \(number + 1): \(candidate.address.text) port \(candidate.port), \(words(candidate, plan))")
    }
    return lines
  }

  /// What all connections have in common, as far as it is configured.
  static func lines(_ settings: TLSSettings) -> [String] {
    var lines: [String] = []
    if let source = settings.versionsSource {
      let highest = settings.maximum.map { " to \($0.word)" } ?? " and up"
      lines.append("tls versions: \(settings.minimum.word)\(highest) (\(source))")
    }
    if let ciphers = settings.ciphers { lines.append("tls ciphers: \(ciphers.text) (\(settings.ciphersSource ?? ""))") }
    if let suites = settings.cipherSuites {
      lines.append("tls cipher suites: \(suites.text) (\(settings.cipherSuitesSource ?? ""))")
    }
    if let certificate = settings.certificate {
      var words = ["client certificate: \(certificate.file.text)"]
      if certificate.keyFile != certificate.file { words.append("key \(certificate.keyFile.text)") }
      if certificate.password != nil { words.append("with a password") }
      lines.append("\(words.joined(separator: ", ")) (\(certificate.source))")
    }
    return lines
  }

  private static func words(_ policy: TLSPolicy, _ port: UInt16) -> String {
    var words = [demand(policy, port)]
    if policy.start == .implicit { words.append("from the first byte") }
    if policy.anonymous == .accepted { words.append("also without a certificate") }
    if policy.clear == .last, policy.level == .may { words.append("in clear only if nobody has it") }
    if let anchors = policy.anchors, chainIsOnlyTold(policy) {
      words.append("the chain to \(Self.words(anchors)) is only told of")
    }
    if let depth = policy.depth { words.append("at most \(depth) intermediate certificates") }
    if let ciphers = policy.ciphers { words.append("ciphers \(ciphers.text)") }
    if policy.records == .skip, policy.level != .none, policy.level != .pin { words.append("TLSA does not count") }
    return "\(words.joined(separator: ", ")) (\(policy.source))"
  }

  private static func chainIsOnlyTold(_ policy: TLSPolicy) -> Bool {
    switch policy.level {
    case .may, .encrypt: true
    case .dane: !policy.floor.isAbove(.dane)
    case .none, .verify, .name, .pin: false
    }
  }

  private static func demand(_ policy: TLSPolicy, _ port: UInt16) -> String {
    switch policy.level {
    case .none, .may, .encrypt: return policy.level.rawValue
    case .dane:
      var words = ["dane by \(policy.tlsa.count) of \(TLSALookup.owner(policy.tlsaBase, port).text)"]
      // Only a certificate of an authority is looked at for names.
      if policy.tlsa.contains(where: { $0.usage == 2 }) {
        words.append("for \(shown([policy.tlsaBase] + policy.tlsaNames))")
      }
      if let chain = chain(policy, policy.floor) { words.append("and \(chain)") }
      return words.joined(separator: ", ")
    case .verify, .name: return chain(policy, policy.level) ?? policy.level.rawValue
    case .pin: return "pin \(policy.pin?.hexadecimal ?? "")"
    }
  }

  private static func chain(_ policy: TLSPolicy, _ level: TLSPolicy.Level) -> String? {
    let authority = Self.words(policy.anchors ?? .system)
    switch level {
    case .none, .may, .encrypt, .dane, .pin: return nil
    case .verify: return "verify by \(authority)"
    case .name:
      let how =
        switch policy.matching {
        case .exact: ", to the letter"
        case .wildcard: ""
        case .partial: ", or a domain above"
        }
      return "name \(shown(policy.names))\(how) by \(authority)"
    }
  }

  private static func shown(_ names: [Bytes]) -> String { names.map(\.text).joined(separator: " or ") }

  private static func words(_ anchors: TLSPolicy.Anchors) -> String {
    switch anchors {
    case .system: "the system's authorities"
    case .file(let path), .directory(let path): path.text
    }
  }
}
