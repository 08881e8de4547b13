// A mail server that takes whatever it is told by AUTH, and then behaves: for tests that are not about passwords.
import Support

struct AuthenticatingScript: Sendable {
  /// As behind AUTH.
  let mechanisms: String
  /// The reply to the message.
  let last: String

  init(_ mechanisms: String = "PLAIN", last: String = "250 ok 1") {
    self.mechanisms = mechanisms
    self.last = last
  }

  func serve(_ peer: Peer) throws {
    try peer.send("220 server.example ESMTP\r\n")
    while let line = try peer.lineOrEnd() {
      switch line.prefix(4).uppercased() {
      case "EHLO": try peer.send("250-server.example\r\n250 AUTH \(mechanisms)\r\n")
      case "AUTH":
        // Without an initial response: for LOGIN, one question after the other.
        for _ in 0..<(line.split(separator: " ").count > 2 ? 0 : 2) {
          try peer.send("334 \r\n")
          _ = try peer.line()
        }
        try peer.send("235 ok\r\n")
      case "MAIL", "RCPT": try peer.send("250 ok\r\n")
      case "DATA":
        try peer.send("354 go ahead\r\n")
        _ = try peer.body()
        try peer.send("\(last)\r\n")
      case "QUIT": return try peer.send("221 bye\r\n")
      default: throw PeerFault.unexpected(line, wanted: "a command")
      }
    }
  }
}
