// What was said on a connection, for the person who has to find out why a transcript failed.

/// Lines as they went over the stream.
public struct ScriptLog: Sendable {
  public enum Side: String, Sendable {
    case client = ">"
    case server = "<"
  }

  private var lines: [(side: Side, bytes: [UInt8])] = []

  public init() {}

  public mutating func add(_ bytes: ArraySlice<UInt8>, from side: Side) {
    var rest = bytes
    while !rest.isEmpty {
      let line = rest[...(rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex - 1)]
      rest = rest[line.endIndex...]
      if let last = lines.indices.last, lines[last].side == side, lines[last].bytes.last != UInt8(ascii: "\n") {
        lines[last].bytes += line
      } else {
        lines.append((side, Array(line)))
      }
    }
  }

  /// How many lines a message shows: a transaction fits.
  private static let tailLength = 12

  /// The last lines, one below the other, with a heading.
  public var tail: String {
    guard !lines.isEmpty else { return "" }
    let shown = lines.suffix(ScriptLog.tailLength).map { line in
      "    \(line.side.rawValue) \(TranscriptText.shown(line.bytes, limit: 100))"
    }
    return "\n  the dialogue so far:\n" + shown.joined(separator: "\n")
  }
}
