import Testing

@testable import Agent

@Suite struct AddressTests {
  @Test(
    "the local part is quoted where RFC 5321 demands it",
    arguments: [
      ("", ""), ("user@example.org", "user@example.org"), ("User@Example.ORG", "User@Example.ORG"),
      ("postmaster", "postmaster"),
      ("a b", "a b"), ("a b@x", "\"a b\"@x"), ("@x", "\"\"@x"), (".a@x", "\".a\"@x"), ("a.@x", "\"a.\"@x"),
      ("a..b@x", "\"a..b\"@x"), ("a.b.c@x", "a.b.c@x"), ("a@b@x", "\"a@b\"@x"), ("a\"b@x", "\"a\\\"b\"@x"),
      ("a\\b@x", "\"a\\\\b\"@x"), ("a(b)@x", "\"a(b)\"@x"), ("a,b:c;d<e>f[g]@x", "\"a,b:c;d<e>f[g]\"@x"),
      ("!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~@x"), ("a\tb@x", "\"a\tb\"@x"), ("a\u{7f}b@x", "\"a\u{7f}b\"@x"),
      ("jos\u{e9}@x", "\"jos\u{e9}\"@x"), ("a@[192.0.2.1]", "a@[192.0.2.1]"), ("a@", "a@"),
    ])
  func quoting(_ raw: String, _ mailbox: String) { #expect(Address(bytes(raw)).mailbox.text == mailbox) }

  @Test("the domain is what follows the last at sign")
  func domain() {
    #expect(Address(bytes("a@b@c")).domain.map(Array.init) == bytes("c"))
    #expect(Address(bytes("a@")).domain.map(Array.init) == [])
    #expect(Address(bytes("a")).domain == nil)
    #expect(Address([]).isNull)
    #expect(!Address(bytes("@")).isNull)
  }

  @Test(
    "what no command line can carry is refused",
    arguments: [
      ("a\rb@x", true), ("a\nb@x", true), ("a\0b@x", true), ("a@x\r\nDATA", true), ("a\tb@x", false), ("", false),
      (String(repeating: "l", count: 65) + "@x", false), ("a@" + String(repeating: "d", count: 255), false),
      ("a@" + String(repeating: "d", count: 256), true), (String(repeating: "l", count: 984) + "@x", false),
      (String(repeating: "l", count: 985) + "@x", true), (String(repeating: "\"", count: 600) + "@x", true),
    ])
  func refusal(_ raw: String, _ refused: Bool) { #expect((Address(bytes(raw)).fault(as: .sender) != nil) == refused) }
}

@Suite struct DomainTests {
  @Test(
    "host operands that are address literals",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("[192.0.2.1]", "192.0.2.1"), ("010.0.0.1", "10.0.0.1"), ("[2001:db8::1]", "2001:db8::1"),
      ("[IPv6:2001:db8::1]", "2001:db8::1"), ("[ipv6:::1]", "::1"), ("[::ffff:192.0.2.1]", "::ffff:192.0.2.1"),
    ])
  func literal(_ text: String, _ expected: String) { #expect(Domain(bytes(text)).literal?.text == expected) }

  @Test(
    "host operands that are not",
    arguments: [
      "", "example.org", "256.0.0.1", "1.2.3", "1.2.3.4.5", "[192.0.2.1", "192.0.2.1]", "[]", "[x]", "2001:db8::1",
      "[IPv6:192.0.2.1]", "[:::1]", "1.2.3.4x", "1..2.3", "99999999999999999999.1.1.1", "[2001:db8::1%eth0]", "[1.2.3.4]x",
    ])
  func name(_ text: String) { #expect(Domain(bytes(text)).literal == nil) }
}

@Suite struct EnvelopeTests {
  private func envelope(_ operands: [String], _ convention: ArgumentConvention) throws(DeliveryFailure) -> Envelope {
    try Envelope(operands: operands.map(bytes), convention: convention)
  }

  @Test("operands of the stock convention")
  func stock() throws {
    let envelope = try envelope(["h", "s@x", "r@y", "q@z"], .stock)
    #expect(envelope.host.text.text == "h")
    #expect(envelope.sender.mailbox.text == "s@x")
    #expect(envelope.recipients.map(\.mailbox.text) == ["r@y", "q@z"])
    #expect(envelope.declaredSize == nil && envelope.extraHeader.isEmpty)
  }

  @Test(
    "operands of the indimail convention",
    arguments: [("99", "99"), ("", nil), ("9x", nil), ("-1", nil)] as [(String, String?)])
  func indimail(_ size: String, _ declared: String?) throws {
    let envelope = try envelope(["h", "", "X-Q: v\n", size, "r@y"], .indimail)
    #expect(envelope.sender.isNull)
    #expect(envelope.extraHeader.text == "X-Q: v\n")
    #expect(envelope.declaredSize?.text == declared)
    #expect(envelope.recipients.count == 1)
  }

  @Test(
    "refusals and their status",
    arguments: [
      ([], .stock, "5.3.5"), (["h"], .stock, "5.3.5"), (["h", "s"], .stock, "5.3.5"),
      (["h", "s", "q", "1"], .indimail, "5.3.5"), (["h", "s\n@x", "r@y"], .stock, "5.1.7"),
      (["h", "s@x", "r@y", "r\r@y"], .stock, "5.1.3"), (["h\nx", "s@x", "r@y"], .stock, "5.1.3"),
      ([String(repeating: "h", count: 256), "s@x", "r@y"], .stock, "5.1.3"),
    ] as [([String], ArgumentConvention, String)])
  func refusals(_ operands: [String], _ convention: ArgumentConvention, _ status: String) {
    #expect { try envelope(operands, convention) } throws: { ($0 as? DeliveryFailure)?.status.description == status }
  }
}
