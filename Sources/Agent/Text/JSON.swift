// One object of JSON (RFC 8259), written member by member. Whatever the bytes are, what comes out is one line of ASCII and UTF-8: control
// characters are escaped, and what isn't UTF-8 is shown as U+FFFD, with all bytes in a member beside it.

/// An object. Members stand in the order in which they are added; nothing looks for names that are added twice.
package struct JSONObject: Equatable, Sendable {
  private var members = Bytes()

  package init() {}

  /// Without a line end.
  package var bytes: Bytes { Bytes("{") + members + Bytes("}") }

  /// For files and pipes.
  package var line: Bytes { bytes + [UInt8(ascii: "\n")] }

  private mutating func name(_ name: String) {
    if !members.isEmpty { members += "," }
    members += JSONObject.quoted(Bytes(name))
    members += ":"
  }

  package mutating func add(_ name: String, _ number: Int?) {
    self.name(name)
    members += number.map { "\($0)" } ?? "null"
  }

  package mutating func add(_ name: String, _ flag: Bool) {
    self.name(name)
    members += flag ? "true" : "false"
  }

  package mutating func add(_ name: String, _ text: String?) {
    self.name(name)
    members += text.map { JSONObject.quoted(Bytes($0)) } ?? Bytes("null")
  }

  /// Text that somebody else has written. What isn't UTF-8 gets a second member, `name_hex`.
  package mutating func add(_ name: String, _ text: Bytes?) {
    guard let text else { return add(name, String?.none) }
    guard String(validating: text, as: UTF8.self) == nil else {
      self.name(name)
      members += JSONObject.quoted(text)
      return
    }
    add(name, text.text)
    add("\(name)_hex", JSONObject.hexadecimal(text))
  }

  /// Seconds, with six decimals.
  package mutating func add(_ name: String, _ duration: Duration?) {
    self.name(name)
    members += duration.map(JSONObject.seconds) ?? "null"
  }

  package mutating func add(_ name: String, _ object: JSONObject?) {
    self.name(name)
    members += object?.bytes ?? Bytes("null")
  }

  package mutating func add(_ name: String, _ list: [JSONObject]) {
    self.name(name)
    members += "["
    for (index, object) in list.enumerated() {
      if index > 0 { members += "," }
      members += object.bytes
    }
    members += "]"
  }

  private static func seconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let micros = "\(attoseconds.magnitude / 1_000_000_000_000)"
    let sign = seconds < 0 || attoseconds < 0 ? "-" : ""
    return "\(sign)\(seconds.magnitude).\(String(repeating: "0", count: max(6 - micros.count, 0)))\(micros)"
  }

  private static let digits = Bytes("0123456789abcdef")

  private static func hexadecimal(_ bytes: Bytes) -> Bytes {
    var text = Bytes()
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return text
  }

  /// - Parameter text: UTF-8.
  private static func quoted(_ text: Bytes) -> Bytes {
    var quoted = Bytes("\"")
    quoted.reserveCapacity(text.count + 2)
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""): quoted += "\\\""
      case UInt8(ascii: "\\"): quoted += "\\\\"
      case UInt8(ascii: "\n"): quoted += "\\n"
      case UInt8(ascii: "\t"): quoted += "\\t"
      case 0..<32, 127: quoted += Bytes("\\u00") + hexadecimal([byte])
      default: quoted.append(byte)
      }
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }
}
