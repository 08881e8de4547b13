import Testing

@testable import Agent

@Suite struct IPAddressTests {
  @Test(
    "text in and out",
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
      ("2001:DB8::1", "2001:db8::1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
    ])
  func text(_ input: String, _ output: String) { #expect(IPAddress(bytes(input))?.text == output) }

  @Test(
    "no addresses", arguments: ["", ".", "1.2.3", "1.2.3.256", "1.2.3.-1", "a.b.c.d", ":", ":::", "1::2::3", "12345::", "::1 "])
  func refused(_ input: String) { #expect(IPAddress(bytes(input)) == nil) }

  @Test("other counts of bytes are no address", arguments: [0, 3, 5, 15, 17])
  func counts(_ count: Int) { #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil) }

  @Test("one host however it is written")
  func unmapped() {
    #expect(address("::ffff:192.0.2.1").unmapped == address("192.0.2.1"))
    #expect(address("2001:db8::1").unmapped == address("2001:db8::1"))
    #expect(address("127.8.9.1").isLoopback && address("::1").isLoopback && !address("::2").isLoopback)
    #expect(address("0.0.0.0").isUnspecified && address("::").isUnspecified && !address("0.0.0.1").isUnspecified)
  }

  @Test(
    "blocks",
    arguments: [
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.0/24", "192.0.2.255", true),
      ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.129", true),
      ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/33", "2001:db8:7fff::1", true),
      ("2001:db8::/33", "2001:db8:8000::1", false), ("::/0", "2001:db8::1", true), ("192.0.2.1/32", "192.0.2.1", true),
    ])
  func block(_ block: String, _ member: String, _ contained: Bool) throws {
    #expect(try #require(IPBlock(bytes(block))).contains(address(member)) == contained)
  }

  @Test(
    "no blocks", arguments: ["", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/x", "2001:db8::/129", "/8", "x/8", "192.0.2.0/-1"])
  func noBlock(_ text: String) { #expect(IPBlock(bytes(text)) == nil) }
}

@Suite struct DeadlineTests {
  private let start = Instant(nanoseconds: 1_000)

  @Test("poll gets milliseconds, rounded up, and -1 for never")
  func milliseconds() {
    #expect(Deadline.never.milliseconds(from: start) == -1)
    #expect(Deadline(nil, after: start).milliseconds(from: start) == -1)
    #expect(Deadline(.seconds(2), after: start).milliseconds(from: start) == 2_001)
    #expect(Deadline(.zero, after: start).milliseconds(from: start) == 0)
    #expect(Deadline(.nanoseconds(1), after: start).milliseconds(from: start) == 1)
    #expect(Deadline(.seconds(1 << 40), after: start).milliseconds(from: start) == Int32.max)
  }

  @Test("far deadlines saturate instead of overflowing", arguments: [Int64.max, Int64.max / 1_000_000_000, 1 << 50])
  func far(_ seconds: Int64) {
    let deadline = Deadline(.seconds(seconds), after: Instant(nanoseconds: Int64.max - 5))
    #expect(!deadline.hasPassed(at: Instant(nanoseconds: Int64.max - 1)))
  }

  @Test("the earlier of two, never being later than any")
  func earlier() {
    let one = Deadline(.seconds(1), after: start)
    let two = Deadline(.seconds(2), after: start)
    for deadline in [one.earlier(two), two.earlier(one), one.earlier(.never), Deadline.never.earlier(one)] {
      #expect(deadline.milliseconds(from: start) == 1_001)
    }
    #expect(one.hasPassed(at: start.advanced(by: .seconds(1))) && !two.hasPassed(at: start.advanced(by: .seconds(1))))
  }
}
