// TLS by OpenSSL: what a policy and the settings of a delivery mean to it.
internal import COpenSSL
internal import CSystem

/// The library, loaded on first use.
public struct OpenSSL: TLSProvider {
  public init() {}

  public func prepare(_ policy: TLSPolicy, _ settings: TLSSettings) throws(TLSTrouble) -> any TLSClient {
    var problem: UnsafePointer<CChar>?
    guard unsafe copenssl_load(&problem) == 1 else {
      throw .setup(.library(unsafe problem.map { unsafe String(cString: $0) } ?? ""))
    }
    return try OpenSSLClient(policy, settings)
  }

  /// Why the last call failed.
  static var reason: String { unsafe String(cString: copenssl_reason()) }
}

/// Owns an `SSL_CTX`.
@safe private final class OpenSSLClient: TLSClient {
  private let policy: TLSPolicy
  private let context: OpaquePointer
  private let pinDigest: Digest?

  init(_ policy: TLSPolicy, _ settings: TLSSettings) throws(TLSTrouble) {
    guard let context = unsafe copenssl_context_new() else { throw .setup(.context(OpenSSL.reason)) }
    self.policy = policy
    unsafe self.context = context
    pinDigest = policy.pin.flatMap { OpenSSLClient.digest(ofLength: $0.count) }
    if policy.demands(.pin), pinDigest == nil { throw .unknownDigest }
    try setVersions(settings)
    try setCiphers(settings)
    if let certificate = settings.certificate { try use(certificate) }
    if let anchors = policy.anchors { try trust(anchors) }
    if policy.level == .dane, unsafe copenssl_allow_dane(context) != 1 { throw .setup(.context(OpenSSL.reason)) }
  }

  deinit { unsafe copenssl_context_free(context) }

  /// The four of qmail-remote(8) of s/qmail, told apart by their length.
  private static func digest(ofLength length: Int) -> Digest? {
    switch length {
    case 20: .sha1
    case 28: .sha224
    case 32: .sha256
    case 64: .sha512
    default: nil
    }
  }

  // MARK: settings

  private func setVersions(_ settings: TLSSettings) throws(TLSTrouble) {
    var minimum = settings.minimum.wire
    // A system that wants more than our default has its reasons.
    if settings.minimum == TLSSettings().minimum { minimum = unsafe max(minimum, copenssl_minimum_version(context)) }
    guard unsafe copenssl_set_versions(context, minimum, settings.maximum?.wire ?? 0) == 1 else {
      throw .setup(.context(OpenSSL.reason))
    }
  }

  private func setCiphers(_ settings: TLSSettings) throws(TLSTrouble) {
    var list = policy.ciphers ?? settings.ciphers
    if policy.anonymous == .accepted {
      // Else OpenSSL leaves those ciphers out, whoever asks for them.
      unsafe copenssl_set_security_level(context, 0)
      list = policy.ciphers ?? settings.ciphers.map { $0 + Bytes(":aNULL") } ?? Bytes("ALL:!eNULL:+aNULL")
    }
    if let list, unsafe copenssl_set_ciphers(context, list.terminated) != 1 { throw .setup(.ciphers(list)) }
    if let suites = settings.cipherSuites, unsafe copenssl_set_cipher_suites(context, suites.terminated) != 1 {
      throw .setup(.ciphers(suites))
    }
  }

  private func use(_ certificate: ClientCertificate) throws(TLSTrouble) {
    guard unsafe copenssl_use_certificate(context, certificate.file.terminated) == 1 else {
      throw .setup(.certificate(certificate.file, OpenSSL.reason))
    }
    let file = certificate.keyFile.terminated
    let result =
      if let password = certificate.password {
        unsafe password.bytes.withUnsafeBytes { unsafe copenssl_use_key(context, file, $0.baseAddress, $0.count) }
      } else {
        unsafe copenssl_use_key(context, file, nil, 0)
      }
    switch result {
    case copenssl_key_usable: return
    case copenssl_key_of_another: throw .setup(.keyMismatch(certificate.keyFile))
    default: throw .setup(.key(certificate.keyFile, OpenSSL.reason))
    }
  }

  private func trust(_ anchors: TLSPolicy.Anchors) throws(TLSTrouble) {
    let path = anchors.path.terminated
    let isTrusted: Int32
    switch anchors {
    case .file: isTrusted = unsafe copenssl_trust_file(context, path)
    case .system, .directory:
      // OpenSSL would look into it only when a chain needs it, and not tell.
      let folder = unsafe csys_open(path, O_RDONLY | O_DIRECTORY)
      guard folder >= 0 else { throw .setup(.anchors(anchors, TransportError.failed(csys_errno()).words)) }
      close(folder)
      isTrusted = unsafe copenssl_trust_directory(context, path)
    }
    guard isTrusted == 1 else { throw .setup(.anchors(anchors, OpenSSL.reason)) }
    if let depth = policy.depth { unsafe copenssl_set_depth(context, Int32(clamping: depth)) }
  }

