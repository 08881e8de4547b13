// Line ends and dots (RFC 5321 sections 2.3.8 and 4.5.2): every CRLF, lone LF and lone CR of the message becomes CRLF, so that no two
// servers can disagree on where the message ends. The one unsafe island of the sending path.
//
// Why the island is safe: `encode` writes only into `output`, which it first makes at least 2n + 2 bytes long for n bytes of input.
// A byte of input yields at most two bytes (LF and CR each become CRLF; other bytes stay one) except a dot at the start of a line,
// which yields two and is then not at the start of a line; CR and LF yield their two bytes whatever the state is. So n bytes never
// yield more than 2n, and each copy below is covered. Reading stays between `next` and `end`, which memchr is given as its bound.
internal import CSystem

/// Encodes a message block by block; the state between blocks is one value.
struct DotStuffer {
  enum Framing {
    /// After DATA: dots at the start of a line are doubled.
    case data
    /// After BDAT: the length tells the end, dots stay.
    case chunk
  }

  private enum State {
    case lineStart
    case midLine
    /// A CR was written as a line end; an LF right after it belongs to it.
    case afterCR
  }

  private let framing: Framing
  private var state = State.lineStart

  init(framing: Framing) { self.framing = framing }

  /// Whether everything so far ends in a line end.
  var isAtLineStart: Bool { state != .midLine }

  /// Appends the encoded block to the first `count` bytes of `output`, which grows as needed, and moves `count`.
  mutating func encode(_ block: ArraySlice<UInt8>, into output: inout Bytes, count: inout Int) {
    guard !block.isEmpty else { return }
    let needed = count + 2 * block.count + 2
    if output.count < needed { output += Bytes(repeating: 0, count: needed - output.count) }
    unsafe block.withUnsafeBytes { source in
      unsafe output.withUnsafeMutableBytes { target in
        guard let start = source.baseAddress, let base = target.baseAddress else { return }
        // Nearly every message has no CR, and then only LF has to be looked for.
        if unsafe memchr(start, 13, source.count) == nil {
          unsafe encodeLines(start, source.count, base, &count)
        } else {
          unsafe encodeBytes(source, base, &count)
        }
      }
    }
  }

  /// The fast way, for a block without CR.
  @unsafe private mutating func encodeLines(
    _ start: UnsafeRawPointer, _ length: Int, _ base: UnsafeMutableRawPointer, _ count: inout Int
  ) {
    var next = unsafe start
    let end = unsafe start + length
    var target = unsafe base + count
    if state == .afterCR {
      state = .lineStart
      if unsafe next.load(as: UInt8.self) == 10 { unsafe next += 1 }
    }
    while unsafe next < end {
      if state == .lineStart, framing == .data, unsafe next.load(as: UInt8.self) == UInt8(ascii: ".") {
        unsafe target.storeBytes(of: UInt8(ascii: "."), as: UInt8.self)
        unsafe target += 1
      }
      guard let lineFeed = unsafe memchr(next, 10, end - next) else {
        unsafe target.copyMemory(from: next, byteCount: end - next)
        unsafe target += end - next
        state = .midLine
        break
      }
      let line = unsafe UnsafeRawPointer(lineFeed) - next
      unsafe target.copyMemory(from: next, byteCount: line)
      unsafe target.storeBytes(of: 13, toByteOffset: line, as: UInt8.self)
      unsafe target.storeBytes(of: 10, toByteOffset: line + 1, as: UInt8.self)
      unsafe target += line + 2
      unsafe next += line + 1
      state = .lineStart
    }
    count = unsafe target - base
  }

  /// The way that knows CR.
  @unsafe private mutating func encodeBytes(
    _ source: UnsafeRawBufferPointer, _ base: UnsafeMutableRawPointer, _ count: inout Int
  ) {
    func put(_ byte: UInt8) {
      unsafe base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
      count += 1
    }
    for index in source.indices {
      let byte = unsafe source[index]
      switch (byte, state) {
      case (10, .afterCR): state = .lineStart
      case (10, _), (13, _):
        put(13)
        put(10)
        state = byte == 13 ? .afterCR : .lineStart
      default:
        if byte == UInt8(ascii: "."), state != .midLine, framing == .data { put(byte) }
        put(byte)
        state = .midLine
      }
    }
  }
}
