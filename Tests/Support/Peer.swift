// The server's side of one connection: what a script reads, sends, and does to the connection.
import Foundation

public final class Peer {
  private let descriptor: Int32
  private let released: Promise<Void>
  private let record: ((inout Dialogue) -> Void) -> Void
  private var input: [UInt8] = []
  private var consumed = 0
  private var isOpen = true

  /// Nothing in a test takes longer than this unless it is lost.
  private static let patience = 60.0

  init(_ descriptor: Int32, released: Promise<Void>, record: @escaping ((inout Dialogue) -> Void) -> Void) {
    self.descriptor = descriptor
    self.released = released
    self.record = record
  }

  // MARK: sending

  public func send(_ text: String) throws { try send(Array(text.utf8)) }

  public func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno != EINTR { throw PeerFault.closed(wanted: "to send") }
      sent += max(count, 0)
    }
  }

  // MARK: reading

  /// The next line, without its CRLF.
  public func line() throws -> String {
    guard let line = try lineOrEnd() else { throw PeerFault.closed(wanted: "a line") }
    return line
  }

  /// nil at the end of the connection.
  public func lineOrEnd() throws -> String? {
    guard let bytes = try through(10) else { return nil }
    guard bytes.suffix(2) == [13, 10] else { throw PeerFault.unexpected(visible(bytes), wanted: "a line that ends in CRLF") }
    let line = String(decoding: bytes.dropLast(2), as: UTF8.self)
    record { $0.lines.append(line) }
    return line
  }

  /// The next line has to be this one.
  public func expect(_ wanted: String) throws {
    let line = try line()
    guard line == wanted else { throw PeerFault.unexpected(line, wanted: wanted) }
  }

  /// A message after DATA, as it is on the wire, with its final dot.
  @discardableResult
  public func body() throws -> [UInt8] {
    var body: [UInt8] = []
    var line: [UInt8] = [13, 10]
    var isAtEnd = false
    while !isAtEnd {
      let isAfterCRLF = line.suffix(2) == [13, 10]
      guard let next = try through(10) else { throw PeerFault.closed(wanted: "the rest of the message") }
      line = next
      body += line
      isAtEnd = isAfterCRLF && line == [46, 13, 10]
    }
    record { $0.bodies.append(body) }
    return body
  }

  /// The bytes of a chunk.
  @discardableResult
  public func chunk(_ count: Int) throws -> [UInt8] {
    let bytes = try take(count)
    record { $0.bodies.append(bytes) }
    return bytes
  }

  /// Exactly so many bytes.
  public func take(_ count: Int) throws -> [UInt8] {
    while input.count - consumed < count {
      guard try receive() else { throw PeerFault.closed(wanted: "\(count) bytes") }
    }
    defer { consumed += count }
    return Array(input[consumed..<(consumed + count)])
  }

  /// Whatever has arrived, or arrives next, in one piece; nil at the end of the connection.
  public func flight() throws -> [UInt8]? {
    if consumed == input.count, !(try receive()) { return nil }
    return try take(input.count - consumed)
  }

  /// Hands on everything that arrives, without keeping it, until `consume` has had enough or the connection ends.
  /// - Returns: whether `consume` had enough.
  public func drain(_ consume: (UnsafeRawBufferPointer) throws -> Bool) throws -> Bool {
    if consumed < input.count {
      let enough = try input[consumed...].withUnsafeBytes(consume)
      consumed = input.count
      if enough { return true }
    }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 262_144, alignment: 16)
    defer { block.deallocate() }
    while true {
      try wait("the next part of the message")
      let count = recv(descriptor, block.baseAddress, block.count, 0)
      if count == 0 { return false }
      guard count > 0 else { throw PeerFault.reset(wanted: "the next part of the message") }
      if try consume(UnsafeRawBufferPointer(rebasing: block[..<count])) { return true }
    }
  }

  /// Whether nothing arrives for a while, and nothing is here unread.
  public func isQuiet(milliseconds: Int32 = 50) -> Bool {
    guard consumed == input.count else { return false }
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, milliseconds) == 0
  }

  /// Reads and forgets until the other side has closed the connection.
  public func awaitEnd() throws {
    consumed = input.count
    while try receive() { consumed = input.count }
  }

  private func through(_ end: UInt8) throws -> [UInt8]? {
    var searched = consumed
    while true {
      if let index = input[searched...].firstIndex(of: end) {
        defer { consumed = index + 1 }
        return Array(input[consumed...index])
      }
      searched = input.count
      let before = consumed
      guard try receive() else {
        guard consumed == input.count else { throw PeerFault.closed(wanted: "the rest of a line") }
        return nil
      }
      searched -= before - consumed
    }
  }

  /// - Returns: false at the end of the connection.
  private func receive() throws -> Bool {
    if consumed > 1 << 20 {
      input.removeSubrange(..<consumed)
      consumed = 0
    }
    try wait("to read")
    var block = [UInt8](repeating: 0, count: 262_144)
    let count = recv(descriptor, &block, block.count, 0)
    guard count >= 0 else { throw PeerFault.reset(wanted: "to read") }
    guard count > 0 else { return false }
    let segment = Array(block[..<count])
    input += segment
    record { $0.segments.append(segment) }
    return true
  }

  private func wait(_ wanted: String) throws {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let limit = TimeLimit(seconds: Peer.patience)
    while poll(&polled, 1, limit.milliseconds) <= 0 {
      if limit.hasPassed { throw PeerFault.timedOut(wanted: wanted) }
    }
  }

  // MARK: the connection

  /// What the system may keep of what arrives before it is read; small, so that a writer has to wait.
  public func setReceiveBuffer(_ size: Int32) {
    var size = size
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Does nothing until the test lets the server go on.
  public func stall() throws {
    if released.wait(seconds: Peer.patience) == nil { throw PeerFault.timedOut(wanted: "to be released") }
  }

  /// Slows the server down, until the test lets it go on.
  public func pause(milliseconds: Double) { _ = released.wait(seconds: milliseconds / 1_000) }

  public func close() {
    guard isOpen else { return }
    isOpen = false
    Foundation.close(descriptor)
  }

  /// Ends the connection as a crashed machine does: the other side gets a RST.
  public func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }
}

/// Bytes for a message to a person: null bytes and other control characters can be seen.
public func visible(_ bytes: some Collection<UInt8>) -> String {
  var text = ""
  for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
    switch scalar.value {
    case 0: text += "^@"
    case 10: text += "\\n"
    case 13: text += "\\r"
    case 0..<32, 127: text += "\\x" + String(scalar.value, radix: 16)
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text
}
