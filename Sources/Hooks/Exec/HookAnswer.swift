// What a program answers on descriptor 1: lines `key=value`, and not a byte that is anything else. An answer that is half understood
// could send mail where nobody wanted it.
internal import Agent

/// A key that a point understands.
struct HookKey {
  enum Count {
    case once
    case anyNumber
  }

  let name: String
  let count: Count

  init(_ name: String, _ count: Count = .once) {
    self.name = name
    self.count = count
  }
}

/// Why an answer is none, in words that go on from "it" or "its answer".
struct HookFault: Error, Equatable {
  let words: String

  init(_ words: String) { self.words = words }
}

/// An answer, in order; at least one line.
struct HookAnswer {
  private(set) var lines: [(key: String, value: Bytes)]

  /// - Parameter bytes: everything that was written; the last line need not end in a line feed.
  init(_ bytes: Bytes, _ keys: [HookKey]) throws(HookFault) {
    var lines: [(key: String, value: Bytes)] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != UInt8(ascii: "\n") }
      rest = rest[line.endIndex...].dropFirst()
      lines.append(try HookAnswer.line(line, keys))
      guard let last = lines.last, let key = keys.first(where: { $0.name == last.key }), key.count == .once else { continue }
      if lines.dropLast().contains(where: { $0.key == key.name }) { throw HookFault("has the key \(key.name) more than once") }
    }
    self.lines = lines
  }

  private static func line(_ line: ArraySlice<UInt8>, _ keys: [HookKey]) throws(HookFault) -> (key: String, value: Bytes) {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { throw HookFault("has a line without =") }
    let name = line[..<equals]
    guard let key = keys.first(where: { name.elementsEqual($0.name.utf8) }) else {
      throw HookFault("has the unknown key \(name.isEmpty ? "(empty)" : name.prefix(shownLength).printable.text)")
    }
    let value = line[(equals + 1)...]
    // A carriage return or a null byte in an address or a host name is a line that was meant otherwise.
    guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == UInt8(ascii: "\t") }) else {
      throw HookFault("has a control character in the value of \(key.name)")
    }
    return (key.name, Bytes(value))
  }

  /// The keys that exist are shorter.
  private static let shownLength = 40

  /// Clears the values, where one of them is a secret.
  mutating func wipe() {
    for index in lines.indices { lines[index].value.wipe() }
    lines = []
  }

  func value(_ key: String) -> Bytes? { lines.first { $0.key == key }?.value }
}
