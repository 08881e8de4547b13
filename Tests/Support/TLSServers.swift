// Mail servers whose TLS and AUTH do what a test wants, right or wrong: one process (Scripts/tls_server) that plays any number of them.
// Knows nothing of the program under test.
import Foundation
import Synchronization

/// What a server does. As it stands: STARTTLS by Python's ssl module, TLS 1.2 and 1.3, every message accepted; but without an identity
/// no handshake succeeds.
public struct TLSBehaviour: Sendable, Encodable {
  public enum Engine: String, Sendable, Encodable {
    case python
    /// Its s_server, a process for each connection.
    case openssl
  }

  public enum Version: String, Sendable, Encodable {
    case tls10 = "TLSv1"
    case tls11 = "TLSv1.1"
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"
  }

  public enum UnknownName: String, Sendable, Encodable {
    case serve, alert
  }

  public enum ClientCertificate: String, Sendable, Encodable {
    case none, optional, required
  }

  /// What comes instead of a handshake. All but the first wait for the ClientHello.
  public enum Handshake: String, Sendable, Encodable, CaseIterable {
    case normal
    case closeAtOnce = "close at once"
    case stall, close, reset
    /// A reply of SMTP.
    case garbage
    case alert
    /// Half of the server's first flight (of the Python engine only), then nothing more.
    case halfAndStall = "half and stall"
    case halfAndClose = "half and close"
    /// The server's first flight whole, and nothing after the client's next: with TLS 1.2 half of the handshake.
    case flightAndStall = "flight and stall"
    case flightAndClose = "flight and close"

    /// Those that are no handshake with TLS 1.3 either.
    public static let inVain = allCases.filter { ![.normal, .flightAndStall, .flightAndClose].contains($0) }
  }

  /// When what is injected comes: with the reply to STARTTLS, behind it by a write of its own, or after the ClientHello has come.
  public enum Moment: String, Sendable, Encodable, CaseIterable {
    case glued, segment
    case afterHello = "after hello"
  }

  public var address = "127.0.0.1"
  /// 0 for a free one.
  public var port: UInt16 = 0
  /// TLS from the first byte.
  public var implicit = false
  public var engine = Engine.python
  /// Further operands of s_server(1).
  public var arguments: [String] = []

  /// Several for several kinds of keys; with the openssl engine two at most. None: only ciphers that need none.
  public var identities: [Identity] = []
  /// By the name that the client sends; not with the openssl engine.
  public var namedIdentities: [String: Identity] = [:]
  /// What is done with other names, and without one.
  public var unknownName = UnknownName.serve
  public var minimum = Version.tls12
  public var maximum = Version.tls13
  /// Up to TLS 1.2, in OpenSSL's words; below 1.2 they need `@SECLEVEL=0`.
  public var ciphers = ""
  /// Up to TLS 1.2 (RFC 7627); not with the openssl engine.
  public var extendedMasterSecret = true
  public var alpn: [String] = []
  public var clientCertificate = ClientCertificate.none
  /// A file with the roots of clients' certificates; needed when these are asked for.
  public var clientAuthorities = ""

  public var greeting = "220 mx.example.com ESMTP"
  /// Of the reply to EHLO.
  public var clearKeywords = ["PIPELINING", "8BITMIME", "STARTTLS"]
  public var secureKeywords = ["PIPELINING", "8BITMIME"]
  /// TLS follows if it begins with 2.
  public var starttlsReply = "220 2.0.0 ready to start TLS"
  /// Bytes in clear between that and TLS.
  public var injected = ""
  public var injectedWhen = Moment.glued
  public var handshake = Handshake.normal

  /// Other replies than the usual ones, by command; `message` is for the one to the message. Lines are separated by LF. Instead of a
  /// reply: `!close`, `!cut` (without the end of TLS), `!reset`, `!stall`.
  public var replies: [String: String] = [:]
  /// The same, in clear only.
  public var clearReplies: [String: String] = [:]
  /// Replies for a command that are given one after the other; one with 334 takes a line and is followed by the next at once. When
  /// they are used up, the command stays without a reply.
  public var dialogues: [String: [String]] = [:]
  /// No mail in clear.
  public var needsTLS = false
  /// No mail without AUTH.
  public var needsLogin = false
  /// Passwords, or tokens, by name, for AUTH with PLAIN, LOGIN, CRAM-MD5 and its kin (-SHA1, -SHA224, -SHA256, -SHA384, -SHA512,
  /// -RIPEMD), SCRAM-SHA-1, SCRAM-SHA-256 and both with -PLUS (by TLS 1.2's tls-unique, with the Python engine), XOAUTH2 and OAUTHBEARER.
  /// What is offered is in the keywords.
  public var accounts: [String: String] = [:]

  public init() {}

  public init(_ identities: TestIdentity...) { self.identities = identities.map(Identity.init) }

  public init(_ identities: TestIdentity..., change: (inout TLSBehaviour) -> Void) {
    self.identities = identities.map(Identity.init)
    change(&self)
  }

  /// A chain and its key, as paths.
  public struct Identity: Sendable, Encodable {
    public var chain: String
    public var key: String

    public init(chain: String, key: String) {
      self.chain = chain
      self.key = key
    }

    public init(_ identity: TestIdentity) { self.init(chain: identity.chain, key: identity.key) }

