// A flight of 10,000 recipients: two sides that only write would wait for each other for ever (RFC 2920 section 3.1), and the reports
// have to be in the order of the operands.
import Support
import Testing

@Suite struct ManyRecipientsTests {
  private static let count = 10_000
  private static let recipients = (0..<count).map { "recipient-\($0)@example.com" }

  /// Every third is deferred, every seventh refused.
  private static func reply(_ index: Int) -> String { index % 3 == 1 ? "450" : index % 7 == 2 ? "550" : "250" }

  /// 510 is the greatest length that RFC 5321 section 4.5.3.1.5 allows.
  private static func line(_ index: Int, _ length: Int) -> String {
    let start = "\(reply(index)) \(index) "
    return start + String(repeating: "x", count: length - start.utf8.count)
  }

  private static func reports(_ length: Int) -> String {
    (0..<count).map { index in
      let letter = [("250", "r"), ("450", "s"), ("550", "h")].first { $0.0 == reply(index) }?.1 ?? "?"
      return letter == "r" ? "r^@" : "\(letter)127.0.0.1 does not like recipient.\nRemote host said: \(line(index, length))\n^@"
    }.joined()
  }

  private func deliver(_ extensions: [String], _ length: Int, _ script: @escaping @Sendable (Peer) throws -> Void) throws {
    let (finished, dialogues) = try NetworkNamespace.narrow().run {
      let server = try ScriptedServer { peer in
        let ordinary = SMTPScript(extensions: extensions)
        try peer.send(ordinary.reply(.greeting))
        try peer.expect("EHLO me.example.net")
        try peer.send(ordinary.reply(.hello))
        try script(peer)
        try peer.expect("DATA")
        try peer.send(ordinary.reply(.data))
        try peer.body()
        try peer.send(ordinary.reply(.message))
      }
      var remote = Remote(to: server)
      remote.recipients = ManyRecipientsTests.recipients
      // A deadlock shows as this time-out.
      remote.control["timeoutremote"] = "20\n"
      return (try remote.run(), server.finish())
    }
    #expect(dialogues.map(\.fault) == [nil])
    let message = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(finished, "\(ManyRecipientsTests.reports(length))\(message)^@", verdict: "K")
  }

  @Test(arguments: [100, 510])
  func `a server that answers each command at once, at length`(_ length: Int) throws {
    try deliver(["PIPELINING"], length) { peer in
      _ = try peer.line()
      try peer.send("250 ok\r\n")
      for (index, recipient) in ManyRecipientsTests.recipients.enumerated() {
        try peer.expect("RCPT TO:<\(recipient)>")
        try peer.send(ManyRecipientsTests.line(index, length) + "\r\n")
      }
    }
  }

  @Test(arguments: [100, 510])
  func `a server that answers when it has read everything`(_ length: Int) throws {
    try deliver(["PIPELINING"], length) { peer in
      _ = try peer.line()
      for recipient in ManyRecipientsTests.recipients { try peer.expect("RCPT TO:<\(recipient)>") }
      try peer.send(
        "250 ok\r\n" + ManyRecipientsTests.recipients.indices.map { ManyRecipientsTests.line($0, length) + "\r\n" }.joined())
    }
  }

  @Test(arguments: [100, 510])
  func `a server that takes one command at a time`(_ length: Int) throws {
    try deliver([], length) { peer in
      _ = try peer.line()
      try peer.send("250 ok\r\n")
      for (index, recipient) in ManyRecipientsTests.recipients.enumerated() {
        try peer.expect("RCPT TO:<\(recipient)>")
        try peer.send(ManyRecipientsTests.line(index, length) + "\r\n")
      }
    }
  }
}
