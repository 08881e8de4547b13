// A byte stream that plays one connection of a transcript: gives out what the server says when it is due, and compares what the client
// sends, byte by byte. Waits for nobody: what would block for ever is a problem, and time passes on the test's clock.
import Agent
import CSystem

/// The server's side of one connection.
public final class ScriptedStream: ByteStream {
  private let script: ConnectionScript
  private let chunking: ScriptChunking
  private let clock: TestClock
  private let beforeLastByte: (ConnectionScript.ClientItem) -> Void

  /// The first thing that was not as the script has it.
  public private(set) var problem: ScriptProblem?
  /// What was said, in order.
  public private(set) var log = ScriptLog()
  /// Bytes taken from the client and given to it.
  private var received = 0
  private var delivered = 0
  private var clientIndex = 0
  private var clientOffset = 0
  private var serverIndex = 0
  private var serverOffset = 0
  /// What every read comes to from now on: the connection has ended.
  private var end: TransportError?
  private var resetSeen = false
  private var readLast = false
  private var pace: (bytes: Int, seconds: Int)?
  private var pacedBytes = 0
  /// The last few bytes that were not compared.
  private var discarded: [UInt8] = []

  /// - Parameter beforeLastByte: called with each line of the script before its last byte is taken.
  public init(
    _ script: ConnectionScript, chunking: ScriptChunking, clock: TestClock,
    beforeLastByte: @escaping (ConnectionScript.ClientItem) -> Void
  ) {
    self.script = script
    self.chunking = chunking
    self.clock = clock
    self.beforeLastByte = beforeLastByte
  }

  private func complain(_ line: Int, _ words: String) -> TransportError {
    if problem == nil { problem = ScriptProblem(line: line, words + log.tail) }
    return .failed(EPROTO)
  }

  // MARK: reading

  public func read(into buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) {
    if problem != nil { throw .failed(EPROTO) }
    if let end { throw end }
    if let flight = script.flight, flight.contains(received), received > flight.lowerBound {
      throw complain(nextClientLine, "the client waits for an answer in the middle of its flight; next: \(nextClientText)")
    }
    while let item = dueItem {
      if case .bytes = item.kind { return deliver(into: &buffer) }
      serverIndex += 1
      switch item.kind {
      case .bytes: break
      case .wait(let seconds):
        clock.advance(by: .seconds(seconds))
        if deadline.hasPassed(at: clock.now()) {
          throw complain(item.line, "the client gave up before these \(seconds) seconds were over")
        }
      case .timeout(let seconds): try waitForTimeout(item.line, seconds, deadline)
      case .close: throw ended(by: .closed)
      case .reset: throw ended(by: .failed(ECONNRESET))
      case .alert(let words): throw ended(by: .tls(words))
      }
    }
    // To look whether something is there is no waiting.
    if deadline.hasPassed(at: clock.now()) { throw .timedOut }
    guard serverIndex < script.server.count else {
      throw complain(script.server.last?.line ?? script.line, "the client waits for another answer after this")
    }
    throw complain(nextClientLine, "the client waits for an answer instead of sending \(nextClientText)")
  }

  private func ended(by error: TransportError) -> TransportError {
    end = error
    return error
  }

  /// The server's next step, if it is its turn.
  private var dueItem: ConnectionScript.ServerItem? {
    guard serverIndex < script.server.count else { return nil }
    let item = script.server[serverIndex]
    return item.receivedBefore <= received ? item : nil
  }

  private func deliver(into buffer: inout [UInt8]) {
    let limit = chunking == .oneByte ? 1 : Int.max
    var count = 0
    while count < limit, let item = dueItem, case .bytes(let bytes, _) = item.kind {
      let piece = bytes[serverOffset...].prefix(limit - count)
      buffer += piece
      log.add(piece, from: .server)
      count += piece.count
      serverOffset += piece.count
      guard serverOffset == bytes.count else { break }
      serverOffset = 0
      serverIndex += 1
    }
    delivered += count
  }

  /// - Throws: `.timedOut`, unless the script says something else of it.
  private func waitForTimeout(_ line: Int, _ expected: Int?, _ deadline: Deadline) throws(TransportError) {
    guard let waited = clock.run(until: deadline) else { throw complain(line, "the client would wait for ever") }
    if let expected, waited != expected {
      throw complain(line, "the client waited for \(waited) seconds, not \(expected)")
    }
    throw ended(by: .timedOut)
  }

