// TLS over another stream: what is written is encrypted and goes there, what comes from there is decrypted. Waiting and deadlines are the
// other stream's.

final class TLSStream: ChannelBinding {
  private let base: any ByteStream
  private let connection: OpenSSLConnection
  /// Encrypted bytes, and how many of them have been sent.
  private var outgoing = Bytes()
  private var sent = 0
  /// How many bytes of whoever writes are in `outgoing`: they count as sent when all of it is.
  private var accepted = 0
  /// Decrypted bytes that nobody has read.
  private var arrived = Bytes()
  /// What every read comes to from now on, once `arrived` is read.
  private var ending: TransportError?
  /// Nothing can be written any more: half of a record may be out.
  private var isBroken = false

  /// A few records at once; each has at most 16 kB.
  private static let writeSize = 65_536

  init(over base: any ByteStream, _ connection: OpenSSLConnection) {
    self.base = base
    self.connection = connection
  }

  /// Says goodbye if that is possible without waiting (RFC 8446 section 6.1).
  deinit {
    guard isEstablished, !isBroken, outgoing.isEmpty else { return }
    connection.end()
    sendWithoutWaiting()
  }

  private var isEstablished = false

  // MARK: the handshake

  /// - Throws: `.tls` where it fails by the protocol.
  func handshake(by deadline: Deadline) throws(TransportError) {
    while true {
      let progress = connection.handshake()
      connection.takeOutput(into: &outgoing)
      switch progress {
      case .done:
        // What is left to send goes with the first bytes that are written, or before the first that are read.
        isEstablished = true
        return
      case .wantsInput:
        try send(by: deadline)
        try receive(by: deadline)
      case .ended: throw .closed
      case .failed(let reason):
        // The other side's administrator reads in the alert what is wrong.
        sendWithoutWaiting()
        throw .tls(reason)
      }
    }
  }

  // MARK: reading

  func read(into buffer: inout Bytes, by deadline: Deadline) throws(TransportError) {
    while true {
      decrypt()
      if !arrived.isEmpty {
        buffer += arrived
        arrived = []
        return
      }
      if let ending { throw ending }
      try send(by: deadline)
      do throws(TransportError) {
        try receive(by: deadline)
      } catch {
        // Without its goodbye the end may be forged: the same to us, who know by replies whether something is missing.
        if error != .timedOut { ending = error }
        throw error
      }
    }
  }

  /// Bytes on the wire may be a record that means nothing to who reads, or half of one: only what comes out counts.
  var hasInput: Bool {
    let now = Deadline(.zero, after: Instant(nanoseconds: 0))
    while true {
      decrypt()
      if !arrived.isEmpty || ending != nil { return true }
      guard base.hasInput else { return false }
      do throws(TransportError) {
        try receive(by: now)
      } catch {
        if error == .timedOut { return false }
        ending = error
      }
    }
  }

  /// Takes all that can be decrypted.
  private func decrypt() {
    while ending == nil {
      switch connection.read(into: &arrived) {
      case .done: continue
      case .wantsInput: break
      case .ended: ending = .closed
      case .failed(let reason):
        ending = .tls(reason)
        isBroken = true
      }
      // A change of keys is answered, an error said.
      return connection.takeOutput(into: &outgoing)
    }
  }

  private func receive(by deadline: Deadline) throws(TransportError) {
    var bytes = Bytes()
    try base.read(into: &bytes, by: deadline)
    try feed(bytes)
  }

  private func feed(_ bytes: Bytes) throws(TransportError) {
    if case .failed(let reason) = connection.feed(bytes) { throw .tls(reason) }
  }

  // MARK: writing

  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    try encrypt(bytes)
    try send(by: deadline)
    return takeAccepted()
  }

  /// After a 0, the next call has to offer the same bytes again: they may be encrypted already.
  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout Bytes, by deadline: Deadline) throws(TransportError) -> Int {
    try encrypt(bytes)
    while sent < outgoing.count {
      var input = Bytes()
      do throws(TransportError) {
        sent += try base.write(outgoing[sent...], readingInto: &input, by: deadline)
      } catch {
        throw broken(by: error)
      }
      guard !input.isEmpty else { continue }
      try feed(input)
      decrypt()
      guard !arrived.isEmpty else { continue }
      buffer += arrived
      arrived = []
      if sent < outgoing.count { return 0 }
    }
    clear()
    return takeAccepted()
  }

  /// Encrypts as much as is sent at once, unless that has been done.
  private func encrypt(_ bytes: ArraySlice<UInt8>) throws(TransportError) {
    if isBroken { throw ending ?? .closed }
    guard accepted == 0, !bytes.isEmpty else { return }
    let piece = bytes.prefix(TLSStream.writeSize)
    switch connection.write(piece) {
    case .done: break
    case .failed(let reason): throw broken(by: .tls(reason))
    case .wantsInput, .ended: throw broken(by: .closed)
    }
    connection.takeOutput(into: &outgoing)
    accepted = piece.count
  }

  private func takeAccepted() -> Int {
    defer { accepted = 0 }
    return accepted
  }

  private func send(by deadline: Deadline) throws(TransportError) {
    while sent < outgoing.count {
      do throws(TransportError) {
        sent += try base.write(outgoing[sent...], by: deadline)
      } catch {
        throw broken(by: error)
      }
    }
    clear()
  }

  private func sendWithoutWaiting() {
    connection.takeOutput(into: &outgoing)
    guard sent < outgoing.count else { return }
    _ = try? base.write(outgoing[sent...], by: Deadline(.zero, after: Instant(nanoseconds: 0)))
  }

  private func clear() {
    outgoing.removeAll(keepingCapacity: true)
    sent = 0
  }

  private func broken(by error: TransportError) -> TransportError {
    isBroken = true
    return error
  }

  var channelBinding: ChannelBindingData? { connection.channelBinding }
}
