import Testing

@testable import Agent

@Suite struct Base64Tests {
  /// RFC 4648 section 10.
  @Test(
    "the standard's vectors, both ways",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectors(_ plain: String, _ text: String) {
    #expect(Base64.encode(bytes(plain)).text == text)
    #expect(Base64.decode(bytes(text)) == bytes(plain))
    #expect(Base64.encodedCount(plain.utf8.count) == text.utf8.count)
  }

  @Test func `every byte and every letter`() {
    for length in 0..<4 {
      let all = Bytes(0...255) + Bytes(repeating: 255, count: length)
      #expect(Base64.decode(Base64.encode(all)) == all)
    }
    let alphabet = bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    #expect(Base64.decode(alphabet).map { Base64.encode($0) } == alphabet)
  }

  @Test(
    "what isn't base64 is nothing",
    arguments: [
      "Z", "Zg", "Zg=", "Zg===", "=Zg=", "====", "Z===", "Zm9", "Zm9v=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9-", "Zm9_",
      "Z=g=",
      "Zg==Zg==", "\u{e4}m9v",
    ])
  func refused(_ text: String) { #expect(Base64.decode(bytes(text)) == nil) }
}
