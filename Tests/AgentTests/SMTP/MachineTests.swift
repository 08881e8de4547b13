import Testing

@testable import Agent

@Suite struct DialogueTests {
  /// `tls` among the replies is a handshake that succeeds; `lost` breaks the connection, `alert` breaks TLS.
  private func run(_ replies: [String], _ policy: TLSPolicy = TLSPolicy(.none, source: "")) -> String {
    var dialogue = Dialogue(heloName: bytes("me"), tls: policy)
    var steps = [name(dialogue.begin())]
    let candidate = Candidate(exchanger: [], preference: 0, address: address("192.0.2.1"), port: 25)
    for text in replies {
      switch text {
      case "tls": steps.append(name(dialogue.secured()))
      case "lost": steps.append(name(dialogue.broken(.transport(.closed), with: candidate)))
      case "alert": steps.append(name(dialogue.broken(.transport(.tls("")), with: candidate)))
      default: steps.append(name(dialogue.received(reply(text))))
      }
    }
    return steps.joined(separator: " | ")
  }

  private func name(_ failure: CandidateFailure) -> String {
    if case .tls = failure.cause { "broken at \(failure.stage) by TLS" } else { "broken at \(failure.stage)" }
  }

  private func name(_ action: Dialogue.Action) -> String {
    switch action {
    case .awaitReply: "await"
    case .send(let command): command.line.text
    case .ready(let capabilities): capabilities.pipelining ? "ready with pipelining" : "ready"
    case .startTLS: "STARTTLS"
    case .secure: "handshake"
    case .leave(let stage, .tls(.notOffered)): "leave at \(stage): not offered"
    case .leave(let stage, .tls(.refused)): "leave at \(stage): refused"
    case .leave(let stage, _): "leave at \(stage)"
    }
  }

