// What qmail-rspawn makes of a qmail-remote's output and exit status, and a second, stricter reader that takes all reports apart.
// Written from the protocol's description, without a look at the writer of the reports.

/// How a process ended.
public enum ProcessEnding: Equatable, Sendable {
  case exited(Int32)
  case killed(signal: Int32)
  /// Ran past the test's limit, and was killed by the test.
  case tookTooLong
}

/// The report that qmail-rspawn hands to qmail-send.
public struct SpawnVerdict: Equatable, Sendable, CustomStringConvertible {
  /// `K` delivered, `Z` to be tried again, `D` bounced.
  public let letter: Character
  public let text: String

  public init(_ letter: Character, _ text: String) {
    self.letter = letter
    self.text = text
  }

  /// The first character is the letter.
  public init(_ wire: String) { self.init(wire.first ?? "?", String(wire.dropFirst())) }

  public init(output: [UInt8], ending: ProcessEnding) {
    switch ending {
    case .killed, .tookTooLong: self.init("Zqmail-remote crashed.\n")
    case .exited(111): self.init("ZUnable to run qmail-remote.\n")
    case .exited(0): self.init(output: output)
    case .exited: self.init("DUnable to run qmail-remote.\n")
    }
  }

  private init(output: [UInt8]) {
    guard !output.isEmpty else {
      self.init("Zqmail-remote produced no output.\n")
      return
    }
    let result = SpawnVerdict.firstMessageResult(output)
    var overall = result
    if output[0] == UInt8(ascii: "s") { overall = 0 }
    if output[0] == UInt8(ascii: "h") { overall = -1 }
    self.init(overall > 0 ? "K" : overall == 0 ? "Z" : "D", SpawnVerdict.text(output, result: result, overall: overall))
  }

  /// 1, 0 or -1 of the first terminated report that is a K, a Z or a D.
  private static func firstMessageResult(_ output: [UInt8]) -> Int {
    var start = 0
    for (index, byte) in output.enumerated() where byte == 0 {
      switch output[start] {
      case UInt8(ascii: "K"): return 1
      case UInt8(ascii: "Z"): return 0
      case UInt8(ascii: "D"): return -1
      default: start = index + 1
      }
    }
    return -1
  }

  private static func text(_ output: [UInt8], result: Int, overall: Int) -> String {
    guard let end = output.dropFirst().firstIndex(of: 0) else { return "" }
    var text = String(decoding: output[1..<end], as: UTF8.self)
    let next = output[(end + 1)...]
    if result <= overall, let letter = next.first, "ZDK".utf8.contains(letter) {
      text += String(decoding: next.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
    }
    return text
  }

  public var description: String { "\(letter)\(text)" }
}

/// All reports of a delivery, if they are what the protocol asks for: recipients' first, then exactly one message report.
public struct StrictReports: Equatable, Sendable {
  public struct Fault: Error, Equatable {
    public let words: String
  }

  /// Each with its letter and without its null byte.
  public let recipients: [String]
  public let message: String

  public init(_ output: [UInt8]) throws(Fault) {
    guard output.last == 0 else { throw Fault(words: "the last report is not terminated") }
    var reports = output.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard let message = reports.popLast(), let letter = message.first, "KZD".contains(letter) else {
      throw Fault(words: "the last report is not the message's")
    }
    for report in reports {
      guard let letter = report.first, "rhs".contains(letter) else {
        throw Fault(words: "\(report.debugDescription) stands where a recipient's report should")
      }
    }
    for report in reports + [message] where report.count > 1 && !report.hasSuffix("\n") {
      throw Fault(words: "\(report.debugDescription) has no line end")
    }
    self.recipients = reports
    self.message = message
  }
}
