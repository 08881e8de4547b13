// One connection as a transcript has it: what the server says and does, what the client has to say, and which of it waits for
// which. Made for one mode; plays nothing itself.
import Agent

/// Whether the server offers PIPELINING.
public enum ScriptMode: String, CaseIterable, Sendable {
  case pipelining, lockstep
}

/// How many bytes a read or a write moves.
public enum ScriptChunking: String, CaseIterable, Sendable {
  case whole
  case oneByte = "one byte"
}

/// What may happen to a connection, besides words.
public enum ScriptEvent: Equatable, Sendable {
  /// Instead of a connection. A number is the seconds that the client must have waited.
  case connectRefused, connectUnreachable
  case connectTimeout(Int?)
  /// The server closes, in order or by a reset: then writing fails too.
  case close, reset
  /// Nothing more comes, until the client gives up. A number is the seconds that it must have waited for.
  case timeout(Int?)
  /// Seconds that pass before the server goes on.
  case wait(Int)
  /// The server takes no more bytes, until the client gives up.
  case stall(Int?)
  /// The server takes no more bytes before the client has read what was said so far.
  case block
  /// From here on, taking so many bytes takes so many seconds.
  case pace(bytes: Int, seconds: Int)
  /// The server takes so many bytes, or all from here on, whatever they are.
  case discard(Int?)
  /// A line that comes with the one before it and is no answer to anything.
  case early([UInt8])
  /// Bytes that the client need not read to their end.
  case flood([UInt8])
  /// The client starts TLS; the server says that it can't go on with it.
  case tls(ScriptedHandshake)
  case alert(String)
}

/// One line of a script.
public struct ScriptStep: Sendable {
  public enum Action: Equatable, Sendable {
    case server([UInt8])
    case client([UInt8])
    case event(ScriptEvent)
  }

  public let line: Int
  public let modes: Set<ScriptMode>
  public let action: Action

  public init(line: Int, modes: Set<ScriptMode>, _ action: Action) {
    self.line = line
    self.modes = modes
    self.action = action
  }
}

/// Something that was not as the script has it.
public struct ScriptProblem: Equatable, Sendable {
  public let line: Int
  public let words: String

  public init(line: Int, _ words: String) {
    self.line = line
    self.words = words
  }
}

/// A connection in one mode, ready to be played.
public struct ConnectionScript {
  /// What a client line is, for those who watch.
  public enum Role: Equatable, Sendable {
    case command
    case mail
    /// The last byte of the message is in it.
    case messageEnd
    case quit
  }

  public struct ClientItem {
    public enum Kind: Equatable {
      case exact([UInt8])
      case discard(Int?)
      case stall(Int?)
      case block
      case pace(bytes: Int, seconds: Int)
      /// Counts as one byte of the client's.
      case handshake(ScriptedHandshake)
    }

    public let line: Int
    public let kind: Kind
    public fileprivate(set) var role = Role.command
    /// How many bytes of the server the client has to have read before it may send this.
    public let readBefore: Int
  }

  public struct ServerItem {
    public enum Kind: Equatable {
      case bytes([UInt8], mayBeLeft: Bool)
      case close, reset
      case alert(String)
      case timeout(Int?)
      case wait(Int)
    }

    public let line: Int
    public let kind: Kind
    /// How many bytes the server has to have received before this happens.
    public fileprivate(set) var receivedBefore: Int
  }

  public let line: Int
  public let address: IPAddress
  public let port: UInt16
  public let transport: Route.Transport
  public private(set) var connectFailure: (line: Int, event: ScriptEvent)?
  public private(set) var client: [ClientItem] = []
  public private(set) var server: [ServerItem] = []
  /// Which of the client's bytes have to come in one go: MAIL up to DATA, or to the end of the last chunk; or a whole package.
  public private(set) var flight: Range<Int>?
  /// The message goes out in the flight, before any answer.
  public var messageIsInFlight: Bool { flight != nil && usesChunk || isPackage }

