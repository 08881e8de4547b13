// From a host to the exchangers that take its mail (RFC 5321 section 5.1, RFC 7505) and to the names of its recipients: two rounds of
// questions, each asked at once. More only where aliases lead to aliases.

/// Where mail is to go.
enum LookupTarget: Equatable {
  /// To the mail exchangers of a host.
  case host(Domain)
  /// To a relay itself.
  case relay(Domain)
}

/// What the look-ups found.
struct LookupResult: Equatable {
  /// Best first; those of one preference in random order. At least one has an address.
  let exchangers: [MailExchanger]
  /// The recipients, with canonical domains where the dialect wants them.
  let recipients: [Address]
  /// The host and what it is an alias of, if that and the exchangers that it led to were validated; none for a relay.
  let validatedNames: [Bytes]
}

/// Finds mail exchangers.
struct ExchangerLookup {
  let resolver: any Resolver
  let limits: LookupLimits
  let seed: UInt64
  /// For which port TLSA records of an exchanger may count, so that they are asked for wherever the way to them is validated; nil for
  /// none.
  let tlsaPort: (Bytes) throws(DeliveryFailure) -> UInt16?

  /// For more of the same later.
  var records: RecordSearch { RecordSearch(resolver: resolver, limits: limits) }

  private typealias Exchange = (preference: Int, name: Bytes)

  /// - Parameter recipients: whose domains are replaced by their canonical names; none for a dialect or route that keeps them.
  /// - Throws: 4.1.2 when DNS failed, 4.4.3 when it failed for an alias, 5.1.2 when there is no such host, 5.4.4 when no exchanger has an
  ///   address, 5.1.10 for a null MX.
  func lookUp(_ target: LookupTarget, aliasesOf recipients: [Address]) throws(DeliveryFailure) -> LookupResult {
    var chase = AliasChase(of: recipients)
    var exchangers: [MailExchanger]
    var names: [Bytes] = []
    switch target {
    case .host(let host) where host.literal == nil: (exchangers, names) = try exchangersOf(host, &chase)
    case .host(let host), .relay(let host): exchangers = [try address(of: host, isSecure: true, &chase)]
    }
    while !(try chase.questions().isEmpty) { _ = try ask([], &chase) }
    records.followAliases(&exchangers)
    return LookupResult(exchangers: exchangers, recipients: recipients.map(chase.canonical), validatedNames: names)
  }

  private func exchangersOf(
    _ host: Domain, _ chase: inout AliasChase
  ) throws(DeliveryFailure) -> (exchangers: [MailExchanger], validatedNames: [Bytes]) {
    guard !host.text.isEmpty else { throw .noSuchHost(host.text) }
    let name = try host.aLabel()
    let answer = try ask([DNSQuestion(name, .mx)], &chase)[0]
    if answer.isFailure { throw .lookupFailed }
    let records = answer.records.compactMap { record -> Exchange? in
      guard case .exchanger(let preference, let name) = record else { return nil }
      return (preference, name)
    }
    if records.isEmpty { return ([try address(of: host, isSecure: answer.isSecure, &chase)], []) }
    if records.allSatisfy(\.name.isEmpty) { throw .nullExchanger(host.text) }
    let exchangers = try addresses(of: order(records.filter { !$0.name.isEmpty }), isSecure: answer.isSecure, &chase)
    let names = answer.isSecure ? [name] + (answer.alias.map { [$0] } ?? []) : []
    guard exchangers.allSatisfy({ $0.addresses.isEmpty }) else { return (exchangers, names) }
    throw exchangers.contains(where: \.hasFailed) ? .lookupFailed : .noExchanger
  }

  /// A relay, or a host without exchangers: its own addresses.
  private func address(
    of host: Domain, isSecure: Bool, _ chase: inout AliasChase
  ) throws(DeliveryFailure) -> MailExchanger {
    if let literal = host.literal { return MailExchanger(literal: literal, name: host.text) }
    guard !host.text.isEmpty else { throw .noSuchHost(host.text) }
    let found = try addresses(of: [(0, try host.aLabel())], isSecure: isSecure, &chase)[0]
    guard found.addresses.isEmpty else { return found }
    throw found.hasFailed ? .lookupFailed : .noSuchHost(host.text)
  }

  private func order(_ records: [Exchange]) -> [Exchange] {
    var generator = SeededGenerator(seed: seed)
    // Among equals the place in the shuffle decides, because a sort need not keep it.
    return records.shuffled(using: &generator).enumerated()
      .sorted { ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset) }
      .map(\.element)
  }

  private func addresses(
    of exchangers: [Exchange], isSecure: Bool, _ chase: inout AliasChase
  ) throws(DeliveryFailure) -> [MailExchanger] {
    let literals = exchangers.map { Domain($0.name).literal }
    var ports: [UInt16?] = []
    var questions: [DNSQuestion] = []
    for (exchanger, literal) in zip(exchangers, literals) {
      let port = isSecure && resolver.believesValidation && literal == nil ? try tlsaPort(exchanger.name) : nil
      ports.append(port)
      guard literal == nil else { continue }
      // IPv6 first, as connections want it.
      questions += [DNSQuestion(exchanger.name, .aaaa), DNSQuestion(exchanger.name, .a)]
      if let port { questions.append(DNSQuestion(TLSALookup.owner(exchanger.name, port), .tlsa)) }
    }
    var answers = try ask(questions, &chase)[...]
    return zip(zip(exchangers, literals), ports).map { exchanger, port in
      let ((preference, name), literal) = exchanger
      if let literal { return MailExchanger(literal: literal, name: name, preference: preference) }
      let own = Array(answers.prefix(2))
      answers = answers.dropFirst(2)
      var found = MailExchanger(name: name, preference: preference, addresses: own, isSecure: isSecure)
      if let port, let answer = answers.popFirst() {
        found.tlsa = TLSALookup(port: port, base: name, answer: answer, counts: found.isSecure)
      }
      return found
    }
  }

  /// One round: these questions and those of the chase.
  /// - Returns: one answer for each of `questions`.
  private func ask(_ questions: [DNSQuestion], _ chase: inout AliasChase) throws(DeliveryFailure) -> [DNSAnswer] {
    let all = questions + (try chase.questions())
    guard !all.isEmpty else { return [] }
    var answers = resolver.answers(to: all, by: limits.deadline)
    // Whoever answers, no question goes without an answer.
    while answers.count < all.count { answers.append(.failure("no answer")) }
    try chase.take(answers.dropFirst(questions.count))
    return Array(answers.prefix(questions.count))
  }
}
