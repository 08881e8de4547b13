// What a program is asked, as it reads it from descriptor 0: lines `key=value`.
internal import Agent

/// A question.
struct HookQuestion {
  private(set) var bytes = Bytes()

  /// What every point tells: host, sender and recipients as they came in argv.
  init(_ question: RouteQuestion) {
    add("host", question.host.text)
    add("sender", question.sender.raw)
    for recipient in question.recipients { add("recipient", recipient.raw) }
  }

  mutating func add(_ key: String, _ value: Bytes) {
    bytes += key
    bytes += "="
    // Addresses with a line end were refused long before; should one come here all the same, it must not be a line of its own.
    bytes += value.map { $0 == 0 || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: "?") : $0 }
    bytes += "\n"
  }
}
