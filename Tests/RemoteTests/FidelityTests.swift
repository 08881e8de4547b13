// Messages arrive as an independent reference says, whatever is in them and however large they are, and without more memory for a
// large one.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct FidelityTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  /// Delivers a message, and compares it on its way.
  /// - Returns: the memory that the program had needed when it had sent everything.
  @discardableResult
  private func deliver(_ message: TestMessage, _ carrier: Remote.Carrier) throws -> Int {
    let folder = try TemporaryFolder()
    let running = Promise<Running>()
    let memory = Promise<Int?>()
    let server = try ScriptedServer(
      SMTPScript(
        extensions: [SMTPScript.pipelining],
        takeBody: { peer in
          let comparison = WireComparison(message)
          guard try peer.drain(comparison.take) else { throw PeerFault.closed(wanted: "the rest of the message") }
          // It waits for the answer now.
          memory.keep(running.wait(seconds: 20)?.process.peakAddressSpace)
        }))
    var remote = Remote(to: server)
    remote.input = try message.input(carrier, in: folder)
    let process = try remote.start()
    running.keep(process)
    expect(process.finish(within: 120), "r^@\(FidelityTests.accepted)^@", verdict: FidelityTests.accepted, "\(message)")
    #expect(server.finish().map(\.fault) == [nil], "\(message)")
    return try #require(memory.wait(seconds: 1) ?? nil)
  }

  @Test(arguments: [
    ("", ""), (".", ".."), ("a\r.\nX\n", "a\r\n..\r\nX\r\n"), ("\r\n\r\r\n\n", "\r\n\r\n\r\n\r\n"), ("..\r..", "...\r\n..."),
  ])
  func `the reference itself`(_ message: String, _ wire: String) {
    for size in 1...7 {
      var reference = WireReference()
      var rest = Array(message.utf8)[...]
      var encoded: [UInt8] = []
      while !rest.isEmpty {
        encoded += reference.encode(Array(rest.prefix(size)))
        rest = rest.dropFirst(size)
      }
      #expect(visible(encoded) == visible(wire.utf8))
    }
  }

  // MARK: random messages

  /// Few letters and many line ends and dots, so that they meet; pieces of all sizes, so that they meet at borders.
  private static func randomMessage(seed: UInt64) -> TestMessage {
    let alphabets = ["\r\n.", "\r\n..ab", "\na.", "\r.x", "ab\r\n\0\u{e9}.", "abcdefghijklmnopqrstuvwxyz\n"].map {
      Array($0.utf8)
    }
    var generator = SeededGenerator(seed: seed)
    let alphabet = alphabets[Int(seed) % alphabets.count]
    var size = [0, 1, 2, 100, 4_096, 65_535, 65_536, 65_537, 131_072, 200_000][Int.random(in: 0..<10, using: &generator)]
    size += Int.random(in: 0..<3, using: &generator)
    var rest = (0..<size).map { _ in alphabet[Int(generator.next() >> 32) % alphabet.count] }
    if let last = rest.last, last != 10, last != 13 { rest.append(10) }
    var pieces: [[UInt8]] = []
    while !rest.isEmpty {
      pieces.append(Array(rest.prefix(Int.random(in: 1...100_000, using: &generator))))
      rest.removeFirst(pieces[pieces.count - 1].count)
    }
    return TestMessage("random message \(seed), \(size) bytes") { [pieces] in
      let given = Shared(0)
      return {
        given.change {
          $0 += 1
          return $0 <= pieces.count ? pieces[$0 - 1] : nil
        }
      }
    }
  }

  @Test(arguments: 0..<60, Remote.Carrier.allCases)
  func `random messages`(_ seed: Int, _ carrier: Remote.Carrier) throws {
    try deliver(FidelityTests.randomMessage(seed: UInt64(seed)), carrier)
  }

  // MARK: large messages

  enum Kind: String, Sendable, CaseIterable {
    case shortLines, dots, bareCRs

    private var block: [UInt8] {
      switch self {
      case .shortLines: return (0..<65_536).map { $0 % 16 == 15 ? 10 : UInt8(ascii: "a") + UInt8($0 % 16) }
      case .dots: return (0..<65_536).map { $0 % 2 == 1 ? 10 : UInt8(ascii: ".") }
      // The last byte of each block is a CR, and the next block begins with a dot, an LF or a letter.
      case .bareCRs:
        let starts: [UInt8] = [UInt8(ascii: "."), 10, UInt8(ascii: "x")]
        return starts.flatMap { start in
          (0..<65_536).map { $0 == 0 ? start : $0 == 65_535 ? 13 : $0 % 72 == 71 ? 10 : UInt8(ascii: "b") }
        }
      }
    }

    func message(megabytes: Int) -> TestMessage {
      let block = block
      return TestMessage("\(megabytes) MB of \(rawValue)", repeating: block, count: megabytes * 1_048_576 / block.count)
    }
  }

  @Test(arguments: Kind.allCases, Remote.Carrier.allCases)
  func `100 MB arrive, in the memory of 1 MB`(_ kind: Kind, _ carrier: Remote.Carrier) throws {
    let small = try deliver(kind.message(megabytes: 1), carrier)
    let large = try deliver(kind.message(megabytes: 100), carrier)
    #expect(large - small < 1_048_576, "\(small) bytes for 1 MB, \(large) bytes for 100 MB")
  }
}
