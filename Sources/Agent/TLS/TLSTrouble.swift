// Why TLS didn't come about with a server, or not as the policy wants it. Knows no OpenSSL, no wording of a dialect and no consequence.

/// What was wrong. None of it is a server's word on mail, so none of it is for good.
public enum TLSTrouble: Error, Equatable, Sendable {
  /// The server lists no STARTTLS.
  case notOffered
  /// It lists STARTTLS, and refuses it.
  case refused(Reply)
  /// Bytes came before the handshake: meant to pass for something that was said under its protection.
  case earlyBytes
  /// The conversation broke between STARTTLS, or the connection, and the end of the handshake.
  case broken(ConversationError)
  /// The server sent no certificate.
  case noCertificate
  /// The certificate's chain doesn't verify, and why.
  case chain(String)
  /// The certificate is for other names: these, if they are known.
  case name([Bytes])
  case pinMismatch
  /// The pin is of no length that a known digest has.
  case unknownDigest
  /// No TLSA record is one of the certificate.
  case certificateNotInRecords
  /// TLSA records name an authority, and nothing that the server sent leads to it.
  case authorityNotInChain
  /// Something of ours is wrong; no server was needed to find out.
  case setup(TLSSetupProblem)
}

/// What of ours can't be used. Files are named, passwords never.
public enum TLSSetupProblem: Equatable, Sendable {
  /// Each with what the library or the system said of it.
  case library(String)
  case context(String)
  case certificate(Bytes, String)
  case key(Bytes, String)
  /// The key in this file is of another certificate.
  case keyMismatch(Bytes)
  case ciphers(Bytes)
  case anchors(TLSPolicy.Anchors, String)

  /// It is so with every server.
  var isCommon: Bool {
    switch self {
    case .library, .context, .certificate, .key, .keyMismatch: true
    case .ciphers, .anchors: false
    }
  }
}

extension TLSTrouble {
  /// In a few words, for the end of a sentence.
  var words: Bytes {
    switch self {
    case .notOffered: Bytes("the server offers no STARTTLS")
    case .refused(let reply): Bytes("STARTTLS was refused: ") + (reply.shown.split(separator: UInt8(ascii: "\n")).first ?? [])
    case .earlyBytes: Bytes("bytes came before the TLS handshake")
    case .broken(.transport(let error)): Bytes("the TLS handshake failed: \(error.words)")
    case .broken(.malformed): Bytes("the answer to STARTTLS was not SMTP")
    case .noCertificate: Bytes("the server sent no certificate")
    case .chain(let reason): Bytes(reason)
    case .name(let names) where names.isEmpty: Bytes("the certificate is for another name")
    case .name(let names): Bytes("the certificate is for ") + Bytes(names.map(\.printable).joined(separator: Bytes(", ")))
    case .pinMismatch: Bytes("the certificate is not the one of the fingerprint")
    case .unknownDigest: Bytes("no digest has the length of the fingerprint")
    case .certificateNotInRecords: Bytes("the certificate matches no TLSA record")
    case .authorityNotInChain: Bytes("no certificate matches the TLSA records of authorities")
    case .setup(let problem): problem.words
    }
  }
}

extension TLSSetupProblem {
  var words: Bytes {
    switch self {
    case .library(let reason), .context(let reason): Bytes(reason)
    case .certificate(let file, let reason), .key(let file, let reason): file.printable + Bytes(": \(reason)")
    case .keyMismatch(let file): file.printable + Bytes(": the key of another certificate")
    case .ciphers(let list): list.printable + Bytes(": no such ciphers")
    case .anchors(let anchors, let reason): anchors.path.printable + Bytes(": \(reason)")
    }
  }
}

extension TLSPolicy.Anchors {
  /// Debian's, and of others who have OpenSSL's hashed links there.
  private static let systemDirectory = Bytes("/etc/ssl/certs")

  /// The file or the directory.
  var path: Bytes {
    switch self {
    case .system: TLSPolicy.Anchors.systemDirectory
    case .file(let path), .directory(let path): path
    }
  }
}
