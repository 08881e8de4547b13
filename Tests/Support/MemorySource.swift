// A message in memory that behaves like a file or like a pipe.
import Agent

/// A source of message bytes that a test makes up.
public final class MemorySource: MessageSource {
  private let bytes: [UInt8]
  private let isFile: Bool
  /// Reading beyond fails.
  private let readable: Int
  /// At most so many bytes come at once: a pipe gives what it has.
  private let pieceLimit: Int
  private var position = 0

  public init(_ bytes: [UInt8], isFile: Bool, readable: Int? = nil, pieceLimit: Int = .max) {
    self.bytes = bytes
    self.isFile = isFile
    self.readable = readable ?? .max
    self.pieceLimit = isFile ? .max : pieceLimit
  }

  public convenience init(_ bytes: [UInt8], _ source: TranscriptSource, pieceLimit: Int) {
    switch source {
    case .file: self.init(bytes, isFile: true)
    case .pipe: self.init(bytes, isFile: false, pieceLimit: pieceLimit)
    case .brokenFile(let count): self.init(bytes, isFile: true, readable: count)
    case .brokenPipe(let count): self.init(bytes, isFile: false, readable: count, pieceLimit: pieceLimit)
    }
  }

  public var size: Int? { isFile ? bytes.count : nil }

  public func read(limit: Int) -> [UInt8]? {
    if position >= readable { return nil }
    let piece = bytes[position...].prefix(min(limit, pieceLimit, readable - position))
    position += piece.count
    return Array(piece)
  }

  public func seek(to offset: Int) -> Bool {
    guard isFile else { return false }
    position = offset
    return true
  }

  public func peek(at offset: Int, limit: Int) -> [UInt8]? {
    isFile && offset <= bytes.count ? Array(bytes[offset...].prefix(limit)) : nil
  }
}
