// What a message has to look like on the wire, worked out byte by byte and without a look at how the program does it; and the
// comparison of that with what arrives, while it arrives.
import Foundation
import Support

/// RFC 5321 sections 2.3.8 and 4.5.2: CRLF, LF and CR are line ends, and a dot at the start of a line is doubled.
struct WireReference {
  private var isAfterCR = false
  private var isAtLineStart = true

  static let end = Array(".\r\n".utf8)

  /// Pointers instead of arrays, because the tests are built without optimisation and a message may have 100 MB.
  mutating func encode(_ piece: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: piece.count * 2) { output, count in
      piece.withUnsafeBufferPointer { input in
        var written = 0
        var index = 0
        while index < input.count {
          let byte = input[index]
          index += 1
          if byte == 10 && isAfterCR {
            isAfterCR = false
            continue
          }
          isAfterCR = byte == 13
          if byte == 13 || byte == 10 {
            output[written] = 13
            output[written + 1] = 10
            written += 2
            isAtLineStart = true
            continue
          }
          if byte == 46 && isAtLineStart {
            output[written] = 46
            written += 1
          }
          output[written] = byte
          written += 1
          isAtLineStart = false
        }
        count = written
      }
    }
  }
}

/// A message in pieces, made anew each time somebody wants to read it.
struct TestMessage: Sendable, CustomStringConvertible {
  let description: String
  let pieces: @Sendable () -> (@Sendable () -> [UInt8]?)

  init(_ description: String, pieces: @escaping @Sendable () -> (@Sendable () -> [UInt8]?)) {
    self.description = description
    self.pieces = pieces
  }

  /// One block again and again.
  init(_ description: String, repeating block: [UInt8], count: Int, end: [UInt8] = []) {
    self.init(description) {
      let given = Shared(0)
      return {
        let number = given.change {
          $0 += 1
          return $0
        }
        return number <= count ? block : number == count + 1 && !end.isEmpty ? end : nil
      }
    }
  }

  init(_ description: String, _ bytes: [UInt8]) { self.init(description, repeating: bytes, count: 1) }

  func write(to path: String) throws {
    guard let file = fopen(path, "w") else { throw SpawnFault(description: "\(path) can't be written") }
    defer { fclose(file) }
    let next = pieces()
    while let piece = next() { fwrite(piece, 1, piece.count, file) }
  }

  func input(_ carrier: Remote.Carrier, in folder: TemporaryFolder) throws -> ProgramStart.Input {
    guard carrier == .file else { return .pieces(pieces) }
    let path = "\(folder.path)/message"
    try write(to: path)
    return .file(path)
  }
}

/// Compares what arrives after DATA with the reference.
final class WireComparison {
  private let next: () -> [UInt8]?
  private var reference = WireReference()
  private var expected: [UInt8] = []
  private var compared = 0
  private(set) var received = 0
  private var isAtEnd = false

  init(_ message: TestMessage) { next = message.pieces() }

  /// - Returns: whether the message is complete.
  /// - Throws: at the first byte that is not as it should be.
  func take(_ bytes: UnsafeRawBufferPointer) throws -> Bool {
    var offset = 0
    while offset < bytes.count {
      while compared == expected.count {
        guard !isAtEnd else { throw PeerFault.unexpected("bytes after the end, from \(received) on", wanted: "nothing") }
        compared = 0
        if let piece = next() {
          expected = reference.encode(piece)
        } else {
          expected = WireReference.end
          isAtEnd = true
        }
      }
      let count = min(bytes.count - offset, expected.count - compared)
      let isEqual = expected.withUnsafeBytes { wanted in
        guard let wanted = wanted.baseAddress, let found = bytes.baseAddress else { return false }
        return memcmp(wanted + compared, found + offset, count) == 0
      }
      guard isEqual else {
        throw PeerFault.unexpected("other bytes between \(received) and \(received + count)", wanted: "none")
      }
      offset += count
      compared += count
      received += count
    }
    return isAtEnd && compared == expected.count
  }
}
