// Digests, plain and keyed, through libcrypto. The only file that knows the library; it knows nothing of what is digested.
internal import CCrypto

/// An algorithm that makes a short value of bytes.
package enum Digest: String, CaseIterable, Sendable {
  // The raw value is OpenSSL's name.
  case md5 = "MD5"
  case sha1 = "SHA1"
  case sha224 = "SHA2-224"
  case sha256 = "SHA2-256"
  case sha384 = "SHA2-384"
  case sha512 = "SHA2-512"
  case ripemd160 = "RIPEMD-160"

  /// The digest of `bytes`.
  /// - Throws: 4.3.0 when the library, or this digest of it, isn't there: RIPEMD-160 came with OpenSSL 3.0.7, MD5 may be forbidden.
  package static func hash(_ digest: Digest, _ bytes: Bytes) throws(DeliveryFailure) -> Bytes {
    try unsafe digest.run { result, problem in
      unsafe bytes.withUnsafeBytes { unsafe ccrypto_digest(digest.rawValue, $0.baseAddress, $0.count, result, problem) }
    }
  }

  /// RFC 2104's keyed digest of `bytes`. No copy of the key is made.
  /// - Throws: as `hash`.
  package static func hmac(_ digest: Digest, key: Bytes, _ bytes: Bytes) throws(DeliveryFailure) -> Bytes {
    try unsafe digest.run { result, problem in
      unsafe key.withUnsafeBytes { key in
        unsafe bytes.withUnsafeBytes { bytes in
          let key = unsafe ccrypto_key(bytes: key.baseAddress, count: key.count)
          return unsafe ccrypto_hmac(digest.rawValue, key, bytes.baseAddress, bytes.count, result, problem)
        }
      }
    }
  }

  private typealias Computation = (
    _ result: UnsafeMutablePointer<UInt8>?, _ problem: UnsafeMutablePointer<UnsafePointer<CChar>?>
  ) -> Int

  private func run(_ computation: Computation) throws(DeliveryFailure) -> Bytes {
    var problem: UnsafePointer<CChar>?
    var result = Bytes(repeating: 0, count: Int(ccrypto_digest_limit))
    let count = unsafe result.withUnsafeMutableBufferPointer { unsafe computation($0.baseAddress, &problem) }
    guard count > 0 else {
      let reason = unsafe problem.map { unsafe String(cString: $0) } ?? ""
      throw .libraryMissing("\(reason) (\(rawValue))")
    }
    return Bytes(result.prefix(count))
  }
}