  private var usesChunk = false
  /// A package is sent, to its end.
  private var isPackage: Bool { transport == .qmtp && client.contains { $0.role == .messageEnd } }
  /// The flight can't come in one go.
  public private(set) var hasBlock = false

  /// - Parameter eager: the server answers each command of a flight at once, not all of them after the flight.
  public init(_ connection: TranscriptConnection, mode: ScriptMode, eager: Bool) throws(TranscriptError) {
    line = connection.line
    address = connection.address
    port = connection.port
    transport = connection.transport
    var compiler = Compiler(mode: mode, transport: transport)
    for step in connection.steps where step.modes.contains(mode) { try compiler.take(step) }
    compiler.finishMessage()
    connectFailure = compiler.connectFailure
    client = compiler.client
    server = compiler.server
    usesChunk = compiler.usesChunk
    guard let start = compiler.flightStart, !compiler.isFlightCut else { return }
    let end = compiler.flightEnd ?? compiler.received
    flight = start..<end
    hasBlock = compiler.client.contains { $0.kind == .block }
    if eager || hasBlock { return }
    for index in server.indices where server[index].receivedBefore > start && server[index].receivedBefore < end {
      server[index].receivedBefore = end
    }
  }

  /// The client comes to the point from which a delivery has a result of its own.
  public var startsTransaction: Bool { isPackage || client.contains { $0.role == .mail } }

  public var name: String { address.isV6 ? "[\(address.text)]:\(port)" : "\(address.text):\(port)" }
}

// MARK: from steps to items

extension ConnectionScript {
  /// Walks through the steps and counts what each side has said by then.
  private struct Compiler {
    /// Where the transaction is, as far as the client's next line depends on it.
    private enum Phase {
      case opening, envelope
      /// DATA is out; what follows a 354 is the message.
      case dataSent
      /// The message is under way, after its 354 or together with its BDAT.
      case message
      case over
    }

    let mode: ScriptMode
    let transport: Route.Transport
    private(set) var client: [ClientItem] = []
    private(set) var server: [ServerItem] = []
    private(set) var connectFailure: (line: Int, event: ScriptEvent)?
    private(set) var received = 0
    private(set) var flightStart: Int?
    private(set) var flightEnd: Int?
    private(set) var usesChunk = false
    /// What should have been one flight is too long for it, or the server doesn't wait for its end.
    private(set) var isFlightCut = false
    private var package: [UInt8] = []
    private var sent = 0
    /// What the next client line has to wait for.
    private var gate = 0
    private var phase = Phase.opening
    private var lastReply: [UInt8] = []

    init(mode: ScriptMode, transport: Route.Transport) {
      self.mode = mode
      self.transport = transport
    }

    private var isInFlight: Bool { flightStart != nil && flightEnd == nil }

    mutating func take(_ step: ScriptStep) throws(TranscriptError) {
      guard connectFailure == nil else { throw TranscriptError(line: step.line, "there is no connection any more") }
      switch step.action {
      case .server(let bytes):
        say(.bytes(bytes, mayBeLeft: false), bytes.count, step.line)
        lastReply = bytes
      case .client(let bytes):
        switch transport {
        case .smtp: hear(bytes, step.line)
        case .qmtp: hearPartOfPackage(bytes, step.line)
        }
      case .event(let event): try happen(event, step.line)
      }
    }

