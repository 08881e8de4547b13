// What decided about a delivery, in the words of who decided: a server's reply, or our own. Pure; for outcome programs and the record.

/// The word that ended a delivery.
public struct DecidingWord: Equatable, Sendable {
  /// Of the server's reply; 0 when the words are our own, or QMTP's, which has no codes, and -1 when they are about authentication.
  public let code: Int
  /// Without a line end at its end.
  public let text: Bytes
  /// Whose word it is; all that were tried when none of them could be reached, nobody when nobody was tried.
  public let hosts: [IPAddress]
}

extension Outcome {
  public var decidingWord: DecidingWord {
    switch ending {
    case .failed: ours([])
    case .exhausted(let telling): word(telling)
    case .transaction(let result): word(result, candidate.map { [$0.address] } ?? [])
    case .package(let result): word(result, candidate.map { [$0.address] } ?? [])
    }
  }

  /// As of a transaction: the last recipient who won't get the message is what there is to tell, then what was said of the others.
  private func word(_ result: PackageResult, _ host: [IPAddress]) -> DecidingWord {
    guard result.end == .answered, let telling = result.responses.last(where: { !$0.isPositive }) ?? result.responses.last
    else {
      return ours(host)
    }
    return DecidingWord(code: 0, text: DecidingWord.withoutLineEnd(telling.shown), hosts: host)
  }

  private func word(_ result: TransactionResult, _ host: [IPAddress]) -> DecidingWord {
    let refusal = result.recipients.last { !$0.isPositive }
    return switch result.end {
    case .senderRefused(let reply), .dataRefused(let reply), .chunkUnknown(let reply): word(reply, host)
    // Of a message that was accepted, the last recipient who won't get it is what there is to tell.
    case .answered(let reply): word(reply.isPositive ? refusal ?? reply : reply, host)
    case .noRecipient: refusal.map { word($0, host) } ?? ours(host)
    // RFC 6531 section 3.5: the code for an address that can't be sent on.
    case .unicodeRefused: ours(host, code: 553)
    case .lost, .abandoned: ours(host)
    }
  }

  private func word(_ telling: CandidateFailure?) -> DecidingWord {
    guard let telling, telling.stage != .connect else { return ours(failures.map(\.candidate.address)) }
    switch telling.cause {
    case .refused(let reply), .tls(.refused(let reply)): return word(reply, [telling.candidate.address])
    case .broken, .tls: return ours([telling.candidate.address])
    case .unauthenticated(let failure):
      return failure.reply.map { word($0, [telling.candidate.address]) } ?? ours([telling.candidate.address], code: -1)
    }
  }

  private func word(_ reply: Reply, _ hosts: [IPAddress]) -> DecidingWord {
    DecidingWord(code: reply.code, text: DecidingWord.withoutLineEnd(reply.shown), hosts: hosts)
  }

  private func ours(_ hosts: [IPAddress], code: Int = 0) -> DecidingWord {
    DecidingWord(code: code, text: DecidingWord.withoutLineEnd(reports.message.text), hosts: hosts)
  }
}

extension DecidingWord {
  fileprivate static func withoutLineEnd(_ text: Bytes) -> Bytes {
    text.last == UInt8(ascii: "\n") ? Bytes(text.dropLast()) : text
  }
}
