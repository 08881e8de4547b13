// The environment as a value: what the process started with, and later the edits of routes and hooks, which change this value and
// never the process's own (design: a hook's environment is built, not inherited).
internal import CSystem

/// Names and values in the order they came.
public struct Environment: Equatable, Sendable {
  private var entries: [Bytes]

  /// - Parameter entries: `NAME=value` each.
  public init(_ entries: [Bytes]) { self.entries = entries }

  public init(_ values: [String: String] = [:]) {
    entries = values.sorted { $0.key < $1.key }.map { Bytes("\($0.key)=\($0.value)") }
  }

  /// Hold routes, in which user and password follow the first blank or `|`.
  package static let routeNames = ["SMTPROUTE", "X-SMTPROUTES", "X_SMTPROUTES", "QMTPROUTE"]

  /// Hold a secret and nothing else.
  package static let secretNames = ["SIGNKEY"]

  /// The environment that the process was started with. What of it is secret is cleared in the process's own memory, where ps(1) and
  /// whoever may read /proc would see it.
  public static func ofProcess() -> Environment {
    let environment = ownEntries()
    for name in routeNames { unsafe csys_environment_cut(name, " \t|") }
    for name in secretNames { unsafe csys_environment_cut(name, nil) }
    return environment
  }

  private static func ownEntries() -> Environment {
    var entries: [Bytes] = []
    guard var next = unsafe csys_environment() else { return Environment([]) }
    while let entry = unsafe next.pointee {
      entries.append(unsafe Bytes(cString: entry))
      unsafe next += 1
    }
    return Environment(entries)
  }

  /// All entries, `NAME=value` each.
  public var all: [Bytes] { entries }

  package mutating func remove(_ name: String) { remove(Bytes(name)) }

  mutating func remove(_ name: Bytes) {
    entries.removeAll { $0.count > name.count && $0[name.count] == UInt8(ascii: "=") && $0.starts(with: name) }
  }

  mutating func append(_ name: Bytes, _ value: Bytes) { entries.append(name + Bytes("=") + value) }

  /// The value of a variable that names a file; nil when unset or empty.
  package func fileName(_ name: String) -> String? {
    guard let value = value(name), !value.isEmpty else { return nil }
    return value.text
  }

  /// The value of `name`; nil when unset, empty when set to nothing. The first of several entries counts, as in getenv(3).
  public func value(_ name: String) -> Bytes? {
    for entry in entries {
      guard entry.count > name.utf8.count, entry[name.utf8.count] == UInt8(ascii: "="), entry.starts(with: name.utf8) else {
        continue
      }
      return Bytes(entry[(name.utf8.count + 1)...])
    }
    return nil
  }
}

extension Bytes {
  /// A copy of a C string, without its null byte.
  @unsafe init(cString start: UnsafePointer<CChar>) {
    self = unsafe Bytes(UnsafeRawBufferPointer(start: start, count: strlen(start)))
  }
}