  /// The client starts TLS.
  /// - Throws: what the script has for it.
  func shakeHands(by deadline: Deadline) throws(TLSTrouble) -> TLSFacts.Proof {
    guard clientIndex < script.client.count, case .handshake(let handshake) = script.client[clientIndex].kind else {
      throw .broken(.transport(complain(nextClientLine, "the client starts TLS instead of sending \(nextClientText)")))
    }
    let item = script.client[clientIndex]
    guard item.readBefore <= delivered else {
      throw .broken(.transport(complain(item.line, "the client does not wait for the answer before it starts TLS")))
    }
    clientIndex += 1
    received += 1
    switch handshake {
    case .succeeds(let proof):
      if let due = script.server[serverIndex...].first, due.receivedBefore < received {
        throw .broken(.transport(complain(due.line, "no handshake can succeed with these bytes on the way")))
      }
      return proof
    case .fails(let trouble):
      end = .closed
      throw trouble
    case .stalls(let seconds):
      do throws(TransportError) {
        try waitForTimeout(item.line, seconds, deadline)
      } catch {
        throw .broken(.transport(error))
      }
      return .none
    }
  }

  public var hasInput: Bool {
    if problem != nil { return true }
    switch dueItem?.kind {
    case .bytes, .close, .reset, .alert: return true
    case .timeout, .wait, nil: return end == .closed
    }
  }

  // MARK: writing

