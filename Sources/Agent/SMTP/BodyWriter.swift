// The message in the pieces that go out: encoded, large enough to be worth a system call, the last one with the final dot.

/// Encodes a message for the wire.
struct BodyWriter {
  struct Piece {
    let bytes: ArraySlice<UInt8>
    /// The bytes end with the final dot.
    let isLast: Bool
  }

  private let message: Message
  private var stuffer = DotStuffer(framing: .data)
  private var output = Bytes()

  /// Pieces are at least this large, but for the last one.
  private static let pieceSize = 65_536

  init(_ message: Message) { self.message = message }

  /// The message with plain line ends, for a chunk: only if it is small enough to be here already.
  mutating func encodeWhole(_ framing: DotStuffer.Framing) -> Bytes? {
    guard message.isWhole else { return nil }
    var stuffer = DotStuffer(framing: framing)
    var encoded = Bytes()
    var count = 0
    for piece in message.wholePieces { stuffer.encode(piece, into: &encoded, count: &count) }
    return Bytes(encoded[..<count])
  }

  /// - Throws: 4.3.0 when the message can't be read, 5.6.2 when it ends within a line.
  mutating func next() throws(DeliveryFailure) -> Piece {
    var count = 0
    while count < BodyWriter.pieceSize {
      guard let piece = try message.nextPiece() else {
        guard stuffer.isAtLineStart else { throw .partialLastLine }
        output.replaceSubrange(count..., with: Bytes(".\r\n"))
        return Piece(bytes: output[...], isLast: true)
      }
      stuffer.encode(piece, into: &output, count: &count)
    }
    return Piece(bytes: output[..<count], isLast: false)
  }
}