  @Test(
    "greeting, EHLO, HELO",
    arguments: [
      (["220 x", "250-x\n250 PIPELINING"], "await | EHLO me | ready with pipelining"),
      (["220-a\n220 b", "250 x"], "await | EHLO me | ready"),
      (["220 x", "500 x", "250 x"], "await | EHLO me | HELO me | ready"),
      (["220 x", "502 x", "250-x\n250 PIPELINING"], "await | EHLO me | HELO me | ready"),
      (["220 x", "550 x", "550 x"], "await | EHLO me | HELO me | leave at hello"),
      (["220 x", "500 x", "421 x"], "await | EHLO me | HELO me | leave at hello"),
      (["220 x", "421 x"], "await | EHLO me | leave at hello"), (["220 x", "354 x"], "await | EHLO me | leave at hello"),
      (["421 x"], "await | leave at greeting"), (["554 x"], "await | leave at greeting"),
      (["250 x"], "await | leave at greeting"),
      (["354 x"], "await | leave at greeting"),
    ])
  func dialogue(_ replies: [String], _ steps: String) { #expect(run(replies) == steps) }

  private static let offer = "250-x\n250 STARTTLS"

  @Test(
    "STARTTLS",
    arguments: [
      (.none, ["220 x", offer], "await | EHLO me | ready"),
      (.may, ["220 x", "250 x"], "await | EHLO me | ready"),
      (
        .may, ["220 x", offer, "220 x", "tls", "250-x\n250 PIPELINING"],
        "await | EHLO me | STARTTLS | handshake | EHLO me | ready with pipelining"
      ),
      // The offer of the first EHLO doesn't count, nor does another STARTTLS.
      (
        .may, ["220 x", "250-x\n250-PIPELINING\n250 STARTTLS", "220 x", "tls", offer],
        "await | EHLO me | STARTTLS | handshake | EHLO me | ready"
      ),
      (.may, ["220 x", offer, "454 x"], "await | EHLO me | STARTTLS | leave at tls: refused"),
      (.may, ["220 x", offer, "250 x"], "await | EHLO me | STARTTLS | leave at tls: refused"),
      (.may, ["220 x", offer, "lost"], "await | EHLO me | STARTTLS | broken at tls by TLS"),
      (.may, ["220 x", offer, "220 x", "tls", "lost"], "await | EHLO me | STARTTLS | handshake | EHLO me | broken at hello"),
      (
        .may, ["220 x", offer, "220 x", "tls", "alert"],
        "await | EHLO me | STARTTLS | handshake | EHLO me | broken at tls by TLS"
      ),
      (
        .may, ["220 x", offer, "220 x", "tls", "500 x", "alert"],
        "await | EHLO me | STARTTLS | handshake | EHLO me | HELO me | broken at hello"
      ),
      (.may, ["220 x", offer, "220 x", "tls", "421 x"], "await | EHLO me | STARTTLS | handshake | EHLO me | leave at hello"),
      (.may, ["220 x", "500 x", "250 x"], "await | EHLO me | HELO me | ready"),
      (.encrypt, ["220 x", "250 x"], "await | EHLO me | leave at tls: not offered"),
      (.encrypt, ["220 x", "500 x"], "await | EHLO me | leave at tls: not offered"),
      (.encrypt, ["220 x", "421 x"], "await | EHLO me | leave at hello"),
      (
        .encrypt, ["220 x", offer, "220 x", "tls", "500 x", "250 x"],
        "await | EHLO me | STARTTLS | handshake | EHLO me | HELO me | ready"
      ),
    ] as [(TLSPolicy.Level, [String], String)])
  func startTLS(_ level: TLSPolicy.Level, _ replies: [String], _ steps: String) {
    #expect(run(replies, TLSPolicy(level, source: "")) == steps)
  }

  @Test("every level that demands TLS leaves a server without it", arguments: TLSPolicy.Level.allCases)
  func demand(_ level: TLSPolicy.Level) {
    let mayGoInClear = level == .none || level == .may
    #expect(run(["220 x", "250 x"], TLSPolicy(level, source: "")).hasSuffix("ready") == mayGoInClear)
  }

  @Test("mail that goes in clear only as a last resort leaves a server without TLS") func lastResort() {
    var policy = TLSPolicy(.may, source: "")
    policy.clear = .last
    #expect(run(["220 x", "250 x"], policy) == "await | EHLO me | leave at tls: not offered")
  }

  @Test(
    "TLS from the first byte, at any level",
    arguments: [
      (.none, ["tls", "220 x", offer], "handshake | await | EHLO me | ready"),
      (.encrypt, ["tls", "220 x", offer], "handshake | await | EHLO me | ready"),
      (.name, ["tls", "421 x"], "handshake | await | leave at greeting"),
      (.encrypt, ["tls", "lost"], "handshake | await | broken at greeting"),
      (.encrypt, ["tls", "alert"], "handshake | await | broken at tls by TLS"),
    ] as [(TLSPolicy.Level, [String], String)])
  func implicit(_ level: TLSPolicy.Level, _ replies: [String], _ steps: String) {
    var policy = TLSPolicy(level, source: "")
    policy.start = .implicit
    #expect(run(replies, policy) == steps)
  }
}

@Suite struct TransactionTests {
  private func run(_ replies: [String], recipients: Int = 1, chunk: Bool = false, pipelining: Bool) -> String {
    let envelope = Envelope(
      host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: (0..<recipients).map { Address(bytes("r\($0)@y")) })
    var transaction = Transaction(
      envelope: envelope, parameters: MailParameters(), transfer: chunk ? .chunk(5) : .data, pipelining: pipelining)
    var steps = [name(transaction.begin())]
    for text in replies { steps.append(name(transaction.received(reply(text)))) }
    return steps.joined(separator: " | ")
  }

  private func name(_ action: Transaction.Action) -> String {
    switch action {
    case .send(let commands): commands.map { String($0.line.text.prefix(4)) }.joined(separator: ",")
    case .sendWithMessage(let commands): commands.map { String($0.line.text.prefix(4)) }.joined(separator: ",") + ",body"
    case .awaitReply: "await"
    case .sendMessage: "body"
    case .sendEmptyMessage: "dot"
    case .finish(let result): "\(result.recipients.map(\.code)) \(name(result.end))"
    }
  }

  private func name(_ end: TransactionEnd) -> String {
    switch end {
    case .senderRefused(let reply): "sender \(reply.code)"
    case .noRecipient: "nobody"
    case .unicodeRefused: "unicode"
    case .dataRefused(let reply): "data \(reply.code)"
    case .chunkUnknown(let reply): "unknown \(reply.code)"
    case .answered(let reply): "answered \(reply.code)"
    case .lost(_, let duplicatePossible): duplicatePossible ? "duplicate" : "lost"
    case .abandoned: "abandoned"
    }
  }

