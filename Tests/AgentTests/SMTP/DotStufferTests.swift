import Testing

@testable import Agent

/// What the encoder must give, one byte at a time and without a thought for speed.
private func reference(_ message: [UInt8], dots: Bool) -> [UInt8] {
  var lines: [[UInt8]] = [[]]
  var previous: UInt8 = 0
  for byte in message {
    if byte == 13 || (byte == 10 && previous != 13) {
      lines.append([])
    } else if byte != 10 {
      lines[lines.count - 1].append(byte)
    }
    previous = byte
  }
  let stuffed = lines.map { dots && $0.first == UInt8(ascii: ".") ? [UInt8(ascii: ".")] + $0 : $0 }
  return Array(stuffed.joined(separator: [13, 10]))
}

@Suite struct DotStufferTests {
  private func encode(_ pieces: [[UInt8]], _ framing: DotStuffer.Framing) -> (bytes: [UInt8], complete: Bool) {
    var stuffer = DotStuffer(framing: framing)
    var output: [UInt8] = []
    var count = 0
    for piece in pieces { stuffer.encode(piece[...], into: &output, count: &count) }
    return (Array(output[..<count]), stuffer.isAtLineStart)
  }

  @Test(
    "line ends and dots",
    arguments: [
      ("", ""), (".\n", "..\r\n"), ("a\r.\nX\n", "a\r\n..\r\nX\r\n"), ("a\r\n", "a\r\n"), ("a\n\nb\n", "a\r\n\r\nb\r\n"),
      ("\r\r\n", "\r\n\r\n"),
      ("..\n.a\na.b\n", "...\r\n..a\r\na.b\r\n"), ("\n.\n", "\r\n..\r\n"), ("a\r", "a\r\n"), ("a\r\r.\n", "a\r\n\r\n..\r\n"),
      ("\n\r", "\r\n\r\n"),
      ("a\u{0}b\n", "a\u{0}b\r\n"),
    ])
  func vectors(_ message: String, _ wire: String) {
    #expect(encode([bytes(message)], .data).bytes == bytes(wire))
    #expect(reference(bytes(message), dots: true) == bytes(wire))
  }

