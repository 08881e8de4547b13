// A QMTP package in the pieces that go out (QMTP, section 4): the message as it is behind its length, the sender, the recipients. Memory
// for one block, however long the message is. Knows no connection.

/// Encodes a package for the wire.
struct PackageWriter {
  struct Piece {
    let bytes: ArraySlice<UInt8>
    /// The bytes end with the package.
    let isLast: Bool
  }

  private let message: Message
  /// What stands behind the message.
  private let ending: Bytes
  /// What goes in front of the next piece.
  private var opening: Bytes
  /// How much of the message, as it was announced, is still to come.
  private var left: Int

  /// Says that lines end with a line feed, and that what stands behind the last of them is a line too. It is followed by the file as it
  /// is, as qmail keeps it: a CR in it is a byte of its line, and no end of a message can be made up in it.
  private static let lineEnd = UInt8(ascii: "\n")

  /// - Parameter length: of the message with its extra header.
  init(_ message: Message, length: Int, _ envelope: Envelope) {
    self.message = message
    left = length
    opening = Netstring.opening(length + 1) + [PackageWriter.lineEnd]
    let recipients = envelope.recipients.flatMap { Netstring.encoded($0.unquoted) }
    ending = [Netstring.comma] + Netstring.encoded(envelope.sender.unquoted) + Netstring.encoded(recipients)
  }

  /// - Throws: 4.3.0 when the message can't be read, or isn't as long as it was.
  mutating func next() throws(DeliveryFailure) -> Piece {
    var bytes = opening
    opening = []
    while let piece = try message.nextPiece() {
      guard piece.count <= left else { throw .messageUnreadable }
      left -= piece.count
      // Blocks go out as they were read, but what is small goes with its neighbours: a package of one block is one write.
      if bytes.isEmpty, piece.count >= Message.blockSize { return Piece(bytes: piece, isLast: false) }
      bytes += piece
      if bytes.count >= Message.blockSize, left > 0 { return Piece(bytes: bytes[...], isLast: false) }
    }
    guard left == 0 else { throw .messageUnreadable }
    return Piece(bytes: (bytes + ending)[...], isLast: true)
  }
}
