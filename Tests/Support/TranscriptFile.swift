// The transcript of a delivery: what went in, what was said on each connection, what has to come out. This file reads the format;
// README.md beside the transcripts explains it.
import Agent

/// Where the message comes from.
public enum TranscriptSource: Equatable, Sendable {
  case file
  case pipe
  /// A pipe or a file that can't be read beyond so many bytes.
  case brokenPipe(after: Int)
  case brokenFile(after: Int)
}

/// A text and the line it stands in.
public struct TranscriptLine: Equatable, Sendable {
  public let line: Int
  public let bytes: [UInt8]

  public init(line: Int, bytes: [UInt8]) {
    self.line = line
    self.bytes = bytes
  }
}

/// The script of one connection, for all modes.
public struct TranscriptConnection: Sendable {
  public let line: Int
  public let address: IPAddress
  public let port: UInt16
  /// By QMTP, what either side says is netstrings.
  public let transport: Route.Transport
  public var steps: [ScriptStep] = []
}

/// A whole transcript.
public struct Transcript: Sendable {
  public let name: String
  public var operandsLine = 0
  public var operands: [[UInt8]] = []
  public var environment: [[UInt8]] = []
  public var control: [String: [UInt8]] = [:]
  public var zone = ""
  public var own: [String] = []
  public var message: [UInt8]?
  public var source = TranscriptSource.file
  public var anyOrder = false
  /// How TLS is wanted; none is, where nothing is said.
  public var policies: [ScriptedPolicy] = []
  public var setup: ScriptedSetup?
  public var connections: [TranscriptConnection] = []
  public var reports: [TranscriptLine] = []
  /// What must be true besides the reports, if the transcript says it.
  public var directory: TranscriptLine?
  public var dialect: TranscriptLine?
  public var asksNoDNS: Int?
  private var explicitModes: [ScriptMode]?

  /// A transcript without a difference between modes is run once.
  public var modes: [ScriptMode] {
    if let explicitModes { return explicitModes }
    let differs = connections.contains { $0.steps.contains { $0.modes.count < ScriptMode.allCases.count } }
    return differs ? ScriptMode.allCases : [.lockstep]
  }

  /// Whether the same server is connected to again, further down than a line.
  public func hasLater(_ line: Int, at address: IPAddress, _ port: UInt16) -> Bool {
    connections.contains { $0.line > line && $0.address == address && $0.port == port }
  }

  /// - Parameter text: the file's contents.
  public init(name: String, text: String) throws(TranscriptError) {
    self.name = name
    try ScenarioText.read(text, kind: "transcript") { line, number throws(TranscriptError) in try take(line, number) }
    guard operandsLine > 0 else { throw TranscriptError(line: 1, "no command line ($)") }
    guard message != nil else { throw TranscriptError(line: 1, "no message (message:)") }
    guard !reports.isEmpty else { throw TranscriptError(line: 1, "no report (=)") }
  }

  private mutating func take(_ line: Substring, _ number: Int) throws(TranscriptError) {
    if let step = try Transcript.step(line, number, connections.last?.transport ?? .smtp) {
      guard !connections.isEmpty else { throw TranscriptError("no connection (@) yet") }
      connections[connections.count - 1].steps.append(step)
      return
    }
    let (word, rest) = ScenarioText.divided(line)
    switch word {
    case "$":
      operands = try ScenarioText.operands(rest, isFirst: operandsLine == 0)
      operandsLine = number
    case "env": environment.append(try TranscriptText.bytes(rest))
    case "dns": try takeZoneLine(rest, number)
    case "tls": policies.append(try ScriptedPolicy(rest))
    case "tls-setup:": setup = try ScriptedSetup(rest)
    case "own": own.append(String(rest))
    case "message:": message = (message ?? []) + (try TranscriptText.bytes(rest))
    case "source:": source = try Transcript.source(rest)
    case "modes:": explicitModes = try Transcript.modes(rest)
    case "order:" where rest == "any": anyOrder = true
    case "directory:": directory = TranscriptLine(line: number, bytes: try TranscriptText.bytes(rest))
    case "dialect:": dialect = TranscriptLine(line: number, bytes: try TranscriptText.bytes(rest))
    case "@": connections.append(try Transcript.connection(rest, number))
    case "=": reports.append(TranscriptLine(line: number, bytes: try TranscriptText.bytes(rest)))
    default: try takeControlLine(word, rest)
    }
  }

  /// `none`: no question may be asked.
  private mutating func takeZoneLine(_ text: Substring, _ number: Int) throws(TranscriptError) {
    if text == "none" {
      asksNoDNS = number
      return
    }
    zone += try ScenarioText.zoneLine(text)
  }

