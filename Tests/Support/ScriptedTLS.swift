// TLS as a transcript has it: no library and no certificates, only what comes of a handshake. The same conversation goes on afterwards.
import Agent

/// What comes of a handshake.
public enum ScriptedHandshake: Equatable, Sendable {
  case succeeds(TLSFacts.Proof)
  case fails(TLSTrouble)
  /// The server says nothing, until the client gives up. A number is the seconds that it must have waited for.
  case stalls(Int?)

  /// The words of an event after `tls`.
  init(_ text: Substring) throws(TranscriptError) {
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    let rest = words.count > 1 ? words[1] : ""
    switch words.first {
    case "ok":
      guard let proof = TLSFacts.Proof(rawValue: rest.isEmpty ? "none" : rest) else {
        throw TranscriptError("no proof: \(rest)")
      }
      self = .succeeds(proof)
    case "timeout": self = .stalls(Int(rest))
    case "closed": self = .fails(.broken(.transport(.closed)))
    case "reset": self = .fails(.broken(.transport(.failed(104))))
    case "fails": self = .fails(.broken(.transport(.tls(rest))))
    case "no-certificate": self = .fails(.noCertificate)
    case "chain": self = .fails(.chain(rest))
    case "name": self = .fails(.name(rest.split(separator: " ").map { Array($0.utf8) }))
    case "pin": self = .fails(.pinMismatch)
    case "no-record": self = .fails(.certificateNotInRecords)
    case "no-authority": self = .fails(.authorityNotInChain)
    default: throw TranscriptError("no handshake: \(text)")
    }
  }
}

/// What goes wrong before any server is asked.
public struct ScriptedSetup: Equatable, Sendable {
  let trouble: TLSTrouble

  /// `certificate FILE words`, `key FILE words`, `mismatch FILE`, `ciphers LIST`, `anchors FILE words`, `library words`, `digest`.
  init(_ text: Substring) throws(TranscriptError) {
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    let file = words.count > 1 ? Array(words[1].utf8) : []
    let reason = words.count > 2 ? words[2] : ""
    switch words.first {
    case "certificate": trouble = .setup(.certificate(file, reason))
    case "key": trouble = .setup(.key(file, reason))
    case "mismatch": trouble = .setup(.keyMismatch(file))
    case "ciphers": trouble = .setup(.ciphers(file))
    case "anchors": trouble = .setup(.anchors(.file(file), reason))
    case "library": trouble = .setup(.library(words.dropFirst().joined(separator: " ")))
    case "digest": trouble = .unknownDigest
    default: throw TranscriptError("no trouble: \(text)")
    }
  }
}

/// The policy that a transcript gives an exchanger.
public struct ScriptedPolicy: Sendable {
  /// `*` for all.
  let exchanger: String
  let policy: TLSPolicy

  /// `name level`, and further words: `implicit`, `last` (in clear), `file=PATH`, `pin=TEXT`, `from=SOURCE`.
  init(_ text: Substring) throws(TranscriptError) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count >= 2, let level = TLSPolicy.Level(rawValue: words[1]) else { throw TranscriptError("no policy: \(text)") }
    exchanger = words[0]
    var policy = TLSPolicy(level, source: "the transcript")
    for word in words.dropFirst(2) {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      let value = parts.count > 1 ? parts[1] : ""
      switch parts[0] {
      case "implicit": policy.start = .implicit
      case "last": policy.clear = .last
      case "file": policy.anchors = .file(Array(value.utf8))
      case "pin": policy.pin = Array(value.utf8)
      case "from": policy.source = value
      case "record": policy.tlsa = [TLSARecord(usage: 3, selector: 1, matching: 1, association: Array(value.utf8))]
      default: throw TranscriptError("no policy: \(word)")
      }
    }
    self.policy = policy
  }

  /// The first that is for an exchanger.
  public static func policy(for exchanger: [UInt8], among policies: [ScriptedPolicy]) -> TLSPolicy? {
    policies.first { $0.exchanger == "*" || Array($0.exchanger.utf8) == exchanger }?.policy
  }
}

/// Handshakes with the servers of a transcript.
public final class ScriptedTLS: TLSProvider {
  private let setup: ScriptedSetup?

  public init(_ setup: ScriptedSetup?) { self.setup = setup }

  public func prepare(_ policy: TLSPolicy, _ settings: TLSSettings) throws(TLSTrouble) -> any TLSClient {
    if let setup { throw setup.trouble }
    return Client(policy)
  }

  private final class Client: TLSClient {
    private let policy: TLSPolicy

    init(_ policy: TLSPolicy) { self.policy = policy }

    func secure(_ stream: any ByteStream, by deadline: Deadline) throws(TLSTrouble) -> SecuredConnection {
      guard let stream = stream as? ScriptedStream else { throw .broken(.transport(.closed)) }
      let proof = try stream.shakeHands(by: deadline)
      return SecuredConnection(
        stream: Secured(stream),
        facts: TLSFacts(policy: policy, version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", proof: proof))
    }
  }
}

/// The rest of the conversation. It can't be bound to.
private final class Secured: ChannelBinding {
  private let stream: ScriptedStream

  init(_ stream: ScriptedStream) { self.stream = stream }

  let channelBinding: ChannelBindingData? = nil

  func read(into buffer: inout [UInt8], by deadline: Deadline) throws(TransportError) {
    try stream.read(into: &buffer, by: deadline)
  }

  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
    try stream.write(bytes, by: deadline)
  }

  func write(
    _ bytes: ArraySlice<UInt8>, readingInto buffer: inout [UInt8], by deadline: Deadline
  ) throws(TransportError) -> Int {
    try stream.write(bytes, readingInto: &buffer, by: deadline)
  }

  var hasInput: Bool { stream.hasInput }
}