  @Test(
    "one command at a time",
    arguments: [
      (["250 x", "250 x", "354 x", "250 x"], "MAIL | RCPT | DATA | body | [250] answered 250"),
      (["550 x"], "MAIL | [] sender 550"),
      (["450 x"], "MAIL | [] sender 450"), (["354 x"], "MAIL | [] sender 354"),
      (["250 x", "550 x"], "MAIL | RCPT | [550] nobody"),
      (["250 x", "250 x", "451 x"], "MAIL | RCPT | DATA | [250] data 451"),
      (["250 x", "250 x", "250 x"], "MAIL | RCPT | DATA | [250] data 250"),
      (["250 x", "250 x", "354 x", "554 x"], "MAIL | RCPT | DATA | body | [250] answered 554"),
    ])
  func lockstep(_ replies: [String], _ steps: String) { #expect(run(replies, pipelining: false) == steps) }

  @Test(
    "a chunk needs no go-ahead, but somebody to get it",
    arguments: [
      (["250 x", "250 x", "250 x"], "MAIL | RCPT | BDAT,body | [250] answered 250"),
      (["250 x", "550 x"], "MAIL | RCPT | [550] nobody"),
      (["250 x", "250 x", "552 x"], "MAIL | RCPT | BDAT,body | [250] answered 552"),
      (["250 x", "250 x", "501 x"], "MAIL | RCPT | BDAT,body | [250] answered 501"),
    ])
  func lockstepChunk(_ replies: [String], _ steps: String) { #expect(run(replies, chunk: true, pipelining: false) == steps) }

  @Test(
    "all in one flight",
    arguments: [
      (
        ["250 x", "250 x", "450 x", "354 x", "250 x"],
        "MAIL,RCPT,RCPT,DATA | await | await | await | body | [250, 450] answered 250"
      ),
      (["250 x", "550 x", "450 x", "354 x", "250 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | dot | [550, 450] nobody"),
      (["250 x", "550 x", "450 x", "354 x", "554 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | dot | [550, 450] nobody"),
      (["250 x", "550 x", "450 x", "503 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | [550, 450] nobody"),
      (["421 x"], "MAIL,RCPT,RCPT,DATA | [] sender 421"),
      (["550 x", "503 x", "503 x", "503 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | [] sender 550"),
      (["550 x", "250 x", "250 x", "354 x", "250 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | dot | [] sender 550"),
      (["250 x", "250 x", "250 x", "451 x"], "MAIL,RCPT,RCPT,DATA | await | await | await | [250, 250] data 451"),
    ])
  func pipelined(_ replies: [String], _ steps: String) { #expect(run(replies, recipients: 2, pipelining: true) == steps) }

  @Test(
    "with the message in the flight, success still needs a recipient",
    arguments: [
      (["250 x", "250 x", "250 x"], "MAIL,RCPT,BDAT,body | await | await | [250] answered 250"),
      (["250 x", "550 x", "250 x"], "MAIL,RCPT,BDAT,body | await | await | [550] nobody"),
      (["550 x", "250 x", "250 x"], "MAIL,RCPT,BDAT,body | await | await | [] sender 550"),
      (["250 x", "250 x", "554 x"], "MAIL,RCPT,BDAT,body | await | await | [250] answered 554"),
    ])
  func pipelinedChunk(_ replies: [String], _ steps: String) { #expect(run(replies, chunk: true, pipelining: true) == steps) }

  @Test("a chunk that the server doesn't know says nothing of the message", arguments: ["500", "502", "503", "504"])
  func unknownChunk(_ code: String) {
    #expect(run(["250 x", "250 x", "\(code) x"], chunk: true, pipelining: true).hasSuffix("[250] unknown \(code)"))
    #expect(run(["250 x", "250 x", "\(code) x"], chunk: true, pipelining: false).hasSuffix("[250] unknown \(code)"))
  }

  @Test("a connection that breaks off: what is known stays, a duplicate is possible only when the message is out")
  func broken() {
    let envelope = Envelope(
      host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: [Address(bytes("a@y")), Address(bytes("b@y"))])
    let closed = ConversationError.transport(.closed)
    for (replies, whenSent, whenNot) in [
      ([], "[] duplicate", "[] lost"), (["250 x"], "[] duplicate", "[] lost"),
      (["250 x", "250 x"], "[250] duplicate", "[250] lost"),
      (["250 x", "550 x"], "[550] duplicate", "[550] lost"),
      (["250 x", "550 x", "450 x"], "[550, 450] nobody", "[550, 450] nobody"),
      (["550 x"], "[] sender 550", "[] sender 550"), (["250 x", "250 x", "550 x"], "[250, 550] duplicate", "[250, 550] lost"),
    ] {
      var transaction = Transaction(envelope: envelope, parameters: MailParameters(), transfer: .data, pipelining: true)
      _ = transaction.begin()
      for text in replies { _ = transaction.received(reply(text)) }
      #expect(name(.finish(transaction.broken(closed, messageSent: true))) == whenSent)
      #expect(name(.finish(transaction.broken(closed, messageSent: false))) == whenNot)
    }
  }
}
