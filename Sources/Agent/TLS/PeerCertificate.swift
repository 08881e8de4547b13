// Who a server says it is: its certificate, and whether that is for the names we know it by.
internal import COpenSSL

/// Owns an `X509`.
@safe final class PeerCertificate {
  /// How a name was found in it.
  enum Match {
    /// Letter for letter.
    case exact
    /// By a wildcard, or as part of a domain.
    case partial
  }

  private let handle: OpaquePointer

  init(_ handle: OpaquePointer) { unsafe self.handle = handle }

  deinit { unsafe copenssl_certificate_free(handle) }

  /// DER.
  var bytes: Bytes {
    let count = unsafe copenssl_certificate_bytes(handle, nil)
    return unsafe Bytes(unsafeUninitializedCapacity: count) { space, filled in
      filled = unsafe copenssl_certificate_bytes(handle, space.baseAddress)
    }
  }

  /// No report shows more.
  private static let namesLimit = 8_192

  /// Its dNSNames, else its common names; as they are, null bytes included.
  var names: [Bytes] {
    let list = unsafe Bytes(unsafeUninitializedCapacity: PeerCertificate.namesLimit) { space, count in
      count = unsafe copenssl_certificate_names(handle, space.baseAddress, space.count)
    }
    var rest = list[...]
    var names: [Bytes] = []
    while let high = rest.popFirst(), let low = rest.popFirst() {
      let length = Int(high) << 8 | Int(low)
      names.append(Bytes(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return names
  }

  /// - Returns: the strongest match of any of the names; nil for none.
  func match(_ wanted: [Bytes], _ matching: TLSPolicy.Matching) -> Match? {
    let wanted = wanted.compactMap(PeerCertificate.reference)
    if wanted.contains(where: { isFor($0, copenssl_matching_exact) }) { return .exact }
    switch matching {
    case .exact: return nil
    case .wildcard: return wanted.contains { isFor($0, copenssl_matching_wildcard) } ? .partial : nil
    case .partial:
      if wanted.contains(where: { isFor($0, copenssl_matching_wildcard) }) { return .partial }
      let names = names
      return wanted.contains { name in names.contains { PeerCertificate.isParent($0, of: name) } } ? .partial : nil
    }
  }

  /// A name to look for: OpenSSL takes a leading dot for "any host below", and the root's dot stands in no certificate.
  private static func reference(_ name: Bytes) -> Bytes? {
    let name = name.last == UInt8(ascii: ".") ? name.dropLast() : name[...]
    return name.isEmpty || name.first == UInt8(ascii: ".") ? nil : Bytes(name)
  }

  private func isFor(_ name: Bytes, _ matching: copenssl_matching) -> Bool {
    if let address = Domain(name).literal ?? IPAddress(name) {
      return unsafe copenssl_certificate_is_for_address(handle, Bytes(address.text).terminated) == 1
    }
    return unsafe copenssl_certificate_is_for(handle, name.terminated, name.count, matching) == 1
  }

  /// Whether a certificate's name is that of a domain above another, or of all hosts of that domain. Never of a top-level domain.
  private static func isParent(_ name: Bytes, of other: Bytes) -> Bool {
    let wildcard = Bytes("*.")
    let domain = name.starts(with: wildcard) ? name.dropFirst(wildcard.count) : name[...]
    guard domain.contains(UInt8(ascii: ".")), !domain.contains(0), domain.first != UInt8(ascii: ".") else { return false }
    return domain.equalsIgnoringCase(other) || other.suffix(domain.count + 1).equalsIgnoringCase(Bytes(".") + domain)
  }
}
