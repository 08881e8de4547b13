// Names as text and on the wire: RFC 1035 sections 3.1 and 5.1.
import Testing

@testable import Agent

@Suite struct DNSNameTests {
  @Test(
    arguments: [
      ("a.example", [1, 97, 7] + bytes("example") + [0]), ("a.example.", [1, 97, 7] + bytes("example") + [0]), ("", [0]),
      ("a\\.b", [3, 97, 46, 98, 0]), ("a\\046b", [3, 97, 46, 98, 0]), ("\\000\\255", [2, 0, 255, 0]), ("\\\\", [1, 92, 0]),
      ("a b", [3, 97, 32, 98, 0]), (".", nil), ("..", nil), ("a..b", nil), (".a", nil), ("a\\", nil), ("a\\25", nil),
      ("a\\256", nil), ("a\\2x5", nil),
    ] as [(String, [UInt8]?)])
  func `on the wire`(_ text: String, _ wire: [UInt8]?) { #expect(DNSName.wire(of: bytes(text)) == wire) }

  @Test func `labels of 63 bytes and names of 255`() {
    let label = String(repeating: "x", count: 63)
    #expect(DNSName.wire(of: bytes(label))?.count == 65)
    #expect(DNSName.wire(of: bytes(label + "x")) == nil)
    let long = [label, label, label].joined(separator: ".")
    #expect(DNSName.wire(of: bytes(long + "." + label.dropLast(2)))?.count == 255)
    #expect(DNSName.wire(of: bytes(long + "." + label.dropLast(1))) == nil)
    // An escaped byte is one.
    #expect(DNSName.wire(of: bytes(String(repeating: "\\001", count: 63)))?.count == 65)
  }

  @Test(
    arguments: [
      ("a\\.b", "a\\046b"), ("a b.", "a\\032b"), ("A.Example", "A.Example"), ("\\097", "a"), ("a..b", "a..b"),
      ("\\\\", "\\092"),
    ])
  func `one text for each name`(_ text: String, _ canonical: String) {
    #expect(DNSName.canonical(bytes(text)) == bytes(canonical))
  }

  /// RFC 1035 section 4.1.1, RFC 6840 section 5.7, RFC 6891 section 6.1.2.
  @Test func `a query, to the byte`() {
    let plain: [UInt8] = [0x12, 0x34, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 15, 0, 1]
    #expect(DNSQuestion(bytes("a"), .mx).query(id: 0x1234, hasEDNS: false) == plain)
    var extended = plain + [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]
    extended[11] = 1
    #expect(DNSQuestion(bytes("a"), .mx).query(id: 0x1234, hasEDNS: true) == extended)
    #expect(DNSQuestion(bytes("a..b"), .mx).query(id: 1, hasEDNS: true) == nil)
  }
}
