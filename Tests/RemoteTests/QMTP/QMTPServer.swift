// A QMTP server of the tests' own, strict about every byte that it gets: what isn't a package as the protocol has it is a fault, and so is
// a client that says more than one or doesn't wait. What it answers, and how it dies, is a test's affair. Shares no code with the program.
import Support

/// What a client has sent.
struct QMTPPackage: Equatable, Sendable {
  var message: [UInt8] = []
  var sender: [UInt8] = []
  var recipients: [[UInt8]] = []
}

/// What a server does with a client.
struct QMTPScript: Sendable {
  enum Manner: String, Sendable, CaseIterable {
    case close, reset, stall
  }

  /// For the recipients, in order; beyond them, `Kok` and the number.
  var answers: [String] = []
  /// Instead of all answers.
  var raw: [UInt8]?
  /// After the answers, and instead of waiting for the client to close.
  var death: Manner?
  /// After so many bytes of the client, instead of everything else.
  var earlyDeath: (after: Int, manner: Manner)?
  /// Sent after so many bytes of the client; what comes then is read and forgotten.
  var earlyAnswer: (after: Int, bytes: String)?
  /// Takes the message instead of keeping it; it gets the number of bytes behind the line end's sign.
  var takeMessage: (@Sendable (Peer, Int) throws -> Void)?
  /// Called when the package is here, before anything is answered.
  var hold: (@Sendable () -> Void)?

  /// - Returns: nil when the client didn't get to send a whole one.
  func serve(_ peer: Peer, _ taken: (QMTPPackage) -> Void) throws {
    if let earlyDeath {
      _ = try peer.take(earlyDeath.after)
      return try die(earlyDeath.manner, peer)
    }
    if let earlyAnswer {
      _ = try peer.take(earlyAnswer.after)
      try peer.send(earlyAnswer.bytes)
      return try peer.awaitEnd()
    }
    let package = try takePackage(peer)
    taken(package)
    // A client waits for its answers now.
    guard peer.isQuiet(milliseconds: 0) else { throw PeerFault.unexpected("bytes behind the package", wanted: "none") }
    hold?()
    try peer.send(raw ?? Array(package.recipients.indices.map(answer).joined().utf8))
    if let death { return try die(death, peer) }
    guard raw == nil, let more = try peer.flight() else { return }
    throw PeerFault.unexpected(visible(more), wanted: "the client's end")
  }

  private func answer(_ index: Int) -> String {
    let text = index < answers.count ? answers[index] : "Kok \(index)"
    return "\(text.utf8.count):\(text),"
  }

  private func die(_ manner: Manner, _ peer: Peer) throws {
    switch manner {
    case .close: peer.close()
    case .reset: peer.reset()
    case .stall: try peer.stall()
    }
  }

  // MARK: reading, strictly

  private func takePackage(_ peer: Peer) throws -> QMTPPackage {
    var package = QMTPPackage()
    let length = try QMTPScript.length(peer)
    guard length > 0, try peer.take(1) == [10] else { throw PeerFault.unexpected("a message", wanted: "one with line feeds") }
    if let takeMessage { try takeMessage(peer, length - 1) } else { package.message = try peer.take(length - 1) }
    try QMTPScript.comma(peer)
    package.sender = try QMTPScript.netstring(peer)
    var rest = try QMTPScript.netstring(peer)[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0 != UInt8(ascii: ":") }
      let count = try QMTPScript.number(digits)
      rest = rest.dropFirst(digits.count + 1)
      guard rest.count > count, rest[rest.startIndex + count] == UInt8(ascii: ",") else {
        throw PeerFault.unexpected(visible(rest), wanted: "a recipient of \(count) bytes and a comma")
      }
      package.recipients.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count + 1)
    }
    return package
  }

  private static func netstring(_ peer: Peer) throws -> [UInt8] {
    let content = try peer.take(try length(peer))
    try comma(peer)
    return content
  }

  private static func length(_ peer: Peer) throws -> Int {
    var digits: [UInt8] = []
    while digits.count < 20 {
      let byte = try peer.take(1)[0]
      if byte == UInt8(ascii: ":") { break }
      digits.append(byte)
    }
    return try number(digits[...])
  }

  private static func number(_ digits: ArraySlice<UInt8>) throws -> Int {
    let text = String(decoding: digits, as: UTF8.self)
    guard let number = Int(text), String(number) == text, number >= 0 else {
      throw PeerFault.unexpected(visible(digits), wanted: "a length")
    }
    return number
  }

  private static func comma(_ peer: Peer) throws {
    let byte = try peer.take(1)
    guard byte == Array(",".utf8) else { throw PeerFault.unexpected(visible(byte), wanted: "a comma") }
  }
}

/// Serves a script, and remembers the packages.
final class QMTPServer: Sendable {
  private let server: ScriptedServer
  private let taken: Shared<[QMTPPackage]>

  init(_ script: QMTPScript = QMTPScript(), address: String = "127.0.0.1", port: UInt16 = 0) throws {
    let taken = Shared<[QMTPPackage]>([])
    self.taken = taken
    server = try ScriptedServer(address: address, port: port) { peer in
      try script.serve(peer) { package in taken.change { $0.append(package) } }
    }
  }

  var port: UInt16 { server.port }
  /// The packages that came whole.
  var packages: [QMTPPackage] { taken.value }

  @discardableResult
  func finish() -> [Dialogue] { server.finish() }
}

extension Remote {
  /// All mail goes to a QMTP server on this machine.
  init(to server: QMTPServer, address: String = "127.0.0.1") {
    control["qmtproutes"] = address.contains(":") ? ":[\(address)]:\(server.port)\n" : ":\(address);\(server.port)\n"
  }
}