  public func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    readLast = false
    return try take(bytes, deadline)
  }

  public func write(
    _ bytes: ArraySlice<UInt8>, readingInto buffer: inout [UInt8], by deadline: Deadline
  ) throws(TransportError) -> Int {
    let isDue = if case .bytes = dueItem?.kind { true } else { false }
    // One byte at a time, reading comes in between: that is what a full socket looks like.
    if isDue, problem == nil, chunking == .oneByte && !readLast || isStalled {
      readLast = true
      deliver(into: &buffer)
      return 0
    }
    return try write(bytes, by: deadline)
  }

  /// The server takes nothing for now.
  private var isStalled: Bool {
    guard clientIndex < script.client.count else { return false }
    switch script.client[clientIndex].kind {
    case .stall, .block: return true
    case .exact, .discard, .pace, .handshake: return false
    }
  }

  private func take(_ bytes: ArraySlice<UInt8>, _ deadline: Deadline) throws(TransportError) -> Int {
    if problem != nil { throw .failed(EPROTO) }
    // Taking the last bytes took its time.
    if pace != nil, deadline.hasPassed(at: clock.now()) { throw ended(by: .timedOut) }
    let start = received
    var limit = chunking == .oneByte ? 1 : bytes.count
    var count = 0
    while count < limit {
      if let gone = whoIsGone {
        if count > 0 { break }
        return try sendToNobody(bytes, gone)
      }
      if isStalled, count > 0 { break }
      try passEvents(deadline)
      limit = min(limit, pace?.bytes ?? limit)
      count += try compare(bytes.dropFirst(count), limit: limit - count)
    }
    keepPace(count)
    // RFC 2920 allows it, but each further packet may wait for the acknowledgement of the last.
    if let flight = script.flight, !script.hasBlock, start == flight.lowerBound, received < flight.upperBound,
      count == bytes.count, limit > 1
    {
      throw complain(nextClientLine, "the flight is cut here, before \(nextClientText)")
    }
    return count
  }

  /// How the server has left, if it has.
  private var whoIsGone: TransportError? {
    if let end { return end }
    var index = serverIndex
    while index < script.server.count, script.server[index].receivedBefore <= received {
      switch script.server[index].kind {
      case .close: return .closed
      case .reset: return .failed(EPIPE)
      case .bytes, .alert: index += 1
      case .timeout, .wait: return nil
      }
    }
    return nil
  }

  /// TCP takes bytes for a side that has closed, and tells later. After the client knows of the end, only a goodbye may come.
  private func sendToNobody(_ bytes: ArraySlice<UInt8>, _ gone: TransportError) throws(TransportError) -> Int {
    if case .failed = gone {
      resetSeen = true
      throw .failed(EPIPE)
    }
    if end != nil, !bytes.elementsEqual("QUIT\r\n".utf8) {
      throw complain(
        script.server.last?.line ?? script.line, "the client goes on after the end: \(TranscriptText.shown(bytes))")
    }
    return bytes.count
  }

  /// Lets everything happen that comes before the client's next byte.
  private func passEvents(_ deadline: Deadline) throws(TransportError) {
    while clientIndex < script.client.count {
      let item = script.client[clientIndex]
      switch item.kind {
      case .exact, .discard, .handshake: return
      case .stall(let seconds):
        clientIndex += 1
        try waitForTimeout(item.line, seconds, deadline)
      case .block:
        if case .bytes = dueItem?.kind { throw complain(item.line, "both sides only write, for ever") }
        clientIndex += 1
      case .pace(let bytes, let seconds):
        clientIndex += 1
        pace = (bytes, seconds)
      }
    }
  }

  private func keepPace(_ count: Int) {
    guard let pace else { return }
    pacedBytes += count
    while pacedBytes >= pace.bytes {
      pacedBytes -= pace.bytes
      clock.advance(by: .seconds(pace.seconds))
    }
  }

  /// Takes as many of the bytes as belong together, and no more than the limit.
  /// - Returns: how many.
  private func compare(_ bytes: ArraySlice<UInt8>, limit: Int) throws(TransportError) -> Int {
    guard clientIndex < script.client.count else {
      throw complain(
        script.client.last?.line ?? script.line, "the client sends more after this: \(TranscriptText.shown(bytes))")
    }
    let item = script.client[clientIndex]
    switch item.kind {
    case .stall, .block, .pace: return 0
    case .handshake:
      throw complain(item.line, "the client sends something instead of starting TLS: \(TranscriptText.shown(bytes))")
    case .discard(let count): return try discard(bytes.prefix(min(limit, (count ?? .max) - clientOffset)), count, item.line)
    case .exact(let expected):
      guard item.readBefore <= delivered else {
        throw complain(item.line, "the client does not wait for the answer before it sends \(TranscriptText.shown(bytes))")
      }
      let rest = expected[clientOffset...]
      let piece = bytes.prefix(min(rest.count, untilServerActs, limit))
      guard rest.starts(with: piece) else { throw complainOfDifference(item, expected, bytes) }
      if piece.count == rest.count { beforeLastByte(item) }
      log.add(piece, from: .client)
      // Only the message is slow; what follows it is short.
      if piece.count == rest.count, item.role == .messageEnd { pace = nil }
      advance(by: piece.count, of: expected.count)
      return piece.count
    }
  }

  /// How many bytes the server takes before it does something by itself, like closing.
  private var untilServerActs: Int {
    let next = script.server[serverIndex...].first { $0.receivedBefore > received }
    return next.map { $0.receivedBefore - received } ?? .max
  }

  private func discard(_ bytes: ArraySlice<UInt8>, _ count: Int?, _ line: Int) throws(TransportError) -> Int {
    // The server would take it for a line of the message.
    if count == nil, (discarded + bytes).suffix(6).elementsEqual("QUIT\r\n".utf8) {
      throw complain(line, "the client says QUIT here")
    }
    discarded = (discarded + bytes.suffix(5)).suffix(5)
    guard let count else { return bytes.count }
    let piece = bytes.prefix(untilServerActs)
    advance(by: piece.count, of: count)
    return piece.count
  }

  private func advance(by count: Int, of length: Int) {
    received += count
    clientOffset += count
    guard clientOffset == length else { return }
    clientIndex += 1
    clientOffset = 0
  }

  private func complainOfDifference(
    _ item: ConnectionScript.ClientItem, _ expected: [UInt8], _ bytes: ArraySlice<UInt8>
  ) -> TransportError {
    let same = zip(expected[clientOffset...], bytes).prefix { $0 == $1 }.count
    let sent = Array(expected[..<clientOffset] + bytes)
    let end = sent[(clientOffset + same)...].firstIndex(of: UInt8(ascii: "\n")) ?? sent.count - 1
    return complain(
      item.line,
      """
      the client sends something else
        expected > \(TranscriptText.shown(expected))
        sent     > \(TranscriptText.shown(sent[...end]))
      """)
  }

  // MARK: the end

  private var nextClientLine: Int {
    clientIndex < script.client.count ? script.client[clientIndex].line : script.client.last?.line ?? script.line
  }

  private var nextClientText: String {
    guard clientIndex < script.client.count else { return "nothing" }
    switch script.client[clientIndex].kind {
    case .exact(let bytes): return TranscriptText.shown(bytes[clientOffset...])
    case .handshake: return "the start of TLS"
    case .discard, .stall, .block, .pace: return "what it likes"
    }
  }

  /// What the script has and nobody saw, and the first problem.
  public var problems: [ScriptProblem] {
    if let problem { return [problem] }
    var problems: [ScriptProblem] = []
    if clientIndex < script.client.count, !isGoodEnough(script.client[clientIndex]) {
      problems.append(ScriptProblem(nextClientLine, "the client never sent \(nextClientText)\(log.tail)"))
    }
    for item in script.server[serverIndex...] where !(item.kind == .reset && resetSeen) {
      if case .bytes(let bytes, let mayBeLeft) = item.kind {
        if mayBeLeft { break }
        problems.append(ScriptProblem(item.line, "the client never read \(TranscriptText.shown(bytes))\(log.tail)"))
      } else {
        problems.append(ScriptProblem(item.line, "the client never came to this event\(log.tail)"))
      }
      break
    }
    return problems
  }

  /// A goodbye is sent without waiting: if the system takes one byte only, one byte it is.
  private func isGoodEnough(_ item: ConnectionScript.ClientItem) -> Bool {
    if case .discard(nil) = item.kind { return true }
    let isLast = clientIndex == script.client.count - 1
    return isLast && item.role == .quit && chunking == .oneByte && clientOffset > 0
  }
}

extension ScriptProblem {
  fileprivate init(_ line: Int, _ words: String) { self.init(line: line, words) }
}
