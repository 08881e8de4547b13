import Testing

@testable import Agent

@Suite struct ReplyTests {
  /// Feeds lines; the reply's code and text, or what was malformed.
  private func parse(_ lines: [String]) -> String {
    var parser = ReplyParser()
    do {
      for line in lines {
        if let reply = try parser.take(bytes(line)[...]) { return "\(reply.code) \(reply.text.text)" }
      }
      return "unfinished"
    } catch {
      return "malformed"
    }
  }

  @Test(
    "replies and what isn't one",
    arguments: [
      (["250 ok\r"], "250 250 ok\n"), (["250 ok"], "250 250 ok\n"), (["250"], "250 250\n"), (["250\r"], "250 250\n"),
      (["250-a\r", "250 b\r"], "250 250-a\n250 b\n"), (["250-a", "251 b"], "251 250-a\n251 b\n"),
      (["250-a", "550 b"], "malformed"),
      (["250-a", "350 b"], "malformed"), (["25"], "malformed"), (["2 5 0"], "malformed"), (["abc"], "malformed"),
      ([""], "malformed"),
      (["199 x"], "malformed"), (["600 x"], "malformed"), (["999 x"], "malformed"), (["000 x"], "malformed"),
      (["250x"], "malformed"), (["550x"], "malformed"), (["354x"], "malformed"),
      (["2500 x"], "malformed"), (["-25 x"], "malformed"), ([" 250 x"], "malformed"), (["250\tx"], "malformed"),
      (["250-x"], "unfinished"),
      (["250- x", "250-"], "unfinished"), (["354 go"], "354 354 go\n"), (["2\r50 ok"], "250 250 ok\n"),
      (["550-", "550"], "550 550-\n550\n"),
    ])
  func parser(_ lines: [String], _ expected: String) { #expect(parse(lines) == expected) }

  @Test("an endless reply is none")
  func endless() {
    #expect(parse([String](repeating: "250-x", count: ReplyParser.lineLimit + 1)) == "malformed")
    #expect(parse([String](repeating: "250-" + String(repeating: "x", count: 999), count: 100)) == "malformed")
    #expect(parse([String](repeating: "250-x", count: 900) + ["250 x"]).hasPrefix("250 "))
  }

  @Test("the parser is fresh after each reply")
  func twice() throws {
    var parser = ReplyParser()
    #expect(try parser.take(bytes("550 no")[...])?.code == 550)
    #expect(try parser.take(bytes("250 ok")[...])?.text.text == "250 ok\n")
  }

  @Test(
    "the enhanced status counts only if its class agrees",
    arguments: [
      ("550 5.1.1 no", "5.1.1"), ("250 2.0.0 ok", "2.0.0"), ("450 5.1.1 no", nil), ("550 4.2.0 x", nil), ("550 5.1 x", nil),
      ("550 no", nil), ("550", nil), ("550 5.1.1234 x", nil), ("550-5.7.1 a\n550 5.7.2 b", "5.7.1"), ("354 3.0.0 x", nil),
    ] as [(String, String?)])
  func enhanced(_ text: String, _ status: String?) { #expect(reply(text).enhancedStatus?.description == status) }

  @Test("what a report shows of a reply")
  func shown() {
    #expect(reply("250 a\u{7}b\tc\u{7f}\u{e9}").shown == bytes("250 a?b\tc?\u{e9}\n"))
    #expect(reply("250-a\n250 b").shown.text == "250-a\n250 b\n")
    var parser = ReplyParser()
    _ = try? parser.take(bytes("550-" + String(repeating: "x", count: 4_000))[...])
    let long = try? parser.take(bytes("550 " + String(repeating: "y", count: 4_000))[...])
    #expect(long?.shown.count == 5_001 && long?.shown.last == 10)
  }
}

@Suite struct CapabilitiesTests {
  @Test(
    "keywords, whatever their case and parameters",
    arguments: [
      ("250 only the greeting", ""), ("250-PIPELINING\n250 x", ""), ("250-h\n250-PIPELINING\n250 SIZE 100", "pipelining size"),
      ("250-h\n250-pipelining\n250-Size\n250-8BitMime\n250 CHUNKING", "pipelining size 8bitmime chunking"),
      ("250-h\n250 SIZE=100", "size"),
      ("250-h\n250-PIPELININGX\n250 XSIZE", ""), ("250-h\n250 AUTH PIPELINING", ""), ("250-h\n250-\n250 SIZE\t1", "size"),
      ("250-h\n250", ""),
    ])
  func keywords(_ text: String, _ expected: String) {
    let found = Capabilities(reply(text))
    var words: [String] = []
    if found.pipelining { words.append("pipelining") }
    if found.size { words.append("size") }
    if found.eightBitMIME { words.append("8bitmime") }
    if found.chunking { words.append("chunking") }
    #expect(words.joined(separator: " ") == expected)
  }
}

@Suite struct CommandTests {
  @Test("no command holds a line end, whatever is put into it")
  func lineEnds() {
    let address = Address(bytes("a\r\nDATA\0@x"))
    for command in [
      Command.ehlo(bytes("a\r\nb")), .helo(bytes("a\nb")), .recipient(address, MailParameters()),
      .mail(address, MailParameters(size: bytes("1\r\n"))),
    ] {
      #expect(!command.line.contains { $0 == 13 || $0 == 10 || $0 == 0 })
      #expect(command.wire.suffix(2) == [13, 10])
    }
  }

  @Test("commands as they are written")
  func commands() {
    let sender = Address(bytes("s@x"))
    #expect(Command.mail(sender, MailParameters()).line.text == "MAIL FROM:<s@x>")
    #expect(
      Command.mail(sender, MailParameters(size: bytes("9"), body: .eightBitMIME)).line.text
        == "MAIL FROM:<s@x> SIZE=9 BODY=8BITMIME")
    #expect(Command.mail(Address([]), MailParameters()).line.text == "MAIL FROM:<>")
    #expect(Command.recipient(Address(bytes("a b@y")), MailParameters()).line.text == "RCPT TO:<\"a b\"@y>")
    #expect(Command.lastChunk(7).line.text == "BDAT 7 LAST")
  }
}