  /// `control/name: line`, and `control/name= text` without a line end.
  private mutating func takeControlLine(_ word: Substring, _ text: Substring) throws(TranscriptError) {
    guard let (name, end) = ScenarioText.file(word, in: "control") else {
      throw TranscriptError("no transcript line starts with \(word)")
    }
    control[name, default: []] += try TranscriptText.bytes(text) + end
  }
}

// MARK: the parts of a line

extension Transcript {
  private static func source(_ text: Substring) throws(TranscriptError) -> TranscriptSource {
    let words = text.split(separator: " ")
    switch (words.first, words.count > 1 ? Int(words[1]) : nil) {
    case ("file", nil): return .file
    case ("pipe", nil): return .pipe
    case ("broken-pipe", let count?): return .brokenPipe(after: count)
    case ("broken-file", let count?): return .brokenFile(after: count)
    default: throw TranscriptError("no source of messages")
    }
  }

  private static func modes(_ text: Substring) throws(TranscriptError) -> [ScriptMode] {
    var modes: [ScriptMode] = []
    for word in text.split(separator: ",") {
      guard let mode = ScriptMode(rawValue: String(word.filter { $0 != " " })) else {
        throw TranscriptError("no mode: \(word)")
      }
      modes.append(mode)
    }
    return modes
  }

  private static func connection(_ line: Substring, _ number: Int) throws(TranscriptError) -> TranscriptConnection {
    let marker = " QMTP"
    let transport: Route.Transport = line.hasSuffix(marker) ? .qmtp : .smtp
    let text = transport == .qmtp ? line.dropLast(marker.count) : line
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
      let address = IPAddress(text[..<colon].filter { $0 != "[" && $0 != "]" }.utf8)
    else { throw TranscriptError("no address:port") }
    return TranscriptConnection(line: number, address: address, port: port, transport: transport)
  }

  /// A line of a connection's script; nil for another line. `p` and `l` in front limit it to a mode.
  private static func step(
    _ line: Substring, _ number: Int, _ transport: Route.Transport
  ) throws(TranscriptError) -> ScriptStep? {
    var modes = Set(ScriptMode.allCases)
    var line = line
    if let limit = line.first == "p" ? ScriptMode.pipelining : line.first == "l" ? .lockstep : nil,
      ["<", ">", "!"].contains(line.dropFirst().first)
    {
      modes = [limit]
      line = line.dropFirst()
    }
    let (word, rest) = ScenarioText.divided(line)
    var text = rest
    let marker = " ?"
    if word == "<", text.hasSuffix(marker) {
      modes = [.pipelining]
      text = text.dropLast(marker.count)
    }
    let action: ScriptStep.Action
    switch word {
    case "<": action = .server(try phrase(text, transport))
    case "<<": action = .server(try TranscriptText.bytes(text))
    case ">": action = .client(try phrase(text, transport))
    case ">>": action = .client(try TranscriptText.bytes(text))
    case "!": action = .event(try event(text, transport))
    default: return nil
    }
    return ScriptStep(line: number, modes: modes, action)
  }

  /// What a side says at a time: a line, or a netstring.
  private static func phrase(_ text: Substring, _ transport: Route.Transport) throws(TranscriptError) -> [UInt8] {
    let bytes = try TranscriptText.bytes(text)
    switch transport {
    case .smtp: return bytes + Array("\r\n".utf8)
    case .qmtp: return Array("\(bytes.count):".utf8) + bytes + Array(",".utf8)
    }
  }

  private static func event(_ text: Substring, _ transport: Route.Transport) throws(TranscriptError) -> ScriptEvent {
    let words = text.split(separator: " ", maxSplits: 1)
    let number = words.count > 1 ? Int(words[1]) : nil
    switch words.first {
    case "connect-refused": return .connectRefused
    case "connect-unreachable": return .connectUnreachable
    case "connect-timeout": return .connectTimeout(number)
    case "close": return .close
    case "reset": return .reset
    case "timeout": return .timeout(number)
    case "stall": return .stall(number)
    case "discard": return .discard(number)
    case "wait": if let number { return .wait(number) }
    case "block": return .block
    case "pace":
      let numbers = text.split(separator: " ").dropFirst().compactMap { Int($0) }
      if numbers.count == 2 { return .pace(bytes: numbers[0], seconds: numbers[1]) }
    case "alert": return .alert(words.count > 1 ? String(words[1]) : "")
    case "tls": return .tls(try ScriptedHandshake(text.dropFirst(3)))
    case "flood": if words.count > 1 { return .flood(try TranscriptText.bytes(words[1])) }
    case "early": if words.count > 1 { return .early(try phrase(words[1], transport)) }
    default: break
    }
    throw TranscriptError("no event: \(text)")
  }
}