    public func encode(to encoder: any Encoder) throws { try [chain, key].encode(to: encoder) }
  }

  private enum CodingKeys: String, CodingKey {
    case address, port, implicit, engine, arguments, identities, minimum, maximum, ciphers, alpn, greeting, injected, handshake
    case replies, dialogues, accounts
    case namedIdentities = "named_identities"
    case unknownName = "unknown_name"
    case clientCertificate = "client_certificate"
    case clientAuthorities = "client_authorities"
    case extendedMasterSecret = "extended_master_secret"
    case clearKeywords = "clear_keywords"
    case secureKeywords = "secure_keywords"
    case starttlsReply = "starttls_reply"
    case injectedWhen = "injected_when"
    case clearReplies = "clear_replies"
    case needsTLS = "needs_tls"
    case needsLogin = "needs_login"
  }
}

/// What a server saw of one connection.
public struct TLSSession: Sendable, Decodable {
  public struct Command: Sendable, Decodable {
    public let isSecure: Bool
    public let line: String

    public init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      isSecure = try list.decode(Bool.self)
      line = try list.decode(String.self)
    }
  }

  public struct Message: Sendable, Decodable {
    public let isSecure: Bool
    /// The whole commands.
    public let sender: String
    public let recipients: [String]
    /// Who is logged in.
    public let user: String?
    /// As it came, without the dots that were put in.
    public let data: Data
  }

  /// The ClientHello.
  public struct Hello: Sendable, Decodable {
    /// The server name (SNI).
    public let name: String?
    public let alpn: [String]
    public let versions: [String]
    /// The ciphers' numbers in four hexadecimal digits.
    public let ciphers: [String]
  }

  public struct Connection: Sendable, Decodable {
    public let version: String
    public let cipher: String
    public let alpn: String?
    /// The subject of the client's certificate: `O = Tests, CN = client`.
    public let client: String?
    /// Of that certificate, SHA-256; nil with the openssl engine.
    public let clientFingerprint: String?
  }

  public struct Login: Sendable, Decodable {
    public let mechanism: String
    /// nil: refused.
    public let user: String?
    public let isSecure: Bool
  }

  /// All lines outside messages, answers in AUTH included.
  public let commands: [Command]
  public let messages: [Message]
  public let logins: [Login]
  /// nil: none came.
  public let hello: Hello?
  /// nil: no handshake succeeded.
  public let tls: Connection?
  /// What came instead of a ClientHello.
  public let stray: Data
  /// `closed`, `closed without close_notify`, or what went wrong, in the words of the TLS library.
  public let ended: String?
  public let isOver: Bool

  /// The commands up to TLS and those in it, as lines.
  public var clearLines: [String] { commands.filter { !$0.isSecure }.map(\.line) }
  public var secureLines: [String] { commands.filter(\.isSecure).map(\.line) }
}

/// One of the servers.
public final class TLSServer: Sendable {
  public let port: UInt16
  private let number: Int
  private let servers: TLSServers

  fileprivate init(_ servers: TLSServers, _ number: Int, _ port: UInt16) {
    self.servers = servers
    self.number = number
    self.port = port
  }

  /// The connections so far, in order.
  public func sessions() throws -> [TLSSession] { try servers.command("look", number) }

  /// Stops it, ends its stalls and waits for the ends of its sessions.
  /// - Returns: the connections.
  @discardableResult
  public func finish() throws -> [TLSSession] { try servers.command("finish", number) }
}

/// The process.
public final class TLSServers: Sendable {
  /// In the network of the tests.
  public static let shared = Result { try TLSServers() }

  private let process: SpawnedProcess
  private let channel: LineChannel
  private let turn = Mutex<Void>(())

  /// In the network of the calling thread. It ends when nobody holds it, or when the tests end.
  public init() throws {
    let (channel, descriptor) = try LineChannel.make()
    defer { close(descriptor) }
    var start = ProgramStart("/usr/bin/python3", ["-B", TestScripts.path("tls_server/tls_server.py")])
    start.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    start.input = .descriptor(descriptor)
    start.output = .descriptor(descriptor)
    process = try SpawnedProcess(start)
    self.channel = channel
  }

  public func start(_ behaviour: TLSBehaviour) throws -> TLSServer {
    struct Started: Decodable {
      let server: Int
      let port: UInt16
    }
    let started: Started = try ask(["serve": behaviour])
    return TLSServer(self, started.server, started.port)
  }

  fileprivate func command(_ word: String, _ number: Int) throws -> [TLSSession] {
    struct Said: Decodable {
      let sessions: [TLSSession]
    }
    let said: Said = try ask([word: number])
    return said.sessions
  }

  private struct Fault: Decodable {
    let error: String
  }

  private func ask<Answer: Decodable>(_ question: some Encodable) throws -> Answer {
    let line = try JSONEncoder().encode(question)
    let answer = try turn.withLock { _ in
      try channel.send(Array(line))
      return try channel.line()
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let answer else {
      throw SpawnFault(description: "tls_server.py has ended: \(visible(process.finish(within: 5).errors))")
    }
    let data = Data(answer)
    if let fault = try? decoder.decode(Fault.self, from: data) {
      throw SpawnFault(description: "tls_server.py: \(fault.error)")
    }
    return try decoder.decode(Answer.self, from: data)
  }
}
