// One mail transaction as a machine (RFC 5321 section 3.3): MAIL, RCPT, DATA or BDAT, in one flight where the server takes flights
// (RFC 2920). Takes replies, returns what to do; touches no socket and no message.

/// How a transaction ended.
public enum TransactionEnd: Equatable, Sendable {
  case senderRefused(Reply)
  /// Every recipient was refused.
  case noRecipient
  case dataRefused(Reply)
  /// A server that offers chunks doesn't know BDAT: it has nothing of the message, and has said nothing of it.
  case chunkUnknown(Reply)
  /// The mail needs SMTPUTF8, and the server doesn't know it.
  case unicodeRefused
  /// The server's word on the whole message.
  case answered(Reply)
  /// The connection or its sense was lost. When the message may have arrived whole, another try may deliver it twice.
  case lost(ConversationError, duplicatePossible: Bool)
  /// Our side failed, and the message was not sent to its end.
  case abandoned(DeliveryFailure)
}

extension TransactionEnd {
  var isSuccess: Bool {
    guard case .answered(let reply) = self else { return false }
    return reply.isPositive
  }
}

/// What a transaction came to.
public struct TransactionResult: Equatable, Sendable {
  /// The replies to RCPT, in order; fewer than recipients if the transaction ended before.
  public let recipients: [Reply]
  public let end: TransactionEnd

  public init(recipients: [Reply], end: TransactionEnd) {
    self.recipients = recipients
    self.end = end
  }
}

/// The machine.
struct Transaction {
  enum Action: Equatable {
    case send([Command])
    /// These commands and the message itself, in one flight: the message is small, and the server takes it in a chunk.
    case sendWithMessage([Command])
    case awaitReply
    /// The message with its final dot.
    case sendMessage
    /// The final dot alone: the server wants a message though there is nobody to give it to (RFC 2920 section 3.1).
    case sendEmptyMessage
    case finish(TransactionResult)
  }

  /// How the message travels.
  enum Transfer: Equatable {
    case data
    /// RFC 3030, the number of bytes.
    case chunk(Int)
  }

  private enum State: Equatable {
    case sender
    case recipient(Int)
    case transfer
    case message
    case emptyMessage
  }

  private let mail: Command
  private let recipients: [Command]
  private let transfer: Transfer
  private let pipelining: Bool

  private var state = State.sender
  private var senderReply: Reply?
  private var recipientReplies: [Reply] = []

  init(envelope: Envelope, parameters: MailParameters, transfer: Transfer, pipelining: Bool) {
    mail = .mail(envelope.sender, parameters)
    recipients = envelope.recipients.map { .recipient($0, parameters) }
    self.transfer = transfer
    self.pipelining = pipelining
  }

  mutating func begin() -> Action {
    guard pipelining else { return .send([mail]) }
    return withMessageIfChunk([mail] + recipients + [transferCommand])
  }

  mutating func received(_ reply: Reply) -> Action {
    switch state {
    case .sender:
      senderReply = reply
      // 421 is a goodbye: whoever waits for the answers to the rest of the flight may wait long.
      if !reply.isPositive, !pipelining || reply.code == 421 { return finish() }
      return goOnToRecipient(0)
    case .recipient(let index):
      recipientReplies.append(reply)
      return goOnToRecipient(index + 1)
    case .transfer:
      if case .chunk = transfer { return finish(Transaction.end(ofChunk: reply)) }
      guard reply.code == 354 else { return finish(.dataRefused(reply)) }
      state = refusal == nil ? .message : .emptyMessage
      return refusal == nil ? .sendMessage : .sendEmptyMessage
    case .message:
      return finish(.answered(reply))
    case .emptyMessage:
      return finish()
    }
  }

  /// A server that offers BDAT and then doesn't know it (500, 502, 504), or knows of no transaction (503).
  private static func end(ofChunk reply: Reply) -> TransactionEnd {
    guard [500, 502, 503, 504].contains(reply.code) else { return .answered(reply) }
    return .chunkUnknown(reply)
  }

  /// What it comes to when the conversation breaks off.
  /// - Parameter messageSent: the last byte of the message has been given to the system.
  func broken(_ error: ConversationError, messageSent: Bool) -> TransactionResult {
    result(.lost(error, duplicatePossible: messageSent))
  }

  /// What it comes to when our own side fails before the end of the message.
  func abandoned(_ failure: DeliveryFailure) -> TransactionResult { result(.abandoned(failure)) }

  /// What it comes to when the server refuses the message before its end.
  func refusedEarly(_ reply: Reply) -> TransactionResult { result(.answered(reply)) }

  private mutating func goOnToRecipient(_ index: Int) -> Action {
    if index < recipients.count {
      state = .recipient(index)
      return pipelining ? .awaitReply : .send([recipients[index]])
    }
    state = .transfer
    if pipelining { return .awaitReply }
    return refusal == nil ? withMessageIfChunk([transferCommand]) : finish()
  }

  private var transferCommand: Command {
    switch transfer {
    case .data: .data
    case .chunk(let count): .lastChunk(count)
    }
  }

  private func withMessageIfChunk(_ commands: [Command]) -> Action {
    transfer == .data ? .send(commands) : .sendWithMessage(commands)
  }

  /// Why nothing the server says of the message can be a success: nobody was accepted to get it.
  private var refusal: TransactionEnd? {
    if let senderReply, !senderReply.isPositive { return .senderRefused(senderReply) }
    let allAnswered = recipientReplies.count == recipients.count
    return allAnswered && !recipientReplies.contains(where: \.isPositive) ? .noRecipient : nil
  }

  private func finish(_ end: TransactionEnd? = nil) -> Action { .finish(result(end ?? .noRecipient)) }

  /// A refusal that is known already outweighs whatever came after it.
  private func result(_ end: TransactionEnd) -> TransactionResult {
    let end = refusal ?? end
    if case .senderRefused = end { return TransactionResult(recipients: [], end: end) }
    return TransactionResult(recipients: recipientReplies, end: end)
  }
}
