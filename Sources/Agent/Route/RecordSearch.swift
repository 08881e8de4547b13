// The TLSA records of exchangers (RFC 7672 section 2.2.2): under the exchanger's own name, which is asked for along with its addresses,
// and under the name that it is an alias of. More rounds only where there are aliases.

/// Completes what the round of the addresses has brought.
struct RecordSearch {
  let resolver: any Resolver
  let limits: LookupLimits

  /// Asks what was not asked for, or for another port: what a policy says may only be known once the addresses are.
  /// - Parameter ports: for each exchanger, the port whose records count; nil for none.
  func ask(_ exchangers: inout [MailExchanger], ports: [UInt16?]) {
    var wanted: [(index: Int, port: UInt16)] = []
    for (index, port) in zip(exchangers.indices, ports) {
      guard let port, resolver.believesValidation, exchangers[index].isNameSecure else {
        exchangers[index].tlsa = nil
        continue
      }
      if exchangers[index].tlsa?.port != port { wanted.append((index, port)) }
    }
    let answers = ask(wanted.map { DNSQuestion(TLSALookup.owner(exchangers[$0.index].name, $0.port), .tlsa) })
    for ((index, port), answer) in zip(wanted, answers) {
      exchangers[index].tlsa = TLSALookup(
        port: port, base: exchangers[index].name, answer: answer, counts: exchangers[index].isSecure)
    }
    followAliases(&exchangers)
  }

  private enum FollowUp {
    /// All the way is validated: the records of the name at its end come first.
    case records(of: Bytes)
    /// The addresses aren't, but the first step may be.
    case firstStep
  }

  /// Asks what aliases make necessary, once for each lookup.
  func followAliases(_ exchangers: inout [MailExchanger]) {
    var wanted: [(index: Int, followUp: FollowUp)] = []
    for (index, exchanger) in exchangers.enumerated() {
      guard let alias = exchanger.alias, let tlsa = exchanger.tlsa, !tlsa.isComplete else { continue }
      exchangers[index].tlsa?.isComplete = true
      if exchanger.isSecure {
        wanted.append((index, .records(of: alias)))
      } else if !tlsa.counts, tlsa.answer.isFailure || !tlsa.answer.records.isEmpty && tlsa.answer.isSecure {
        wanted.append((index, .firstStep))
      }
    }
    let answers = ask(
      wanted.map { index, followUp in
        switch followUp {
        case .records(let alias): DNSQuestion(TLSALookup.owner(alias, exchangers[index].tlsa?.port ?? 0), .tlsa)
        case .firstStep: DNSQuestion(exchangers[index].name, .cname)
        }
      })
    for ((index, followUp), answer) in zip(wanted, answers) {
      switch followUp {
      case .records(let alias):
        // "Failing that, the initial name itself": but a failure is no answer.
        guard answer.isFailure || !answer.records.isEmpty && answer.isSecure else { continue }
        exchangers[index].tlsa?.base = alias
        exchangers[index].tlsa?.answer = answer
      case .firstStep:
        if answer.isFailure { exchangers[index].tlsa?.answer = answer }
        exchangers[index].tlsa?.counts = answer.isFailure || answer.isSecure && !answer.records.isEmpty
      }
    }
  }

  private func ask(_ questions: [DNSQuestion]) -> [DNSAnswer] {
    guard !questions.isEmpty else { return [] }
    let answers = resolver.answers(to: questions, by: limits.deadline)
    // Whoever answers, no question goes without an answer.
    return answers + Array(repeating: .failure("no answer"), count: max(0, questions.count - answers.count))
  }
}
