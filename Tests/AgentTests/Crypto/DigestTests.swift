// Digests against the vectors of the documents that define them.
import Testing

@testable import Agent

@Suite struct DigestTests {
  /// RFC 1321 A.5, RFC 3174 7.3, FIPS 180-4 (RFC 6234 8.5), and the RIPEMD-160 paper: "abc" and the empty text.
  static let plain: [(Digest, String, String)] = [
    (.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
    (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
    (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
    (.sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (.sha224, "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha384, "abc",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
    ),
    (
      .sha512, "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    (.ripemd160, "", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
    (.ripemd160, "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
  ]

  @Test(arguments: plain) func digest(_ algorithm: Digest, _ text: String, _ expected: String) throws {
    #expect(try Digest.hash(algorithm, bytes(text)).hex == expected)
  }

  static let what = "what do ya want for nothing?"

  /// RFC 2202 (MD5, SHA-1), RFC 2286 (RIPEMD-160), RFC 4231 (the SHA-2 family): each one's second test, with the key "Jefe".
  static let keyed: [(Digest, String)] = [
    (.md5, "750c783e6ab0b503eaa86e310a5db738"),
    (.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    (.ripemd160, "dda6c0213a485a9e24f4742064a7f033b43c4069"),
    (.sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
    (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    (.sha384, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
    (
      .sha512,
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    ),
  ]

  @Test(arguments: keyed) func keyedDigest(_ algorithm: Digest, _ expected: String) throws {
    #expect(try Digest.hmac(algorithm, key: bytes("Jefe"), bytes(DigestTests.what)).hex == expected)
  }

  /// RFC 2202 and RFC 4231, sixth test: a key longer than a block is digested first.
  @Test func longKey() throws {
    let text = bytes("Test Using Larger Than Block-Size Key - Hash Key First")
    let key = Bytes(repeating: 0xaa, count: 80)
    #expect(try Digest.hmac(.sha1, key: key, text).hex == "aa4ae5e15272d00e95705637ce8a3b55ed402112")
    #expect(try Digest.hmac(.md5, key: key, text).hex == "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd")
    #expect(
      try Digest.hmac(.sha256, key: Bytes(repeating: 0xaa, count: 131), text).hex
        == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  /// An empty key is none of the last call's, and an empty text is a text.
  @Test func emptyKey() throws {
    _ = try Digest.hmac(.sha256, key: bytes("Jefe"), bytes(DigestTests.what))
    #expect(
      try Digest.hmac(.sha256, key: [], []).hex == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }
}

extension Bytes {
  fileprivate var hex: String {
    let digits = Bytes("0123456789abcdef")
    return flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }.text
  }
}