  // MARK: the handshake

  func secure(_ stream: any ByteStream, by deadline: Deadline) throws(TLSTrouble) -> SecuredConnection {
    let (connection, level) = try connection()
    let secured = TLSStream(over: stream, connection)
    do throws(TransportError) {
      try secured.handshake(by: deadline)
    } catch {
      throw trouble(error, connection)
    }
    return SecuredConnection(stream: secured, facts: try facts(of: connection, level))
  }

  /// A connection that demands what OpenSSL can see to by itself, and the level that holds for it.
  private func connection() throws(TLSTrouble) -> (OpenSSLConnection, TLSPolicy.Level) {
    if policy.level == .dane {
      let connection = try newConnection()
      if !connection.useRecords(policy).isEmpty {
        connection.ask(for: policy.tlsaBase)
        connection.demandChain()
        return (connection, .dane)
      }
    }
    let level = policy.level == .dane ? policy.floor : policy.level
    let connection = try newConnection()
    let name = policy.level == .dane ? policy.tlsaBase : policy.names.first ?? []
    // RFC 6066 section 3: no addresses.
    if !name.isEmpty, Domain(name).literal == nil, IPAddress(name) == nil { connection.ask(for: name) }
    if level == .verify || level == .name { connection.demandChain() }
    return (connection, level)
  }

  private func newConnection() throws(TLSTrouble) -> OpenSSLConnection {
    guard let connection = unsafe OpenSSLConnection(context) else { throw .setup(.context(OpenSSL.reason)) }
    return connection
  }

  private func trouble(_ error: TransportError, _ connection: OpenSSLConnection) -> TLSTrouble {
    // A chain that doesn't verify ends the handshake; anything else that does leaves no word about the chain.
    guard case .tls = error else { return .broken(.transport(error)) }
    switch connection.chain {
    case .verified: return .broken(.transport(error))
    case .noRecord: return policy.tlsa.contains { $0.usage == 3 } ? .certificateNotInRecords : .authorityNotInChain
    case .otherName: return .name(connection.certificate?.names ?? [])
    case .unverified(let reason): return policy.demandsChain ? .chain(reason) : .broken(.transport(error))
    }
  }

  // MARK: who the server is

  /// Checks what OpenSSL did not.
  private func facts(of connection: OpenSSLConnection, _ level: TLSPolicy.Level) throws(TLSTrouble) -> TLSFacts {
    let certificate = connection.certificate
    var proof = TLSFacts.Proof.none
    var chainTrouble: String?
    if let certificate {
      proof = try proofs(certificate, connection, level, &chainTrouble)
    } else if level != .may, policy.anonymous == .refused || level.isAbove(.encrypt) {
      throw .noCertificate
    }
    return TLSFacts(
      policy: policy, version: connection.version, cipher: connection.cipher, proof: proof,
      peerNames: certificate?.names ?? [], chainTrouble: chainTrouble)
  }

  private func proofs(
    _ certificate: PeerCertificate, _ connection: OpenSSLConnection, _ level: TLSPolicy.Level, _ chainTrouble: inout String?
  ) throws(TLSTrouble) -> TLSFacts.Proof {
    switch level {
    case .none, .may, .encrypt:
      guard policy.anchors != nil else { return .none }
      guard case .unverified(let reason) = connection.chain else { return .chain }
      chainTrouble = reason
      return .none
    case .verify: return .chain
    case .name: return try nameProof(certificate)
    case .pin: return try pinProof(certificate)
    case .dane:
      if policy.floor == .pin { _ = try pinProof(certificate) }
      if policy.floor == .verify || policy.floor == .name {
        if case .unverified(let reason) = unsafe connection.chain(by: context) { throw .chain(reason) }
      }
      if policy.floor == .name { _ = try nameProof(certificate) }
      return .record
    }
  }

  private func nameProof(_ certificate: PeerCertificate) throws(TLSTrouble) -> TLSFacts.Proof {
    switch certificate.match(policy.names, policy.matching) {
    case .exact: return .name
    case .partial: return .partialName
    case nil: throw .name(certificate.names)
    }
  }

  private func pinProof(_ certificate: PeerCertificate) throws(TLSTrouble) -> TLSFacts.Proof {
    guard let pinDigest, let hash = try? Digest.hash(pinDigest, certificate.bytes) else { throw .unknownDigest }
    guard hash == policy.pin else { throw .pinMismatch }
    return .pin
  }
}

extension TLSSettings.Version {
  /// RFC 8446 section 4.2.1.
  fileprivate var wire: Int32 {
    switch self {
    case .version10: 0x0301
    case .version11: 0x0302
    case .version12: 0x0303
    case .version13: 0x0304
    }
  }
}