    private mutating func happen(_ event: ScriptEvent, _ line: Int) throws(TranscriptError) {
      switch event {
      case .connectRefused, .connectUnreachable, .connectTimeout:
        guard client.isEmpty, server.isEmpty else { throw TranscriptError(line: line, "a connection can't fail so late") }
        connectFailure = (line, event)
      case .close: say(.close, 0, line)
      case .reset: say(.reset, 0, line)
      case .alert(let words): say(.alert(words), 0, line)
      case .timeout(let seconds): say(.timeout(seconds), 0, line)
      case .wait(let seconds): say(.wait(seconds), 0, line)
      case .flood(let bytes): say(.bytes(bytes, mayBeLeft: true), bytes.count, line)
      case .stall(let seconds):
        if transport == .qmtp { isFlightCut = true }
        client.append(ClientItem(line: line, kind: .stall(seconds), readBefore: 0))
      case .block: client.append(ClientItem(line: line, kind: .block, readBefore: 0))
      case .pace(let bytes, let seconds):
        client.append(ClientItem(line: line, kind: .pace(bytes: bytes, seconds: seconds), readBefore: 0))
      case .discard(let count):
        if transport == .qmtp { isFlightCut = true }
        client.append(ClientItem(line: line, kind: .discard(count), readBefore: 0))
        received += count ?? 0
        if phase == .dataSent { phase = .message }
      case .tls(let handshake):
        client.append(ClientItem(line: line, kind: .handshake(handshake), readBefore: gate))
        received += 1
      case .early(let bytes):
        if transport == .qmtp { isFlightCut = true }
        server.append(ServerItem(line: line, kind: .bytes(bytes, mayBeLeft: false), receivedBefore: received))
        sent += bytes.count
      }
    }

    private mutating func say(_ kind: ServerItem.Kind, _ count: Int, _ line: Int) {
      if transport == .qmtp, phase != .over { isFlightCut = true }
      if phase == .message { finishMessage() }
      if isInFlight, phase == .dataSent || phase == .over { flightEnd = received }
      server.append(ServerItem(line: line, kind: kind, receivedBefore: received))
      sent += count
      if !isInFlight, transport == .smtp { gate = sent }
    }

    /// One flight, however it is written down, unless it is more than a client can be asked to send at once.
    private mutating func hearPartOfPackage(_ bytes: [UInt8], _ line: Int) {
      flightStart = flightStart ?? received
      package += bytes
      let isWhole = phase != .over && Compiler.isPackage(package)
      client.append(ClientItem(line: line, kind: .exact(bytes), role: isWhole ? .messageEnd : .command, readBefore: gate))
      received += bytes.count
      guard isWhole else { return }
      phase = .over
      flightEnd = received
      if package.count > Compiler.flightLimit { isFlightCut = true }
    }

    private static let flightLimit = 65_536

    /// Three netstrings and nothing else.
    private static func isPackage(_ bytes: [UInt8]) -> Bool {
      var rest = bytes[...]
      for _ in 0..<3 {
        let digits = rest.prefix { $0 != UInt8(ascii: ":") }
        guard let count = Int(String(decoding: digits, as: UTF8.self)), rest.count >= digits.count + count + 2 else {
          return false
        }
        rest = rest.dropFirst(digits.count + count + 2)
      }
      return rest.isEmpty
    }

    private mutating func hear(_ bytes: [UInt8], _ line: Int) {
      if phase == .dataSent, lastReply.starts(with: Array("354".utf8)) { phase = .message }
      var role = Role.command
      if phase != .message {
        switch String(decoding: bytes.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }, as: UTF8.self) {
        case "MAIL":
          role = .mail
          phase = .envelope
          if mode == .pipelining { flightStart = received }
        case "DATA": phase = .dataSent
        case "BDAT":
          phase = .message
          usesChunk = true
        case "QUIT":
          role = .quit
          phase = .over
        default: break
        }
      }
      client.append(ClientItem(line: line, kind: .exact(bytes), role: role, readBefore: gate))
      received += bytes.count
    }

    /// The server's turn, or the end of the script: if the message is out whole, its last byte was in the last line.
    mutating func finishMessage() {
      guard phase == .message, let last = client.indices.last, case .exact(let bytes) = client[last].kind else { return }
      let isDot = bytes == Array(".\r\n".utf8) || bytes.suffix(5) == Array("\r\n.\r\n".utf8)
      if usesChunk || isDot {
        client[last].role = .messageEnd
        phase = .over
      }
    }
  }
}