  @Test("a chunk keeps its dots", arguments: [(".\n.a\n", ".\r\n.a\r\n"), ("a\r.\n", "a\r\n.\r\n")])
  func chunk(_ message: String, _ wire: String) { #expect(encode([bytes(message)], .chunk).bytes == bytes(wire)) }

  @Test(
    "whether the last line is whole",
    arguments: [("", true), ("a", false), ("a\n", true), ("a\r", true), (".", false), ("a\n.", false)])
  func completeness(_ message: String, _ complete: Bool) { #expect(encode([bytes(message)], .data).complete == complete) }

  @Test("every message of five of the bytes that matter, cut anywhere")
  func exhaustive() {
    let alphabet = bytes("\r\n.a")
    for number in 0..<1_024 {
      let message = (0..<5).map { alphabet[number >> (2 * $0) & 3] }
      let expected = reference(message, dots: true)
      for cut in 0...5 {
        #expect(encode([Array(message[..<cut]), Array(message[cut...])], .data).bytes == expected, "\(message) cut at \(cut)")
      }
    }
  }

  @Test("random messages in random pieces", arguments: 0..<200)
  func random(_ seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let alphabet = bytes("\r\n\n.ab") + [0, 0xe9]
    let length = Int.random(in: 0..<3_000, using: &generator)
    // Half of the messages are without CR: the fast way.
    let message = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }.filter { seed % 2 == 0 || $0 != 13 }
    var pieces: [[UInt8]] = []
    var rest = message[...]
    while !rest.isEmpty {
      let count = min(rest.count, Int.random(in: 1..<500, using: &generator))
      pieces.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    #expect(encode(pieces, .data).bytes == reference(message, dots: true))
    #expect(encode(pieces, .chunk).bytes == reference(message, dots: false))
  }
}

/// A message in memory, given out in pieces of a size.
struct MemorySource: MessageSource {
  final class Position { var offset = 0 }
  let bytes: [UInt8]
  let isFile: Bool
  var pieceSize = Int.max
  var failsAt = Int.max
  let position = Position()

  var size: Int? { isFile ? bytes.count : nil }

  func read(limit: Int) -> [UInt8]? {
    if position.offset >= failsAt { return nil }
    let piece = bytes[position.offset...].prefix(min(limit, pieceSize))
    position.offset += piece.count
    return Array(piece)
  }

  func peek(at offset: Int, limit: Int) -> [UInt8]? {
    isFile ? Array(bytes[min(offset, bytes.count)...].prefix(limit)) : nil
  }

  func seek(to offset: Int) -> Bool {
    if isFile { position.offset = offset }
    return isFile
  }
}

@Suite struct BodyWriterTests {
  private func write(_ message: Message) throws(DeliveryFailure) -> [[UInt8]] {
    try message.prepare()
    var writer = BodyWriter(message)
    var pieces: [[UInt8]] = []
    while true {
      let piece = try writer.next()
      pieces.append(Array(piece.bytes))
      if piece.isLast { return pieces }
    }
  }

  @Test("a small message goes out in one piece with its dot", arguments: [true, false])
  func small(_ isFile: Bool) throws {
    #expect(try write(Message(MemorySource(bytes: bytes("a\n"), isFile: isFile))) == [bytes("a\r\n.\r\n")])
    #expect(try write(Message(MemorySource(bytes: [], isFile: isFile))) == [bytes(".\r\n")])
  }

  @Test("large messages arrive whole", arguments: [65_534, 65_535, 65_536, 65_537, 131_072, 300_001], [true, false])
  func large(_ count: Int, _ isFile: Bool) throws {
    let message = [UInt8](repeating: UInt8(ascii: "x"), count: count - 1) + [10]
    for pieceSize in [Int.max, 1_000] {
      let source = MemorySource(bytes: message, isFile: isFile, pieceSize: pieceSize)
      #expect(try write(Message(source)).flatMap(\.self) == message.dropLast() + bytes("\r\n.\r\n"))
    }
  }

  @Test("the extra header stands in front, with a line end of its own", arguments: ["X: y\n", "X: y", "X: y\r\n"])
  func extraHeader(_ header: String) throws {
    let message = Message(MemorySource(bytes: bytes(".a\n"), isFile: true), extraHeader: bytes(header))
    #expect(try write(message) == [bytes("X: y\r\n..a\r\n.\r\n")])
  }

  @Test("a partial last line is seen before, or at the latest before the dot", arguments: [1, 70_000], [true, false])
  func partial(_ count: Int, _ isFile: Bool) {
    let source = MemorySource(bytes: [UInt8](repeating: 65, count: count), isFile: isFile)
    #expect { try write(Message(source)) } throws: { ($0 as? DeliveryFailure) == .partialLastLine }
  }

  @Test("a read error is never the end of a message", arguments: [0, 1_000, 80_000])
  func readError(_ failsAt: Int) {
    let source = MemorySource(bytes: [UInt8](repeating: 10, count: 200_000), isFile: false, pieceSize: 1_000, failsAt: failsAt)
    #expect { try write(Message(source)) } throws: { ($0 as? DeliveryFailure) == .messageUnreadable }
  }

  @Test(
    "8-bit bytes are found wherever they are",
    arguments: [
      (0, true, true), (65_536, true, true), (199_999, true, true), (-1, true, false), (-1, false, true), (5, false, true),
    ])
  func eightBit(_ position: Int, _ isFile: Bool, _ expected: Bool) throws {
    var content = [UInt8](repeating: 65, count: 200_000) + [10]
    if position >= 0 { content[position] = 0xe9 }
    let message = Message(MemorySource(bytes: content, isFile: isFile))
    try message.prepare()
    #expect(message.mayHaveEightBitBytes() == expected)
  }
}
