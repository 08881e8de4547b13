// The environment of a program: built for it from the delivery's, never the process's own, and without secrets.
internal import Agent

/// What a program gets as its environment.
struct HookEnvironment {
  /// The version of the contract in qmail-remote-hooks(7).
  static let version = "1"

  /// `NAME=value` each.
  let entries: [Bytes]

  /// For a program at a point.
  init(_ environment: Environment, _ point: HookPoint, control: Bytes, dialect: Dialect) {
    self.init(
      environment,
      own: [
        ("HOOKVERSION", Bytes(HookEnvironment.version)), ("HOOKPOINT", Bytes(point.rawValue)), ("CONTROLDIR", control),
        ("DIALECT", Bytes(dialect.rawValue)),
      ])
  }

  /// - Parameters:
  ///   - own: what the program is told; takes the place of what stands under the same names.
  ///   - hidden: further names that it doesn't get.
  init(_ environment: Environment, own: [(name: String, value: Bytes)], hidden: [String] = []) {
    var seen = Set((own.map(\.name) + hidden + Environment.secretNames).map { Bytes($0) })
    var entries: [Bytes] = []
    for entry in environment.all {
      // Of two entries the first counts, as it does for us; a shell might take the other.
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals > 0, !entry.contains(0),
        seen.insert(Bytes(entry[..<equals])).inserted
      else { continue }
      entries.append(HookEnvironment.withoutSecret(entry, nameLength: equals))
    }
    self.entries = entries + own.map { Bytes("\($0.name)=") + $0.value }
  }

  /// A variable must not grow without bounds, for the program could not be started then.
  private static let textLimit = 4_096

  /// Remote words as a variable: control bytes as `?`, and nothing that old shells took for a function.
  static func shown(_ text: Bytes) -> Bytes {
    var shown = text.map { byte in
      byte >= 32 && byte != 127 || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t") ? byte : UInt8(ascii: "?")
    }
    if shown.starts(with: "() {".utf8) { shown.insert(UInt8(ascii: " "), at: 0) }
    return Bytes(shown.prefix(textLimit))
  }

  private static func withoutSecret(_ entry: Bytes, nameLength: Int) -> Bytes {
    guard Environment.routeNames.contains(where: { entry[..<nameLength].elementsEqual($0.utf8) }) else { return entry }
    return Bytes(entry.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "|") })
  }
}
