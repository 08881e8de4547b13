// Runs the machines over a connection: the dialogue to its readiness, then one transaction. Decides nothing itself.

/// Who does TLS for a delivery, and with what.
struct TLSMeans {
  let provider: any TLSProvider
  let settings: TLSSettings
}

/// An SMTP session with one candidate.
struct Session: ~Copyable {
  var connection: Connection
  let candidate: Candidate
  let hooks: HookSet
  private let means: TLSMeans
  /// How the connection is protected; nil as long as it is in clear.
  private(set) var tls: TLSFacts?
  /// Ready for the handshake, once STARTTLS is on its way.
  private var client: (any TLSClient)?
  /// The server takes every line for the message until it has seen the dot.
  private var isInsideMessage = false
  /// With which the server knows us. To be wiped once it is clear that nobody else will be told it.
  var usedSecret: Secret?

  init(_ connection: consuming Connection, candidate: Candidate, hooks: HookSet, tls: TLSMeans) {
    self.connection = connection
    self.candidate = candidate
    self.hooks = hooks
    means = tls
  }

  /// Greeting, EHLO or HELO, and TLS as the candidate's policy has it.
  /// - Parameter greeted: called when the server has said that it serves.
  /// - Throws: why this candidate is no use.
  mutating func open(heloName: Bytes, greeted: () -> Void) throws(CandidateFailure) -> Capabilities {
    var dialogue = Dialogue(heloName: heloName, tls: candidate.tls)
    var action = dialogue.begin()
    while true {
      switch action {
      case .awaitReply, .send, .startTLS:
        let stage = dialogue.stage
        let reply = try exchange(action, dialogue)
        action = dialogue.received(reply)
        if stage == .greeting, case .send = action { greeted() }
      case .secure:
        do throws(TLSTrouble) {
          try secure()
        } catch {
          throw CandidateFailure(candidate, .tls, .tls(error))
        }
        action = dialogue.secured()
      case .ready(let capabilities): return capabilities
      case .leave(let stage, let cause):
        quit()
        throw CandidateFailure(candidate, stage, cause)
      }
    }
  }

  /// One command, or none, and its reply.
  private mutating func exchange(_ action: Dialogue.Action, _ dialogue: Dialogue) throws(CandidateFailure) -> Reply {
    do throws(ConversationError) {
      if case .send(let command) = action { try send([command]) }
      if case .startTLS = action { try send([.startTLS]) }
    } catch {
      throw dialogue.broken(error, with: candidate)
    }
    // Loading a library and reading certificates takes about as long as the reply.
    if case .startTLS = action { try prepare() }
    do throws(ConversationError) {
      return try readReply()
    } catch {
      throw dialogue.broken(error, with: candidate)
    }
  }

  private mutating func prepare() throws(CandidateFailure) {
    do throws(TLSTrouble) {
      client = try means.provider.prepare(candidate.tls, means.settings)
    } catch {
      throw CandidateFailure(candidate, .tls, .tls(error))
    }
  }

  private mutating func secure() throws(TLSTrouble) {
    let client = if let client { client } else { try means.provider.prepare(candidate.tls, means.settings) }
    self.client = nil
    let facts = try connection.secure(by: client)
    tls = facts
    hooks.observe(.secured(candidate, facts))
  }

  /// Sends the message.
  /// - Parameter beforeLastByte: called once, before the last byte of the message goes out, with what a crash from then on has to report.
  mutating func deliver(
    _ plan: DeliveryPlan, _ message: Message, _ capabilities: Capabilities, beforeLastByte: (TransactionResult) -> Void
  ) -> TransactionResult {
    let parameters = parameters(plan, message, capabilities)
    if parameters.smtpUTF8, !capabilities.smtpUTF8 { return TransactionResult(recipients: [], end: .unicodeRefused) }
    var body = BodyWriter(message)
    let chunk = capabilities.chunking && candidate.usesChunks ? body.encodeWhole(.chunk) : nil
    // After a chunk that the server doesn't know there is another session, in which we have to authenticate again.
    if chunk == nil { usedSecret?.wipe() }
    var transaction = Transaction(
      envelope: plan.envelope, parameters: parameters, transfer: chunk.map { .chunk($0.count) } ?? .data,
      pipelining: capabilities.pipelining)
    var messageSent = false
    var action = transaction.begin()
    do throws(ConversationError) {
      while true {
        switch action {
        case .finish(let result):
          // With the message in the flight, a reply too many means that another was taken for the answer to it.
          if chunk != nil, messageSent, result.end.isSuccess { try refuseEarlyBytes() }
          return result
        case .awaitReply: break
        case .send(let commands):
          // Where 354 stands between, a reply too many can't pass for the message's.
          if chunk != nil { try refuseEarlyBytes() }
          do throws(ConversationError) {
            try send(commands)
          } catch {
            return broken(&transaction, error)
          }
        case .sendWithMessage(let commands):
          try refuseEarlyBytes()
          isInsideMessage = true
          beforeLastByte(transaction.broken(.transport(.closed), messageSent: true))
          do throws(ConversationError) {
            try send(commands, followedBy: chunk ?? [])
          } catch {
            return broken(&transaction, error)
          }
          hooks.observe(.sentMessage(bytes: chunk?.count ?? 0))
          isInsideMessage = false
          messageSent = true
        case .sendEmptyMessage: try transmit(Bytes(".\r\n")[...], replies: 1)
        case .sendMessage:
          if let early = try send(&body, transaction, beforeLastByte) { return early }
          messageSent = true
        }
        action = transaction.received(try readReply())
      }
    } catch {
      return transaction.broken(error, messageSent: messageSent)
    }
  }

