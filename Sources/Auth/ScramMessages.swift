// The messages of SCRAM (RFC 5802 section 5.1), as far as they are looked at before the library sees them. Pure.
internal import Agent

/// The server's first message.
struct ScramServerFirst {
  let nonce: Bytes
  let salt: Bytes
  let iterations: Int

  /// RFC 7677 section 4 asks for the lower one: with few iterations, whoever sent this could try passwords on the answer. The upper one
  /// takes a second; a server that wants more wants our time.
  static let iterationLimits = 4_096...1_000_000

  init(_ message: Bytes, clientNonce: Bytes) throws(MechanismFault) {
    guard !message.isEmpty else { throw .noChallenge }
    let fields = message.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    // An extension that must be understood stands first, and there is none that we know.
    guard fields.first?.starts(with: "m=".utf8) != true else { throw .failed("the server demands an unknown extension") }
    guard fields.count >= 3, fields[0].starts(with: "r=".utf8), fields[1].starts(with: "s=".utf8),
      fields[2].starts(with: "i=".utf8)
    else { throw .failed("the server's first message is not SCRAM's") }
    nonce = Bytes(fields[0].dropFirst(2))
    guard nonce.count > clientNonce.count, nonce.starts(with: clientNonce) else {
      throw .failed("the server's nonce doesn't begin with ours")
    }
    guard nonce.allSatisfy({ $0 > 32 && $0 < 127 }), let salt = Base64.decode(fields[1].dropFirst(2)), !salt.isEmpty else {
      throw .failed("the server's first message is not SCRAM's")
    }
    self.salt = salt
    guard let iterations = fields[2].dropFirst(2).decimal, ScramServerFirst.iterationLimits.contains(iterations) else {
      throw .failed("the server asks for \(fields[2].dropFirst(2).prefix(20).printable.text) iterations")
    }
    self.iterations = iterations
  }
}

enum ScramText {
  /// What the client has to find again in the server's nonce.
  /// - Parameter first: the client's first message.
  static func nonce(ofFirst first: Bytes) throws(MechanismFault) -> Bytes {
    guard let field = first.split(separator: UInt8(ascii: ",")).last, field.starts(with: "r=".utf8), field.count > 2 else {
      throw .failed("libgsasl's first message has no nonce")
    }
    return Bytes(field.dropFirst(2))
  }

  /// What stands behind `e=` in the server's last message.
  static func error(_ message: Bytes) -> Bytes? {
    guard message.starts(with: "e=".utf8) else { return nil }
    return Bytes(message.dropFirst(2).prefix { $0 != UInt8(ascii: ",") }.prefix(100))
  }
}
