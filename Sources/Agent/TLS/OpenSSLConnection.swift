// One TLS connection of OpenSSL's, without a socket: bytes are fed and taken. The only owner of its handle.
internal import COpenSSL

/// Owns an `SSL`.
@safe final class OpenSSLConnection {
  enum Progress: Equatable {
    case done
    case wantsInput
    /// The other side has said that it sends no more.
    case ended
    case failed(String)
  }

  private let handle: OpaquePointer

  /// nil without memory.
  /// - Parameter context: an `SSL_CTX`; it may go before the connection does.
  init?(_ context: OpaquePointer) {
    guard let handle = unsafe copenssl_connection_new(context) else { return nil }
    unsafe self.handle = handle
  }

  deinit { unsafe copenssl_connection_free(handle) }

  // MARK: before the handshake

  /// The name that the server is asked for, without the root's dot (RFC 6066 section 3). One that can't be asked for is not.
  func ask(for name: Bytes) {
    let isRooted = name.last == UInt8(ascii: ".")
    _ = unsafe copenssl_ask_for(handle, (isRooted ? name.dropLast() : name).terminated)
  }

  /// A handshake whose chain doesn't verify fails.
  func demandChain() { unsafe copenssl_demand_chain(handle) }

  /// The chain has to verify by TLSA records.
  /// - Returns: the records that can be used; none, and the connection is of no use.
  func useRecords(_ policy: TLSPolicy) -> [TLSARecord] {
    guard unsafe copenssl_use_dane(handle, policy.tlsaBase.terminated) == 1 else { return [] }
    for name in policy.tlsaNames { _ = unsafe copenssl_add_name(handle, name.terminated) }
    return policy.tlsa.filter { record in
      // RFC 7672 section 3.1.3: the other usages mean nothing to SMTP.
      guard record.usage == 2 || record.usage == 3 else { return false }
      return unsafe record.association.withUnsafeBytes { bytes in
        var described = unsafe copenssl_record(
          usage: record.usage, selector: record.selector, matching: record.matching, association: bytes.baseAddress,
          count: bytes.count)
        return unsafe copenssl_add_record(handle, &described) > 0
      }
    }
  }

  // MARK: bytes

  private func progress(_ progress: copenssl_progress) -> Progress {
    switch progress {
    case copenssl_done: .done
    case copenssl_wants_input: .wantsInput
    case copenssl_ended: .ended
    default: .failed(OpenSSL.reason)
    }
  }

  func handshake() -> Progress { unsafe progress(copenssl_handshake(handle)) }

  /// A record holds up to 16 kB; replies are shorter.
  private static let readSize = 4_096

  /// Appends bytes that the other side has sent, if there are any.
  func read(into buffer: inout Bytes) -> Progress {
    var result = Progress.wantsInput
    let block = unsafe Bytes(unsafeUninitializedCapacity: OpenSSLConnection.readSize) { space, count in
      result = unsafe progress(copenssl_read(handle, space.baseAddress, space.count, &count))
      if result != .done { count = 0 }
    }
    if buffer.isEmpty { buffer = block } else { buffer += block }
    return result
  }

  func write(_ bytes: ArraySlice<UInt8>) -> Progress {
    unsafe bytes.withUnsafeBytes { unsafe progress(copenssl_write(handle, $0.baseAddress, $0.count)) }
  }

  /// Says that we send no more.
  func end() { unsafe copenssl_end(handle) }

  /// Bytes that came from the other side.
  func feed(_ bytes: Bytes) -> Progress {
    let isFed = unsafe bytes.withUnsafeBytes { unsafe copenssl_feed(handle, $0.baseAddress, $0.count) } == 1
    return isFed ? .done : .failed("no memory")
  }

  /// Appends the bytes that are to go to the other side.
  func takeOutput(into buffer: inout Bytes) {
    let waiting = unsafe copenssl_output_count(handle)
    guard waiting > 0 else { return }
    let block = unsafe Bytes(unsafeUninitializedCapacity: waiting) { space, count in
      count = unsafe copenssl_take_output(handle, space.baseAddress, space.count)
    }
    if buffer.isEmpty { buffer = block } else { buffer += block }
  }

  // MARK: what came of it

  enum Chain: Equatable {
    case verified
    case noRecord
    case otherName
    case unverified(String)
  }

  /// What the handshake said of the server's chain.
  var chain: Chain { unsafe OpenSSLConnection.chain { unsafe copenssl_chain(handle, $0) } }

  /// What the context's anchors say of it, whatever TLSA records do.
  func chain(by context: OpaquePointer) -> Chain {
    unsafe OpenSSLConnection.chain { unsafe copenssl_chain_by_anchors(handle, context, $0) }
  }

  private static func chain(_ ask: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> copenssl_chain) -> Chain {
    var words: UnsafePointer<CChar>?
    switch unsafe ask(&words) {
    case copenssl_chain_verified: return .verified
    case copenssl_chain_no_record: return .noRecord
    case copenssl_chain_other_name: return .otherName
    default: return .unverified(unsafe words.map { unsafe String(cString: $0) } ?? "")
    }
  }

  /// nil if the server sent none.
  var certificate: PeerCertificate? { unsafe copenssl_peer_certificate(handle).map(PeerCertificate.init) }

  var version: String { unsafe String(cString: copenssl_version(handle)) }

  var cipher: String { unsafe copenssl_cipher(handle).map { unsafe String(cString: $0) } ?? "" }

  /// What an authentication can be bound to.
  var channelBinding: ChannelBindingData? {
    var bytes = Bytes(repeating: 0, count: Int(copenssl_binding_limit))
    var count = unsafe copenssl_exporter(handle, &bytes)
    if count > 0 { return .tlsExporter(Bytes(bytes.prefix(count))) }
    count = unsafe copenssl_finished(handle, &bytes)
    return count > 0 ? .tlsUnique(Bytes(bytes.prefix(count))) : nil
  }
}

extension Bytes {
  /// For C. What stands behind a null byte is lost; names and paths have none.
  var terminated: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}
