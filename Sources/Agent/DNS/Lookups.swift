// Rounds of questions: all that are known at a time go out together, and each round and the whole phase have their limits.

/// Limits of time for DNS.
struct LookupLimits {
  /// For one round of questions; nil for the library's own. Control file `timeoutdns`.
  let round: Duration?
  let overall: Deadline
  let clock: any MonotonicClock

  /// Rounds that can depend on each other: aliases, exchangers, addresses. The phase gets so many times the limit of one.
  static let phaseRounds = 3

  init(round: Duration?, overall: Deadline, clock: any MonotonicClock) {
    self.round = round
    self.overall = overall.earlier(Deadline(round.map { $0 * LookupLimits.phaseRounds }, after: clock.now()))
    self.clock = clock
  }

  /// A fresh deadline for a round that starts now.
  var deadline: Deadline { Deadline(round, after: clock.now()).earlier(overall) }
}

/// The canonical names of the recipients' domains, for the dialects that write them into RCPT (qmail-remote(8)). A machine: it tells its
/// questions and takes their answers, and somebody else asks them along with others.
struct AliasChase {
  private struct Chase {
    let original: Bytes
    var name: Bytes
    var steps = 0
    var isOver = false
  }

  private var chases: [Chase] = []

  /// Longer chains are left as they are: the mail goes to the name that the sender wrote.
  private static let stepLimit = DNSMessage.aliasLimit

  init(of recipients: [Address]) {
    for recipient in recipients {
      guard let domain = recipient.domain, let last = domain.last, last != UInt8(ascii: "]"),
        !chases.contains(where: { $0.original.equalsIgnoringCase(domain) })
      else { continue }
      chases.append(Chase(original: Bytes(domain), name: AliasChase.withoutRootDot(Bytes(domain))))
    }
  }

  /// What is to be asked now; empty when everything is known.
  func questions() throws(DeliveryFailure) -> [DNSQuestion] {
    var questions: [DNSQuestion] = []
    for chase in chases where !chase.isOver { questions.append(DNSQuestion(try Domain.aLabel(of: chase.name[...]), .cname)) }
    return questions
  }

  /// - Parameter answers: to the questions, in their order.
  /// - Throws: 4.4.3 when DNS doesn't tell.
  mutating func take(_ answers: some Collection<DNSAnswer>) throws(DeliveryFailure) {
    var answers = Array(answers)[...]
    for index in chases.indices where !chases[index].isOver {
      guard let answer = answers.popFirst() else { return }
      if answer.isFailure { throw .aliasLookupFailed(chases[index].name) }
      guard case .alias(let target)? = answer.records.first, !target.isEmpty else {
        chases[index].isOver = true
        continue
      }
      chases[index].name = target
      chases[index].steps += 1
      if chases[index].steps >= AliasChase.stepLimit {
        chases[index].name = chases[index].original
        chases[index].isOver = true
      }
    }
  }

  /// A recipient with the canonical name of its domain.
  func canonical(_ recipient: Address) -> Address {
    guard let domain = recipient.domain,
      let chase = chases.first(where: { $0.original.equalsIgnoringCase(domain) }), !chase.name.equalsIgnoringCase(domain)
    else { return recipient }
    let canonical = Address(Bytes(recipient.raw[..<domain.startIndex]) + chase.name)
    // A name that no command line can carry, or that would read as another address, is not worth the mail.
    let isName = chase.name.allSatisfy { $0.isDigit || $0.lowered >= 97 && $0.lowered <= 122 || "-._".utf8.contains($0) }
    return isName && canonical.fault(as: .recipient) == nil ? canonical : recipient
  }

  private static func withoutRootDot(_ name: Bytes) -> Bytes {
    var name = name
    while name.last == UInt8(ascii: ".") { name.removeLast() }
    return name
  }
}
