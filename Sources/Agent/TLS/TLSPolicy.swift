// What a delivery demands of TLS with one candidate: decided in the plan, carried out by the connection. Knows no OpenSSL.

/// How TLS is to be with one candidate, and who says so.
public struct TLSPolicy: Equatable, Sendable {
  /// From nothing to a certain key. What stands after `encrypt` demands that and a proof of who the server is.
  public enum Level: String, Sendable, CaseIterable {
    /// STARTTLS is never sent.
    case none
    /// TLS where it can be had; refused or failed, the mail goes in clear over a new connection to the same address.
    case may
    /// TLS, or not to this candidate. Nothing is asked of the certificate but that there is one, see `anonymous`.
    case encrypt
    /// A TLSA record matches (RFC 7672).
    case dane
    /// The chain ends at one of `anchors`.
    case verify
    /// The same, and the certificate is for one of `names`.
    case name
    /// The certificate is the one of `pin`.
    case pin

    /// Whether this demands more.
    package func isAbove(_ other: Level) -> Bool { rank > other.rank }

    private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
  }

  /// When TLS begins.
  public enum Start: String, Sendable {
    case startTLS
    /// Before the greeting (RFC 8314 section 3).
    case implicit
  }

  /// Whether TLSA records raise the level.
  public enum RecordUse: Sendable {
    case use, skip
    /// Whatever the dialect and control file tlsadomains say.
    case always
  }

  /// What becomes of mail that need not go under TLS and can't.
  public enum Clear: Sendable {
    /// A server that offers no STARTTLS gets it in clear, and one with which TLS fails over a new connection, at once.
    case atOnce
    /// It goes in clear only after every candidate was asked for TLS.
    case last
  }

  /// Where trusted certificates are.
  public enum Anchors: Equatable, Sendable {
    /// The system's hashed directory.
    case system
    case file(Bytes)
    /// A hashed directory: only what a chain needs is read.
    case directory(Bytes)
  }

  /// How the names in a certificate compare with `names`.
  public enum Matching: Sendable {
    /// Letter for letter, but for case.
    case exact
    /// A `*` may stand for the leftmost label (RFC 6125 section 6.4.3).
    case wildcard
    /// That, or the certificate is for a parent domain of the name.
    case partial
  }

  /// Whether a server without a certificate will do.
  public enum Anonymous: Sendable {
    case refused
    /// Anonymous cipher suites are offered too, which OpenSSL has at security level 0 only.
    case accepted
  }

  public var level: Level
  /// Counts at level `may`.
  public var clear: Clear
  public var start: Start
  public var records: RecordUse
  /// nil: no chain is checked and no certificate loaded. At a level below `verify` the result is only told.
  public var anchors: Anchors?
  /// The longest chain of intermediate certificates; nil for the library's default.
  public var depth: Int?
  /// The first is also the name that the handshake asks for.
  public var names: [Bytes]
  public var matching: Matching
  /// The digest of the certificate in DER; its length says which digest (20, 28, 32 or 64 bytes).
  public var pin: Bytes?
  /// A cipher list of OpenSSL in place of the control file's, for TLS up to 1.2.
  public var ciphers: Bytes?
  public var anonymous: Anonymous
  /// Validated records, for level `dane`; those that mean nothing to SMTP (RFC 7672 section 3.1.3) need not be left out.
  public var tlsa: [TLSARecord]
  /// The name that the records stand for, and the first that a certificate of usage 2 may be for (RFC 7672 section 2.2.3). In the
  /// handshake it takes the place of the first of `names`.
  public var tlsaBase: Bytes
  /// What else such a certificate may be for: the domain whose mail exchanger this is, if that was validated (RFC 7672 section 3.2.2).
  public var tlsaNames: [Bytes]
  /// At level `dane`, what was asked for without the records. From `verify` up that holds besides them, with `anchors` and `names`: the
  /// owner of a zone can't make less of what a control file demands. If none of the records can be used it is all that holds, and at
  /// least `encrypt`.
  public var floor: Level
  /// Replaces the port of the route.
  public var port: UInt16?
  /// `control/tlsdestinations:3`, the variable, or the dialect's default.
  public var source: String

  public init(_ level: Level, source: String) {
    self.level = level
    self.source = source
    clear = .atOnce
    start = .startTLS
    records = .use
    anchors = nil
    depth = nil
    names = []
    matching = .wildcard
    pin = nil
    ciphers = nil
    anonymous = .refused
    tlsa = []
    tlsaBase = []
    tlsaNames = []
    floor = .encrypt
    port = nil
  }

  /// Never in clear.
  public var isMandatory: Bool { start == .implicit || (level != .none && level != .may) }

  /// Whether the handshake is no use unless the chain verifies.
  var demandsChain: Bool { level == .dane || demands(.verify) || demands(.name) }

  /// Whether a level holds, alone or besides TLSA records.
  func demands(_ other: Level) -> Bool { level == other || level == .dane && floor == other }

  /// TLS from the first byte (RFC 8314 section 3.3).
  package static let implicitPort: UInt16 = 465
  /// QMTPS, which IANA knows nothing of: s/qmail's.
  package static let implicitQMTPPort: UInt16 = 6_209
  /// SHA-1, SHA-224, SHA-256 and SHA-512, the digests of qmail-remote(8) of s/qmail.
  package static let pinLengths = [20, 28, 32, 64]
}

/// A certificate of our own, for servers that ask for one.
public struct ClientCertificate: Equatable, Sendable {
  /// PEM, with the chain.
  public var file: Bytes
  /// PEM; often the same file.
  public var keyFile: Bytes
  public var password: Secret?
  /// Where it is configured.
  public var source: String

  public init(file: Bytes, keyFile: Bytes, password: Secret? = nil, source: String) {
    self.file = file
    self.keyFile = keyFile
    self.password = password
    self.source = source
  }
}

/// What every TLS connection of a delivery has in common.
public struct TLSSettings: Equatable, Sendable {
  public enum Version: Int, Sendable, CaseIterable, Comparable {
    case version10, version11, version12, version13

    public static func < (older: Version, newer: Version) -> Bool { older.rawValue < newer.rawValue }
  }

  public var minimum = Version.version12
  /// nil for the library's newest.
  public var maximum: Version?
  /// For TLS up to 1.2; nil for the library's own.
  public var ciphers: Bytes?
  /// For TLS 1.3.
  public var cipherSuites: Bytes?
  /// Where these are configured; nil for what isn't.
  public var versionsSource: String?
  public var ciphersSource: String?
  public var cipherSuitesSource: String?
  public var certificate: ClientCertificate?

  public init() {}
}

/// What became of TLS on a connection, for reports and records.
public struct TLSFacts: Equatable, Sendable {
  /// The strongest thing that was proved about the server.
  public enum Proof: String, Sendable, CaseIterable {
    case pin, record, name, partialName, chain, none
  }

  public let policy: TLSPolicy
  /// `TLSv1.3`
  public let version: String
  /// `TLS_AES_256_GCM_SHA384`
  public let cipher: String
  public let proof: Proof
  /// From the certificate: subject alternative names, else the common name.
  public let peerNames: [Bytes]
  /// Why a chain that needn't verify doesn't.
  public let chainTrouble: String?

  public init(
    policy: TLSPolicy, version: String, cipher: String, proof: Proof, peerNames: [Bytes] = [], chainTrouble: String? = nil
  ) {
    self.policy = policy
    self.version = version
    self.cipher = cipher
    self.proof = proof
    self.peerNames = peerNames
    self.chainTrouble = chainTrouble
  }
}
