// One conversation over a byte stream: flights out, replies in, each under its deadline. Knows replies as lines, not what they mean;
// a protocol with another kind of answers reads the bytes itself.

/// Limits of time for a conversation.
struct ConversationLimits {
  /// For a whole reply, and for each 64 kB sent; nil for none.
  let remote: Duration?
  /// For a TLS handshake; nil for none.
  let handshake: Duration?
  /// For everything.
  let overall: Deadline
  let clock: any MonotonicClock

  /// A fresh deadline from now.
  var deadline: Deadline { Deadline(remote, after: clock.now()).earlier(overall) }

  /// The same for a handshake.
  var handshakeDeadline: Deadline { Deadline(handshake, after: clock.now()).earlier(overall) }
}

/// Owns the stream of one connection to a mail server.
struct Connection: ~Copyable {
  private var stream: any ByteStream
  private let limits: ConversationLimits
  private var parser = ReplyParser()
  private var input = Bytes()
  /// Everything before this is consumed; up to `searched` there is no further line end.
  private var consumed = 0
  private var searched = 0

  /// What a body has to move within the limit of one reply, or it doesn't move at all.
  private static let progressUnit = 65_536
  /// Replies to a long flight wait here until they are read. An honest server's are shorter than this; beyond, it has to wait for us.
  private static let replySize = 2_048

  init(_ stream: any ByteStream, limits: ConversationLimits) {
    self.stream = stream
    self.limits = limits
  }

  /// What lies between us and the server, and what there is to bind an authentication to.
  var security: AuthenticationChannel.Security {
    (stream as? any ChannelBinding).map { .secured($0.channelBinding) } ?? .clear
  }

  /// Something has arrived that nobody has read: bytes, or the end.
  var hasUnreadInput: Bool { consumed < input.count || stream.hasInput }

  /// Bytes have arrived that nobody has read. The end of the stream is none: who closes after the last word has said it.
  mutating func hasUnreadBytes() -> Bool {
    do throws(TransportError) {
      return try hasArrived()
    } catch {
      return false
    }
  }

  /// Bytes have arrived that nobody has read; what arrived need not be any.
  /// - Throws: `.closed` at the end of the stream, where there are none.
  mutating func hasArrived() throws(TransportError) -> Bool {
    if consumed < input.count { return true }
    guard stream.hasInput else { return false }
    do throws(TransportError) {
      try stream.read(into: &input, by: Deadline(.zero, after: limits.clock.now()))
    } catch {
      guard error == .timedOut else { throw error }
    }
    return consumed < input.count
  }

  /// Puts TLS over the connection. What came before it is forgotten; what came too early ends it, unread: it could be somebody else's who
  /// wants it taken for the server's (RFC 3207 section 4.2 forgets less). After a failure the connection is of no use.
  mutating func secure(by client: any TLSClient) throws(TLSTrouble) -> TLSFacts {
    if hasUnreadBytes() { throw .earlyBytes }
    let secured = try client.secure(stream, by: limits.handshakeDeadline)
    stream = secured.stream
    parser = ReplyParser()
    input = []
    (consumed, searched) = (0, 0)
    return secured.facts
  }

  /// What has arrived and nobody has read.
  var unread: ArraySlice<UInt8> { input[consumed...] }

  /// Takes so many bytes of it off the front.
  mutating func consume(_ count: Int) {
    consumed += count
    searched = max(searched, consumed)
  }

  /// By when the next answer is due, if it is asked for now.
  var answerDeadline: Deadline { limits.deadline }

  /// Waits for bytes that nobody has read yet.
  mutating func receive(by deadline: Deadline) throws(TransportError) {
    compact()
    try stream.read(into: &input, by: deadline)
  }

  /// The next reply, however many reads and lines it takes.
  mutating func readReply() throws(ConversationError) -> Reply {
    try readReply(by: limits.deadline)
  }

  /// A reply that has already arrived, without waiting for one; nil when there is none.
  mutating func arrivedReply() -> Reply? {
    let now = limits.clock.now()
    do {
      return try readReply(by: Deadline(.zero, after: now))
    } catch {
      return nil
    }
  }

  private mutating func readReply(by deadline: Deadline) throws(ConversationError) -> Reply {
    while true {
      while let line = nextLine() {
        do throws(MalformedReply) {
          if let reply = try parser.take(line) { return reply }
        } catch {
          throw .malformed(error)
        }
      }
      guard input.count - consumed < ReplyParser.textLimit else {
        throw .malformed(MalformedReply(line: Bytes("a line without end".utf8)))
      }
      do throws(TransportError) {
        try receive(by: deadline)
      } catch {
        throw .transport(error)
      }
    }
  }

  private mutating func nextLine() -> ArraySlice<UInt8>? {
    guard let end = input[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
      searched = input.count
      return nil
    }
    defer {
      consumed = end + 1
      searched = consumed
    }
    return input[consumed..<end]
  }

  private mutating func compact() {
    guard consumed > 0 else { return }
    input.removeSubrange(..<consumed)
    searched -= consumed
    consumed = 0
  }

  /// Sends what the system takes at once, whatever comes of it.
  mutating func sendWithoutWaiting(_ bytes: Bytes) {
    do throws(TransportError) {
      _ = try stream.write(bytes[...], by: Deadline(.zero, after: limits.clock.now()))
    } catch {}
  }

  /// Sends all bytes, reading replies meanwhile where the server needs it.
  /// - Parameter replies: how many will be due; the server is not allowed to send us much more.
  mutating func send(_ bytes: ArraySlice<UInt8>, replies: Int) throws(TransportError) {
    let inputLimit = (replies + 1) * Connection.replySize
    var rest = bytes
    var deadline = limits.deadline
    var moved = 0
    while !rest.isEmpty {
      let count =
        input.count - consumed < inputLimit
        ? try stream.write(rest, readingInto: &input, by: deadline) : try stream.write(rest, by: deadline)
      rest = rest.dropFirst(count)
      moved += count
      // What the server says meanwhile is no progress: one byte now and then would hold us for hours.
      if moved >= Connection.progressUnit {
        moved = 0
        deadline = limits.deadline
      }
    }
  }
}
