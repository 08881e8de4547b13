// One package over one connection: out in one flight, then an answer for each recipient. Decides nothing.

/// A QMTP session with one candidate.
struct QMTPSession: ~Copyable {
  private var connection: Connection
  private let candidate: Candidate
  private let hooks: HookSet
  private var parser = NetstringParser(limit: QMTPSession.responseLimit, keptLimit: Reply.shownLimit + 1)

  /// The programs that this one stands in for take no longer answer either; only the beginning of one is kept.
  private static let responseLimit = 200_000_000

  init(_ connection: consuming Connection, candidate: Candidate, hooks: HookSet) {
    self.connection = connection
    self.candidate = candidate
    self.hooks = hooks
  }

  /// TLS before the first byte, where the candidate's policy has it (QMTPS).
  /// - Returns: nil in clear.
  /// - Throws: why this candidate is no use. QMTP has no way to TLS later on.
  mutating func secure(_ means: TLSMeans) throws(CandidateFailure) -> TLSFacts? {
    guard candidate.tls.start == .implicit else { return nil }
    do throws(TLSTrouble) {
      let facts = try connection.secure(by: try means.provider.prepare(candidate.tls, means.settings))
      hooks.observe(.secured(candidate, facts))
      return facts
    } catch {
      throw CandidateFailure(candidate, .tls, .tls(error))
    }
  }

  /// Sends the message.
  /// - Parameter beforeLastByte: called once, before the last byte of the package goes out, with what a crash from then on has to report.
  /// - Throws: why this candidate is no use. Then it has no whole package, and must not deliver what it has (QMTP, section 2).
  mutating func deliver(
    _ plan: DeliveryPlan, _ message: Message, beforeLastByte: (PackageResult) -> Void
  ) throws(CandidateFailure) -> PackageResult {
    do throws(ConversationError) {
      if let failure = try send(plan.envelope, message, beforeLastByte) {
        return PackageResult(responses: [], end: .abandoned(failure))
      }
    } catch {
      throw CandidateFailure(candidate, .package, .broken(error))
    }
    var responses: [QMTPResponse] = []
    do throws(ConversationError) {
      while responses.count < plan.envelope.recipients.count { responses.append(try readResponse()) }
      return PackageResult(responses: responses, end: .answered)
    } catch {
      return PackageResult(responses: responses, end: .lost(error))
    }
  }

  /// - Returns: what went wrong on our side, before the last byte has gone out.
  private mutating func send(
    _ envelope: Envelope, _ message: Message, _ beforeLastByte: (PackageResult) -> Void
  ) throws(ConversationError) -> DeliveryFailure? {
    guard let length = message.length else { return .messageUnreadable }
    var package = PackageWriter(message, length: length, envelope)
    while true {
      let piece: PackageWriter.Piece
      do throws(DeliveryFailure) {
        piece = try package.next()
      } catch {
        return error
      }
      try refuseEarlyAnswer()
      if piece.isLast { beforeLastByte(PackageResult(responses: [], end: .lost(.transport(.closed)))) }
      do throws(TransportError) {
        try connection.send(piece.bytes, replies: envelope.recipients.count)
      } catch {
        throw .transport(error)
      }
      guard piece.isLast else { continue }
      hooks.observe(.sentPackage(recipients: envelope.recipients.count, bytes: length))
      return nil
    }
  }

  /// A server is not permitted to say anything before the last byte (QMTP, section 2), so that whatever it says is no answer.
  private mutating func refuseEarlyAnswer() throws(ConversationError) {
    let hasArrived: Bool
    do throws(TransportError) {
      hasArrived = try connection.hasArrived()
    } catch {
      throw .transport(error)
    }
    if hasArrived { throw .improper("an answer to nothing") }
  }

  private mutating func readResponse() throws(ConversationError) -> QMTPResponse {
    let deadline = connection.answerDeadline
    while true {
      if let response = try takeResponse() {
        hooks.observe(.responded(response))
        return response
      }
      do throws(TransportError) {
        try connection.receive(by: deadline)
      } catch {
        throw .transport(error)
      }
    }
  }

  /// The next response, if it has arrived whole.
  private mutating func takeResponse() throws(ConversationError) -> QMTPResponse? {
    let content: Bytes?
    do throws(MalformedNetstring) {
      var rest = connection.unread
      let count = rest.count
      content = try parser.take(&rest)
      connection.consume(count - rest.count)
    } catch {
      throw .improper(error.words)
    }
    guard let content else { return nil }
    guard let response = QMTPResponse(content) else { throw .improper("an answer that begins with none of K, Z and D") }
    return response
  }
}

extension ConversationError {
  fileprivate static func improper(_ words: String) -> ConversationError {
    .malformed(MalformedReply(line: Bytes(words)))
  }
}
