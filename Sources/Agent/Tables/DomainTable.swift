// Control files of `key:value` lines that are searched by a host name: the most specific key first, the last of equal keys wins
// (qmail-control(5), constmap). Knows nothing of what the values mean.

/// Which keys a host name is looked up under.
public enum RouteKeys: Sendable {
  /// `a.b.c`, `.b.c`, `.c`, and the empty key; case doesn't count.
  case dottedSuffixes
  /// `a.b.c`, `b.c`, `c`, and the empty key; case counts (dialect skarnet).
  case bareDomains
  /// A remote IP address: `10.1.2.3`, `10.1.2.`, `10.1.`, `10.`, and the empty key; IPv6 addresses whole, in brackets.
  case addressPrefixes
  /// An address: `a.b@c.d`, `.b@c.d`, `@c.d`, `.d`, and the empty key; case doesn't count.
  case senderParts

  /// The keys for a name, most specific first. No two have the same length.
  func positions(of name: Bytes) -> [ArraySlice<UInt8>] {
    if self == .addressPrefixes { return RouteKeys.prefixes(of: name) }
    var positions = [name[...]]
    for index in name.indices where name[index] == UInt8(ascii: ".") || self == .senderParts && name[index] == UInt8(ascii: "@")
    {
      let rest = name[(self == .bareDomains ? index + 1 : index)...]
      if rest.count < positions[positions.count - 1].count { positions.append(rest) }
    }
    if positions[positions.count - 1].count > 0 { positions.append([]) }
    return positions
  }

  private static func prefixes(of address: Bytes) -> [ArraySlice<UInt8>] {
    guard !address.contains(UInt8(ascii: ":")) else { return [(Bytes("[") + address + Bytes("]"))[...], []] }
    let dots = address.indices.filter { address[$0] == UInt8(ascii: ".") }
    return [address[...]] + dots.reversed().map { address[...$0] } + [[]]
  }

  /// ASCII case doesn't count.
  var folds: Bool { self != .bareDomains }
}

/// A control file as such a table.
struct DomainTable {
  /// A line that was found.
  struct Entry: Equatable {
    /// Where it stands: `control/smtproutes:3`.
    let place: String
    let value: ArraySlice<UInt8>
    /// How specific its key is: 0 for the name itself, more for less.
    let position: Int
  }

  /// What is looked up.
  enum Question {
    /// A name, under all of its keys.
    case name(Bytes)
    /// Exactly this key.
    case key(Bytes)
  }

  private enum Source {
    case text(ControlFile)
    case large(LargeTable)
  }

  private let source: Source
  private let keys: RouteKeys

  init(file: ControlFile, keys: RouteKeys) {
    source = .text(file)
    self.keys = keys
  }

  init(large: LargeTable, keys: RouteKeys) {
    source = .large(large)
    self.keys = keys
  }

  /// The entry for the most specific key that the file has for a name.
  /// - Throws: 4.3.0 when the file can't be read, 4.3.5 when the line is too long.
  func entry(for name: Bytes) throws(DeliveryFailure) -> Entry? { try entries(for: [.name(name)]).first ?? nil }

  /// Several at once, in one pass over the file.
  func entries(for questions: [Question]) throws(DeliveryFailure) -> [Entry?] {
    var answers = KeyAnswers(questions, keys)
    switch source {
    case .text(let file): try file.search(for: &answers)
    case .large(let table): try table.search(for: &answers)
    }
    return try answers.entries { number in
      switch source {
      case .text(let file): file.place(line: number)
      case .large(let table): table.place(line: number)
      }
    }
  }
}

/// The keys of some questions, and the best line so far for each of them.
struct KeyAnswers {
  /// A line that has one of the keys.
  struct Line {
    /// Counted from 1.
    let number: Int
    /// As it stands in the file but for the blanks at its end; if it is too long, only its beginning.
    let text: ArraySlice<UInt8>
    let isTooLong: Bool
  }

  private struct Best {
    let line: Line
    let position: Int
    let keyLength: Int
  }

  /// The questions that a key is for, and how specific it is for each.
  private struct Use {
    let key: Int
    let question: Int
    let position: Int
  }

  /// Each once, with capitals folded where case doesn't count.
  private(set) var keys: [Bytes] = []
  let folds: Bool
  private var uses: [Use] = []
  private var best: [Best?]

  init(_ questions: [DomainTable.Question], _ style: RouteKeys) {
    folds = style.folds
    best = Array(repeating: nil, count: questions.count)
    for (index, question) in questions.enumerated() {
      switch question {
      case .name(let name):
        for (position, key) in style.positions(of: name).enumerated() { add(key, index, position) }
      case .key(let key): add(key[...], index, 0)
      }
    }
  }

  private mutating func add(_ key: ArraySlice<UInt8>, _ question: Int, _ position: Int) {
    let key = folds ? key.map(\.lowered) : Bytes(key)
    let known = keys.firstIndex(of: key)
    uses.append(Use(key: known ?? keys.count, question: question, position: position))
    if known == nil { keys.append(key) }
  }

  /// Whether a line with this key would change an answer. Lines come in the order of the file, and the last of equals wins.
  func wants(_ key: Int) -> Bool {
    uses.contains { use in use.key == key && best[use.question].map { use.position <= $0.position } ?? true }
  }

  mutating func take(_ line: Line, key: Int) {
    for use in uses where use.key == key && best[use.question].map({ use.position <= $0.position }) ?? true {
      best[use.question] = Best(line: line, position: use.position, keyLength: keys[key].count)
    }
  }

  /// - Parameter place: for the number of a line.
  /// - Throws: 4.3.5 when an answer is a line that is too long.
  func entries(place: (Int) -> String) throws(DeliveryFailure) -> [DomainTable.Entry?] {
    var entries: [DomainTable.Entry?] = []
    for best in best {
      guard let best else {
        entries.append(nil)
        continue
      }
      let place = place(best.line.number)
      guard !best.line.isTooLong else { throw .controlInvalid(place, "a line of more than \(LineSearch.limit) bytes") }
      entries.append(
        DomainTable.Entry(place: place, value: best.line.text.dropFirst(best.keyLength + 1), position: best.position))
    }
    return entries
  }
}
