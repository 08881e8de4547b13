import Foundation
import Support
import Testing

@testable import Agent

@Suite struct PackageTests {
  private func write(
    _ message: Message, sender: String = "s@x", recipients: [String] = ["u@y"], length: Int? = nil
  ) throws(DeliveryFailure) -> [[UInt8]] {
    try message.prepare()
    try message.measure(Environment())
    let envelope = Envelope(
      host: Domain(bytes("y")), sender: Address(bytes(sender)), recipients: recipients.map { Address(bytes($0)) })
    var writer = PackageWriter(message, length: length ?? message.length ?? -1, envelope)
    var pieces: [[UInt8]] = []
    while true {
      let piece = try writer.next()
      pieces.append(Array(piece.bytes))
      if piece.isLast { return pieces }
    }
  }

  /// The packages of the specifications, in one piece.
  @Test(
    "packages",
    arguments: [
      ("hi\n", "s@x", ["u@y"], "4:\nhi\n,3:s@x,6:3:u@y,,"), ("", "", ["u@y"], "1:\n,0:,6:3:u@y,,"),
      ("hi", "s@x", ["u@y"], "3:\nhi,3:s@x,6:3:u@y,,"), ("\r\n.\r\n", "s@x", ["u@y"], "6:\n\r\n.\r\n,3:s@x,6:3:u@y,,"),
      ("hi\n", "a b@b.test", ["r r@x.test", "q@x.test"], "4:\nhi\n,10:a b@b.test,25:10:r r@x.test,8:q@x.test,,"),
      ("hi\n", "a\"\\@x", [".@y", "@y", "u"], "4:\nhi\n,5:a\"\\@x,15:3:.@y,2:@y,1:u,,"),
      ("hi\n", "s@b\u{fc}cher.test", ["j\u{f6}@y"], "4:\nhi\n,14:s@b\u{fc}cher.test,8:5:j\u{f6}@y,,"),
    ])
  func packages(_ message: String, _ sender: String, _ recipients: [String], _ expected: String) throws {
    for isFile in [true, false] {
      let message = Message(MemorySource(bytes: bytes(message), isFile: isFile))
      #expect(try write(message, sender: sender, recipients: recipients).map(\.text) == [expected])
    }
  }

  @Test("an internationalised domain goes as its A-label")
  func aLabels() throws {
    let address = try Address(bytes("j\u{f6} j@b\u{fc}cher.test")).withALabel()
    #expect(address.unquoted == bytes("j\u{f6} j@xn--bcher-kva.test"))
    #expect(address.mailbox == bytes("\"j\u{f6} j\"@xn--bcher-kva.test"))
  }

  @Test("the extra header counts, with a line end of its own", arguments: ["X: y\n", "X: y"])
  func extraHeader(_ header: String) throws {
    let message = Message(MemorySource(bytes: bytes("hi\n"), isFile: true), extraHeader: bytes(header))
    #expect(try write(message).map(\.text) == ["9:\nX: y\nhi\n,3:s@x,6:3:u@y,,"])
  }

  @Test(
    "large messages arrive whole, in pieces that are worth a system call",
    arguments: [65_534, 65_535, 65_536, 65_537, 131_072, 300_001], [true, false])
  func large(_ count: Int, _ isFile: Bool) throws {
    let content = (0..<count).map { UInt8($0 % 251) }
    for pieceSize in [Int.max, 1_000] {
      let message = Message(MemorySource(bytes: content, isFile: isFile, pieceSize: pieceSize), extraHeader: bytes("X: y\n"))
      let pieces = try write(message)
      #expect(pieces.flatMap(\.self) == bytes("\(count + 6):\nX: y\n") + content + bytes(",3:s@x,6:3:u@y,,"))
      #expect(pieces.dropLast().allSatisfy { $0.count >= Message.blockSize })
    }
  }

  @Test("a message that can't be read to its end has none", arguments: [0, 1_000, 80_000, 199_999], [true, false])
  func readError(_ failsAt: Int, _ isFile: Bool) {
    let source = MemorySource(bytes: [UInt8](repeating: 10, count: 200_000), isFile: isFile, pieceSize: 1_000, failsAt: failsAt)
    #expect { try write(Message(source)) } throws: { ($0 as? DeliveryFailure) == .messageUnreadable }
  }

  @Test("a file that is longer or shorter than it was is not sent", arguments: [0, 1, 2, 4, 1_000_000])
  func changed(_ length: Int) {
    for content in [bytes("hi\n"), [UInt8](repeating: 10, count: 150_000)] {
      let message = Message(MemorySource(bytes: content, isFile: true))
      #expect { try write(message, length: length) } throws: { ($0 as? DeliveryFailure) == .messageUnreadable }
    }
  }

  @Test(
    "a message can be read again from its start, at whatever point the first reading ended", arguments: [0, 3, 65_536, 200_000])
  func rewound(_ count: Int) throws {
    let content = (0..<count).map { UInt8($0 % 251) }
    for (isFile, taken) in [
      (true, 0), (true, 1), (true, 2), (true, 3), (true, 9), (false, 0), (false, 1), (false, 3), (false, 9),
    ] {
      let message = Message(MemorySource(bytes: content, isFile: isFile, pieceSize: 1_000), extraHeader: bytes("X: y\n"))
      try message.prepare()
      try message.measure(Environment())
      for _ in 0..<taken { _ = try message.nextPiece() }
      message.rewind()
      var read: [UInt8] = []
      while let piece = try message.nextPiece() { read += piece }
      #expect(read == bytes("X: y\n") + content)
    }
  }

  @Test("what can't be read again is not half a message")
  func notRewound() throws {
    let message = Message(MemorySource(bytes: [UInt8](repeating: 10, count: 200_000), isFile: false))
    try message.prepare()
    // Nothing was taken: nothing is lost.
    message.rewind()
    for _ in 0..<3 { _ = try message.nextPiece() }
    message.rewind()
    #expect { try message.nextPiece() } throws: { ($0 as? DeliveryFailure) == .messageUnreadable }
  }

  // MARK: measuring

  @Test("a pipe is measured once it is read, and stays what it was", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
  func measured(_ count: Int) throws {
    var content = [UInt8](repeating: 65, count: count)
    if count > 100_000 { content[150_000] = 0xe9 }
    let message = Message(MemorySource(bytes: content, isFile: false, pieceSize: 999), extraHeader: bytes("X: y\n"))
    try message.prepare()
    #expect(message.length == (count < 65_536 ? count + 5 : nil))
    try message.measure(Environment())
    #expect(message.length == count + 5)
    #expect(message.endsWithinLine == (count > 0))
    #expect(message.mayHaveEightBitBytes() == (count > 100_000))
    var read: [UInt8] = []
    while let piece = try message.nextPiece() { read += piece }
    #expect(read == bytes("X: y\n") + content)
  }

  @Test("without a folder the message waits, and is told why")
  func noFolder() throws {
    func failure(in directory: String) -> DeliveryFailure? {
      let message = Message(MemorySource(bytes: [UInt8](repeating: 10, count: 200_000), isFile: false))
      do {
        try message.prepare()
        try message.measure(Environment(["TMPDIR": directory]))
        return nil
      } catch {
        return error
      }
    }
    #expect(failure(in: "") == nil)
    let folder = try TemporaryFolder()
    #expect(failure(in: folder.path) == nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    #expect(failure(in: "\(folder.path)/nowhere") == .cannotMeasure("No such file or directory"))
  }
}
