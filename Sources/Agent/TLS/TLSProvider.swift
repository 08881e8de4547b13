// What puts TLS over a connection, as a session sees it. A test brings its own.

/// Makes ready for handshakes.
public protocol TLSProvider {
  /// Everything that no server is needed for: the library, our own certificate, what is trusted.
  /// - Throws: `.setup` and `.unknownDigest` only.
  func prepare(_ policy: TLSPolicy, _ settings: TLSSettings) throws(TLSTrouble) -> any TLSClient
}

/// Ready for a handshake with one server.
public protocol TLSClient: AnyObject {
  /// The handshake, and whether the server is who the policy wants. The stream must not be used for anything else afterwards, come what may.
  /// - Throws: why there is no TLS that the policy would do with.
  func secure(_ stream: any ByteStream, by deadline: Deadline) throws(TLSTrouble) -> SecuredConnection
}

/// A connection under TLS.
public struct SecuredConnection {
  public let stream: any ByteStream
  public let facts: TLSFacts

  public init(stream: any ByteStream, facts: TLSFacts) {
    self.stream = stream
    self.facts = facts
  }
}
