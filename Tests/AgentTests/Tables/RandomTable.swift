// Random tables of every grammar, and what a look-up has to give, worked out line by line in the slowest way: the measure of every
// quicker one. Shares nothing with them but the order of keys.
@testable import Agent

/// A table and names to look up in it.
struct RandomTable: Sendable {
  let content: [UInt8]
  let names: [[UInt8]]

  private static let labels = ["a", "b", "mail", "Mail", "x1", "example", "EXAMPLE", "org", "-"]
  private static let routes = [
    "", "relay", "relay:26", "relay;s26", "192.0.2.1", "[2001:db8::1]:26", "2001:db8::1", "relay:25:3600:120", "relay|u|p",
    "relay||10.1.1.0", "relay u p AUTH_SMTP=x", "relay:587: /s", "cafe::3600", ":26", "bad:x", " spaced ", "cr\r", "tab\t\t",
  ]

  private static let fillerRoute = bytes("relay.a-name-that-makes-the-lines-of-usual-length.example.net:26\n")

  /// - Parameter size: of the table, at least; what is missing is filled with lines for other names.
  init(seed: UInt64, size: Int) {
    var generator = SeededGenerator(seed: seed)
    var names: [[UInt8]] = (0..<40).map { _ in bytes(RandomTable.name(&generator)) }
    names += [
      "", ".", "x", "!@", "*", "[192.0.2.9]", "[2001:db8::9]", "a:b", "[a", "192.0.2.9", "2001:db8::9", "u.v@a.example",
    ]
    .map(bytes)
    names.append(bytes("mail." + String(repeating: "a.", count: 60) + "example"))
    var lines: [[UInt8]] = (0..<300).map { _ in RandomTable.line(&generator, names) }
    var count = lines.reduce(0) { $0 + $1.count }
    while count < size {
      let number = Int.random(in: 0..<1_000_000, using: &generator)
      let filler = bytes("\(["", ".", "mail."][number % 3])h\(number).example:") + RandomTable.fillerRoute
      lines.append(filler)
      count += filler.count
    }
    lines.shuffle(using: &generator)
    var content = lines.reduce(into: [UInt8]()) { $0 += $1 }
    if Bool.random(using: &generator) { content.removeLast() }
    self.content = content
    self.names = names
  }

  /// A table of one's own, without names to look up.
  init(content: [UInt8]) {
    self.content = content
    names = []
  }

  private static func name(_ generator: inout SeededGenerator) -> String {
    (0..<Int.random(in: 1...4, using: &generator)).map { _ in labels.randomElement(using: &generator) ?? "" }
      .joined(separator: ".")
  }

  private static func line(_ generator: inout SeededGenerator, _ names: [[UInt8]]) -> [UInt8] {
    var key = names.randomElement(using: &generator) ?? []
    switch Int.random(in: 0..<8, using: &generator) {
    case 0, 1: key = key.firstIndex(of: UInt8(ascii: ".")).map { Array(key[$0...]) } ?? key
    case 2: key = key.firstIndex(of: UInt8(ascii: ".")).map { Array(key[($0 + 1)...]) } ?? key
    case 3: key = key.firstIndex(of: UInt8(ascii: "@")).map { Array(key[$0...]) } ?? key
    case 4: key = key.map { $0 >= 97 && $0 <= 122 ? $0 - 32 : $0 }
    case 5: key = key.lastIndex(of: UInt8(ascii: ".")).map { Array(key[...$0]) } ?? key
    default: break
    }
    let line = key + bytes(":" + (routes.randomElement(using: &generator) ?? ""))
    let ends: [[UInt8]] = [[10], [10], [10], [10], [0], [32, 10], [9, 32, 10], [10, 10], [0, 0]]
    let end = ends.randomElement(using: &generator) ?? [10]
    switch Int.random(in: 0..<60, using: &generator) {
    case 0: return bytes("#") + line + end
    case 1: return bytes(" ") + line + end
    case 2: return key + end
    case 3: return bytes("[") + line + end
    // Around the limit of lines, and around what a block holds; wherever such a line is cut, the rest begins with a key.
    case 4, 5:
      let length = [65_534, 65_535, 65_536, 65_537, 65_538, 131_071, 131_072, 200_000].randomElement(using: &generator) ?? 0
      let fill = Array(repeating: UInt8(ascii: ":"), count: max(length - line.count, 0))
      return Bool.random(using: &generator) ? line + fill + end : bytes("[") + key + fill + bytes("]:v") + end
    default: return line + end
    }
  }
}

/// What look-ups give, as text: of equal keys the last, of those that a name has the most specific.
struct LookupReference {
  private var exact: [[UInt8]: String] = [:]
  private var folded: [[UInt8]: String] = [:]

  init(_ content: [UInt8]) {
    for (index, whole) in content.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      for var line in whole.split(separator: 0, omittingEmptySubsequences: false) {
        let isTooLong = line.count > 65_536
        while let last = line.last, last == 32 || last == 9 { line.removeLast() }
        guard line.first != UInt8(ascii: "#"), let colon = LookupReference.keyEnd(line.prefix(65_537)) else { continue }
        let key = Array(line[..<colon])
        let words = isTooLong ? "line \(index + 1) is too long" : "\(index + 1): \(line[(colon + 1)...].text)"
        exact[key] = words
        folded[LookupReference.folded(key)] = words
      }
    }
  }

  func answer(_ name: [UInt8], _ keys: RouteKeys) -> String {
    for (position, key) in keys.positions(of: name).map({ Array($0) }).enumerated() {
      guard let words = keys == .bareDomains ? exact[key] : folded[LookupReference.folded(key)] else { continue }
      return words.hasSuffix("is too long") ? words : "\(words), position \(position)"
    }
    return "nothing"
  }

  private static func keyEnd(_ line: ArraySlice<UInt8>) -> Int? {
    if line.first == UInt8(ascii: "["), let bracket = line.firstIndex(of: UInt8(ascii: "]")), bracket + 1 < line.endIndex,
      line[bracket + 1] == UInt8(ascii: ":")
    {
      return bracket + 1
    }
    return line.firstIndex(of: UInt8(ascii: ":"))
  }

  private static func folded(_ key: [UInt8]) -> [UInt8] { key.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 } }
}
