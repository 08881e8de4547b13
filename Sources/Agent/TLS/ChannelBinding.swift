// What a secured connection offers to bind an authentication to it, so that a machine between us and the server can't pass it on. Knows no
// mechanism and no library.

/// A byte stream under TLS.
public protocol ChannelBinding: ByteStream {
  /// nil when this connection has none that is safe to use.
  var channelBinding: ChannelBindingData? { get }
}

/// Bytes that only the two ends of one TLS connection know.
public enum ChannelBindingData: Equatable, Sendable {
  /// RFC 9266: 32 bytes of keying material, label `EXPORTER-Channel-Binding`, no context. For TLS 1.3.
  case tlsExporter(Bytes)
  /// RFC 5929 section 3: the first Finished message of the handshake. For TLS 1.2, and only with the extended master secret (RFC 7627):
  /// without it, two connections can be made to have the same.
  case tlsUnique(Bytes)

  /// Its name in IANA's registry.
  package var name: String {
    switch self {
    case .tlsExporter: "tls-exporter"
    case .tlsUnique: "tls-unique"
    }
  }

  package var bytes: Bytes {
    switch self {
    case .tlsExporter(let bytes), .tlsUnique(let bytes): bytes
    }
  }
}
