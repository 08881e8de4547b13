// Large messages by QMTP: intact, and without more memory for more of them.
import Foundation
import Support
import Testing

/// Compares what arrives with a message made anew.
private final class RawComparison {
  private let next: () -> [UInt8]?
  private var expected: [UInt8] = []
  private var compared = 0

  init(_ message: TestMessage) { next = message.pieces() }

  func take(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      if compared == expected.count {
        guard let piece = next() else { throw PeerFault.unexpected("bytes after the end", wanted: "none") }
        expected = piece
        compared = 0
        continue
      }
      let count = min(rest.count, expected.count - compared)
      guard rest.prefix(count) == expected[compared..<(compared + count)] else {
        throw PeerFault.unexpected("other bytes", wanted: "those of the message")
      }
      compared += count
      rest = rest.dropFirst(count)
    }
  }

  /// Whether all of it came.
  func isAtEnd() -> Bool {
    while compared == expected.count {
      guard let piece = next() else { return true }
      expected = piece
      compared = 0
    }
    return false
  }
}

@Suite struct QMTPFidelityTests {
  /// - Returns: the memory that the program had needed when it had sent everything.
  private func deliver(_ message: TestMessage, _ carrier: Remote.Carrier) throws -> Int {
    let folder = try TemporaryFolder()
    let running = Promise<Running>()
    let memory = Promise<Int?>()
    let server = try QMTPServer(
      QMTPScript(
        takeMessage: { peer, length in
          let comparison = RawComparison(message)
          var left = length
          while left > 0 {
            let count = min(left, 1 << 18)
            try comparison.take(try peer.take(count))
            left -= count
          }
          guard comparison.isAtEnd() else { throw PeerFault.unexpected("\(length) bytes", wanted: "more") }
        },
        hold: { memory.keep(running.wait(seconds: 20)?.process.peakAddressSpace) }))
    var remote = Remote(to: server)
    remote.input = try message.input(carrier, in: folder)
    remote.environment["TMPDIR"] = folder.path
    let process = try remote.start()
    running.keep(process)
    expect(
      process.finish(within: 120), "rqmtp:ok 0\n^@KAll received okay by 127.0.0.1\n^@",
      verdict: "Kqmtp:ok 0\nAll received okay by 127.0.0.1\n", "\(message)")
    #expect(server.finish().map(\.fault) == [nil], "\(message)")
    return try #require(memory.wait(seconds: 1) ?? nil)
  }

  private func message(megabytes: Int) -> TestMessage {
    // No line ends where blocks end, and a size that no block divides.
    let block = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let bytes = megabytes << 20
    return TestMessage(
      "\(megabytes) MB", repeating: block, count: bytes / block.count, end: Array(block.prefix(bytes % block.count)))
  }

  @Test(arguments: Remote.Carrier.allCases)
  func `100 MB arrive by QMTP, in the memory of 1 MB`(_ carrier: Remote.Carrier) throws {
    let small = try deliver(message(megabytes: 1), carrier)
    let large = try deliver(message(megabytes: 100), carrier)
    #expect(large - small < 1_048_576, "\(small) bytes for 1 MB, \(large) bytes for 100 MB")
  }
}
