// What the files of golden plans and of transcripts have in common: lines that begin with a word, comments, files of the control
// directory and of DNS.

public enum ScenarioText {
  /// Hands over every line that says something. What `take` throws gets the line's number.
  /// - Parameter kind: what the file is, for the error that its first line doesn't tell what it is about.
  public static func read(
    _ text: String, kind: String, _ take: (Substring, Int) throws(TranscriptError) -> Void
  ) throws(TranscriptError) {
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      guard !line.isEmpty, line.first != "#" else { continue }
      do throws(TranscriptError) {
        // Nobody sees them, and editors take them away.
        guard line.last != " ", line.last != "\t" else { throw TranscriptError("blanks at the end; write \\x20") }
        try take(line, number)
      } catch {
        throw TranscriptError(line: number, error.words)
      }
    }
    guard text.hasPrefix("# ") else { throw TranscriptError(line: 1, "the first line has to say what the \(kind) is about") }
  }

  /// The first word of a line and what follows its blank.
  public static func divided(_ line: Substring) -> (word: Substring, rest: Substring) {
    let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    return (parts[0], parts.count > 1 ? parts[1] : "")
  }

  /// The operands of the one command that there is.
  public static func operands(_ text: Substring, isFirst: Bool) throws(TranscriptError) -> [[UInt8]] {
    let words = try TranscriptText.words(text)
    guard isFirst, words.first == Array("qmail-remote".utf8) else {
      throw TranscriptError("there is one command, and it is qmail-remote")
    }
    return Array(words.dropFirst())
  }

  /// A line of FakeResolver; in the file, the root is written as `.`.
  public static func zoneLine(_ text: Substring) throws(TranscriptError) -> String {
    let words = text.split(separator: " ")
    guard words.count >= 3, ["MX", "A", "AAAA", "CNAME", "TLSA"].contains(words[1]) else {
      throw TranscriptError("no DNS record")
    }
    return words.filter { $0 != "." }.joined(separator: " ") + "\n"
  }

  /// The name in `FOLDER/name:`, the first word of a line of a file, or in `FOLDER/name=`, whose text has no line end.
  /// - Returns: nil for another word.
  public static func file(_ word: Substring, in folder: String) -> (name: String, end: [UInt8])? {
    let prefix = "\(folder)/"
    guard word.hasPrefix(prefix), let sign = word.last, sign == ":" || sign == "=" else { return nil }
    return (String(word.dropFirst(prefix.count).dropLast()), sign == ":" ? [UInt8(ascii: "\n")] : [])
  }
}
