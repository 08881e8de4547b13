// A mail server that behaves, but for the replies and the death that a test asks for.
import Support

struct SMTPScript: Sendable {
  /// What the server answers.
  enum Step: Hashable, Sendable, CustomStringConvertible {
    case greeting, hello, helo, mail
    /// Counted from 0.
    case recipient(Int)
    case data
    /// The whole message, whether after DATA or in a chunk.
    case message
    case quit

    var description: String {
      switch self {
      case .greeting: "greeting"
      case .hello: "EHLO"
      case .helo: "HELO"
      case .mail: "MAIL"
      case .recipient(let index): "RCPT \(index)"
      case .data: "DATA"
      case .message: "message"
      case .quit: "QUIT"
      }
    }
  }

  enum Position: String, Sendable {
    case before = "before the reply to"
    case inside = "inside the reply to"
    case after = "after the reply to"
    /// When part of the message has arrived.
    case midMessage = "in the middle of"
  }

  enum Manner: String, Sendable, CaseIterable {
    case close, reset, stall
  }

  struct Death: Sendable, CustomStringConvertible {
    let step: Step
    let position: Position
    let manner: Manner

    var description: String { "\(manner.rawValue) \(position.rawValue) \(step)" }
  }

  /// The server's end of the script came before QUIT.
  private struct Died: Error {}

  var extensions: [String] = []
  /// Instead of the ordinary replies, with their line ends.
  var replies: [Step: String] = [:]
  var death: Death?
  /// What the server does with a message after 354, instead of reading all of it.
  var takeBody: (@Sendable (Peer) throws -> Void)?

  /// Called before each reply, when what it answers has been read.
  var hold: (@Sendable (Step) -> Void)?

  static let pipelining = "PIPELINING"
  static let chunking = "CHUNKING"

  func reply(_ step: Step) -> String {
    if let reply = replies[step] { return reply }
    switch step {
    case .greeting: return "220 server.example ESMTP\r\n"
    case .hello:
      let lines = ["server.example"] + extensions
      return lines.enumerated().map { "250\($0 + 1 == lines.count ? " " : "-")\($1)\r\n" }.joined()
    case .helo: return "250 server.example\r\n"
    case .mail: return "250 sender ok\r\n"
    case .recipient: return "250 recipient ok\r\n"
    case .data: return "354 go ahead\r\n"
    case .message: return "250 ok 1\r\n"
    case .quit: return "221 bye\r\n"
    }
  }

  func serve(_ peer: Peer) throws {
    do {
      try converse(peer)
    } catch is Died {}
  }

  private func converse(_ peer: Peer) throws {
    var recipients = 0
    try answer(.greeting, peer)
    while let line = try peer.lineOrEnd() {
      switch line.prefix(4).uppercased() {
      case "EHLO": try answer(.hello, peer)
      case "HELO": try answer(.helo, peer)
      case "MAIL": try answer(.mail, peer)
      case "RCPT":
        try answer(.recipient(recipients), peer)
        recipients += 1
      case "DATA":
        try answer(.data, peer)
        if reply(.data).hasPrefix("354") { try takeMessage(peer) { try takeBody?(peer) ?? { _ = try peer.body() }() } }
      case "BDAT":
        let words = line.split(separator: " ")
        guard words.count == 3, words[2] == "LAST", let count = Int(words[1]) else {
          throw PeerFault.unexpected(line, wanted: "BDAT with a count and LAST")
        }
        try takeMessage(peer) { _ = try peer.chunk(count) }
      case "QUIT": return try answer(.quit, peer)
      default: throw PeerFault.unexpected(line, wanted: "a command")
      }
    }
  }

  private func takeMessage(_ peer: Peer, _ take: () throws -> Void) throws {
    if let death, death.position == .midMessage {
      _ = try peer.take(1_000)
      try die(death.manner, peer)
    }
    try take()
    try answer(.message, peer)
  }

  private func answer(_ step: Step, _ peer: Peer) throws {
    hold?(step)
    let reply = reply(step)
    guard let death, death.step == step, death.position != .midMessage else { return try peer.send(reply) }
    switch death.position {
    case .inside: try peer.send(String(reply.prefix(reply.count / 2)))
    case .after: try peer.send(reply)
    case .before, .midMessage: break
    }
    try die(death.manner, peer)
  }

  private func die(_ manner: Manner, _ peer: Peer) throws {
    switch manner {
    case .close: peer.close()
    case .reset: peer.reset()
    case .stall: try peer.stall()
    }
    throw Died()
  }
}

extension ScriptedServer {
  convenience init(_ script: SMTPScript, address: String = "127.0.0.1", port: UInt16 = 0) throws {
    try self.init(address: address, port: port) { try script.serve($0) }
  }
}
