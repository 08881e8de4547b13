// What a server says, without what we have told it: servers that don't understand a line repeat it in their complaint, and that goes into
// reports and logs.

extension Bytes {
  /// With `***` in the place of each secret, and of the beginning of one at the end: what is shown may have been cut there.
  func redacted(_ secrets: [Secret]) -> Bytes {
    var text = self
    for secret in secrets where secret.count >= Bytes.shortestRedacted {
      var bytes = secret.bytes
      defer { bytes.wipe() }
      text = text.replacing(bytes, by: Bytes.redaction)
      let cut = (Bytes.shortestRedacted..<bytes.count).last { count in
        count <= text.count && text.suffix(count).elementsEqual(bytes.prefix(count))
      }
      if let cut { text = Bytes(text.dropLast(cut)) + Bytes.redaction }
    }
    return text
  }

  fileprivate static let redaction = Bytes("***")
  /// What is shorter stands in any text.
  private static let shortestRedacted = 4
}

extension Reply {
  func redacted(_ secrets: [Secret]) -> Reply {
    guard !secrets.isEmpty else { return self }
    // In a challenge it may stand in a form in which nobody would find it.
    if code == 334, let challenge = Base64.decode((lines.first ?? []).trimmedAtEnd), challenge.redacted(secrets) != challenge {
      return Reply(code: code, text: Bytes("334 ") + Bytes.redaction + [UInt8(ascii: "\n")])
    }
    return Reply(code: code, text: text.redacted(secrets))
  }
}

extension ConversationError {
  func redacted(_ secrets: [Secret]) -> ConversationError {
    guard case .malformed(let malformed) = self else { return self }
    return .malformed(MalformedReply(line: malformed.line.redacted(secrets)))
  }
}
