// The envelope as the operands give it: checked once, here, so that no later stage meets an address it can't send.

/// Who sends what to whom.
public struct Envelope: Equatable, Sendable {
  public let host: Domain
  public let sender: Address
  /// At least one, in the order of argv.
  public let recipients: [Address]
  /// indimail's `qqeh`: header lines that go in front of the message.
  public let extraHeader: Bytes
  /// indimail's `size`, if it is a number: what the SIZE extension is told, unexamined.
  public let declaredSize: Bytes?

  public init(
    host: Domain, sender: Address, recipients: [Address], extraHeader: Bytes = [], declaredSize: Bytes? = nil
  ) {
    self.host = host
    self.sender = sender
    self.recipients = recipients
    self.extraHeader = extraHeader
    self.declaredSize = declaredSize
  }

  /// - Parameter operands: argv without argv[0].
  /// - Throws: 5.3.5 for too few operands; 5.1.3 and 5.1.7 for addresses that no command line can carry (D12).
  init(operands: [Bytes], convention: ArgumentConvention) throws(DeliveryFailure) {
    let fixed = convention == .indimail ? 4 : 2
    guard operands.count > fixed else { throw .improperInvocation }
    let sender = Address(operands[1])
    if let fault = sender.fault(as: .sender) { throw .senderRefused(fault) }
    let recipients = operands[fixed...].map(Address.init)
    for recipient in recipients {
      if let fault = recipient.fault(as: .recipient) { throw .recipientRefused(fault) }
    }
    if let fault = Envelope.fault(inHost: operands[0]) { throw .hostRefused(fault) }
    let size = convention == .indimail && isAllDigits(operands[3]) && operands[3].count <= 20 ? operands[3] : nil
    self.init(
      host: Domain(operands[0]), sender: sender, recipients: recipients,
      extraHeader: convention == .indimail ? operands[2] : [], declaredSize: size)
  }

  /// The same envelope, but for the recipients that wait.
  func without(_ deferred: [DeferredRecipient]) -> Envelope {
    guard !deferred.isEmpty else { return self }
    let positions = Set(deferred.map(\.position))
    let kept = recipients.enumerated().filter { !positions.contains($0.offset) }.map(\.element)
    return Envelope(host: host, sender: sender, recipients: kept, extraHeader: extraHeader, declaredSize: declaredSize)
  }

  /// The same envelope with other addresses; domains in the form that every server takes.
  /// - Throws: 5.1.2 for a domain that has no A-label.
  func addressed(from sender: Address, to recipients: [Address]) throws(DeliveryFailure) -> Envelope {
    var labelled: [Address] = []
    for recipient in recipients { labelled.append(try recipient.withALabel()) }
    return Envelope(
      host: host, sender: try sender.withALabel(), recipients: labelled, extraHeader: extraHeader, declaredSize: declaredSize)
  }

  /// An address that only SMTPUTF8 can carry.
  var needsSMTPUTF8: Bool { sender.needsSMTPUTF8 || recipients.contains(where: \.needsSMTPUTF8) }

  private static func fault(inHost host: Bytes) -> String? {
    if host.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }) {
      return "contains a line end or a null byte"
    }
    return host.count > Address.domainLimit ? "has more than \(Address.domainLimit) bytes" : nil
  }
}