  /// A flight has not got out to its end. A server that closes before it has read all of it has often said why.
  private mutating func broken(_ transaction: inout Transaction, _ error: ConversationError) -> TransactionResult {
    while let reply = arrivedReply() {
      switch transaction.received(reply) {
      case .awaitReply: continue
      // Nobody has got a message that isn't out, whatever is said of it.
      case .finish(let result) where !result.end.isSuccess: return result
      default: return transaction.broken(error, messageSent: false)
      }
    }
    return transaction.broken(error, messageSent: false)
  }

  /// What arrives before it was asked for is the answer to nothing: taken for the next command's, it would make one reply out of another.
  private mutating func refuseEarlyBytes() throws(ConversationError) {
    guard connection.hasUnreadBytes() else { return }
    throw .malformed(MalformedReply(line: Bytes("a reply that nothing was asked for".utf8)))
  }

  /// The message after a 354, up to its dot.
  /// - Returns: the result, if it is decided before the dot has gone out.
  private mutating func send(
    _ body: inout BodyWriter, _ transaction: borrowing Transaction, _ beforeLastByte: (TransactionResult) -> Void
  ) throws(ConversationError) -> TransactionResult? {
    isInsideMessage = true
    var sent = 0
    while true {
      let piece: BodyWriter.Piece
      do throws(DeliveryFailure) {
        piece = try body.next()
      } catch {
        return transaction.abandoned(error)
      }
      // Nothing is due from the server now. A refusal spares us the rest; anything else is no answer to a message it hasn't got.
      if connection.hasUnreadInput {
        let reply = try readReply()
        if reply.isPositive || reply.disposition == nil { throw .malformed(MalformedReply(line: reply.text)) }
        return transaction.refusedEarly(reply)
      }
      if piece.isLast { beforeLastByte(transaction.broken(.transport(.closed), messageSent: true)) }
      do throws(ConversationError) {
        try transmit(piece.bytes, replies: 1)
      } catch {
        // A server that closes in the middle has often said why.
        guard let reply = arrivedReply(), !reply.isPositive, reply.disposition != nil else { throw error }
        return transaction.refusedEarly(reply)
      }
      sent += piece.bytes.count
      guard piece.isLast else { continue }
      hooks.observe(.sentMessage(bytes: sent))
      isInsideMessage = false
      return nil
    }
  }

  /// Says goodbye where there is somebody to say it to, without waiting for an answer and whatever comes of it: the outcome is decided.
  mutating func quit() {
    guard !isInsideMessage else { return }
    hooks.observe(.sent([.quit]))
    connection.sendWithoutWaiting(Command.quit.wire)
  }

  private func parameters(_ plan: DeliveryPlan, _ message: Message, _ capabilities: Capabilities) -> MailParameters {
    let needsSMTPUTF8 = plan.usesSMTPUTF8 && (plan.envelope.needsSMTPUTF8 || message.cameAsSMTPUTF8)
    var parameters = MailParameters(smtpUTF8: needsSMTPUTF8)
    if capabilities.size { parameters.size = message.declaredSize(plan.envelope) ?? message.size.map { Bytes("\($0)") } }
    if capabilities.eightBitMIME, message.mayHaveEightBitBytes() { parameters.body = .eightBitMIME }
    if usedSecret != nil { parameters.authenticated = .nobody }
    return parameters
  }

  private mutating func send(_ commands: [Command], followedBy message: Bytes = []) throws(ConversationError) {
    hooks.observe(.sent(commands))
    try transmit((commands.flatMap(\.wire) + message)[...], replies: commands.count)
  }

  private mutating func transmit(_ bytes: ArraySlice<UInt8>, replies: Int) throws(ConversationError) {
    do throws(TransportError) {
      try connection.send(bytes, replies: replies)
    } catch {
      throw .transport(error)
    }
  }

  private mutating func readReply() throws(ConversationError) -> Reply { try readReply(without: []).reply }

  /// A reply that is here already, where no more is waited for.
  private mutating func arrivedReply() -> Reply? {
    guard let reply = connection.arrivedReply() else { return nil }
    hooks.observe(.received(reply))
    return reply
  }

  /// - Returns: the reply, and what others than the machine may see of it.
  mutating func readReply(without secrets: [Secret]) throws(ConversationError) -> (reply: Reply, shown: Reply) {
    let reply: Reply
    do throws(ConversationError) {
      reply = try connection.readReply()
    } catch {
      throw error.redacted(secrets)
    }
    let shown = reply.redacted(secrets)
    hooks.observe(.received(shown))
    return (reply, shown)
  }

  /// Sends a command that has its answer to itself, and leaves no copy of it behind.
  mutating func sendAlone(_ command: Command) throws(ConversationError) {
    try refuseEarlyBytes()
    hooks.observe(.sent([command]))
    var wire = command.wire
    defer { wire.wipe() }
    try transmit(wire[...], replies: 1)
  }
}
