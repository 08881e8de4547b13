// From a host to the addresses that take its mail (RFC 5321 section 5.1, RFC 7505): two rounds of questions, each asked at once.

/// Finds mail exchangers.
struct ExchangerLookup {
  let resolver: any Resolver
  let deadline: Deadline
  let seed: UInt64

  /// The exchangers of a host, best first; those of one preference in random order.
  /// - Throws: 4.1.2 when DNS failed, 5.1.2 when there is no such host, 5.4.4 when no exchanger has an address, 5.1.10 for a null MX.
  func exchangers(of host: Domain) throws(DeliveryFailure) -> [MailExchanger] {
    if let literal = host.literal { return [ExchangerLookup.single(host.text, literal)] }
    guard !host.text.isEmpty else { throw .noSuchHost(host.text) }
    let answer = resolver.answers(to: [DNSQuestion(host.text, .mx)], by: deadline).first ?? .failure("no answer")
    if answer.isFailure { throw .lookupFailed }
    let records = answer.records.compactMap { record -> (preference: Int, name: Bytes)? in
      guard case .exchanger(let preference, let name) = record else { return nil }
      return (preference, name)
    }
    if records.isEmpty { return [try address(of: host)] }
    if records.allSatisfy(\.name.isEmpty) { throw .nullExchanger(host.text) }
    return try addresses(of: order(records.filter { !$0.name.isEmpty }), isSecure: answer.isSecure)
  }

  /// A relay or a host without exchangers: its own addresses.
  /// - Throws: 4.1.2 when DNS failed, 5.1.2 when the host doesn't exist or has no address.
  func address(of host: Domain) throws(DeliveryFailure) -> MailExchanger {
    if let literal = host.literal { return ExchangerLookup.single(host.text, literal) }
    guard !host.text.isEmpty else { throw .noSuchHost(host.text) }
    let answers = resolver.answers(to: ExchangerLookup.questions(host.text), by: deadline)
    let addresses = ExchangerLookup.addresses(in: answers[...])
    guard addresses.isEmpty else {
      return MailExchanger(
        name: host.text, preference: 0, addresses: addresses, isSecure: answers.allSatisfy(\.isSecure))
    }
    throw answers.contains(where: \.isFailure) ? .lookupFailed : .noSuchHost(host.text)
  }

  private func order(_ records: [(preference: Int, name: Bytes)]) -> [(preference: Int, name: Bytes)] {
    var generator = SeededGenerator(seed: seed)
    // Among equals the place in the shuffle decides, because a sort need not keep it.
    return records.shuffled(using: &generator).enumerated()
      .sorted { ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset) }
      .map(\.element)
  }

  private func addresses(
    of exchangers: [(preference: Int, name: Bytes)], isSecure: Bool
  ) throws(DeliveryFailure) -> [MailExchanger] {
    let literals = exchangers.map { Domain($0.name).literal }
    let questions = zip(exchangers, literals).flatMap { $1 == nil ? ExchangerLookup.questions($0.name) : [] }
    var answers = resolver.answers(to: questions, by: deadline)[...]
    var found: [MailExchanger] = []
    var failed = false
    for (exchanger, literal) in zip(exchangers, literals) {
      var addresses = literal.map { [$0] } ?? []
      var secure = isSecure
      if literal == nil {
        let own = answers.prefix(2)
        answers = answers.dropFirst(2)
        addresses = ExchangerLookup.addresses(in: own)
        secure = secure && own.allSatisfy(\.isSecure)
        if addresses.isEmpty, own.contains(where: \.isFailure) { failed = true }
      }
      guard !addresses.isEmpty else { continue }
      found.append(
        MailExchanger(name: exchanger.name, preference: exchanger.preference, addresses: addresses, isSecure: secure))
    }
    guard found.isEmpty else { return found }
    throw failed ? .lookupFailed : .noExchanger
  }

  /// IPv6 first, as the order of connections wants it.
  private static func questions(_ name: Bytes) -> [DNSQuestion] { [DNSQuestion(name, .aaaa), DNSQuestion(name, .a)] }

  private static func addresses(in answers: ArraySlice<DNSAnswer>) -> [IPAddress] {
    answers.flatMap(\.records).compactMap { record in
      guard case .address(let address) = record else { return nil }
      return address
    }
  }

  private static func single(_ name: Bytes, _ address: IPAddress) -> MailExchanger {
    MailExchanger(name: name, preference: 0, addresses: [address], isSecure: false)
  }
}
