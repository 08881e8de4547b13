// The classes of rules in tlsdestinations (qmail-remote(8) of s/qmail): how their keys are written, in which order they are looked up,
// and what each demands. Knows nothing of what stands after a key.
internal import Agent

/// A class of rules.
struct DestinationClass: Sendable {
  enum Scope: Sendable {
    /// The name itself.
    case host
    /// The name itself, and what is below `.domain`.
    case domain
    /// Every name: the mark is the whole key.
    case everything
  }

  /// What stands before the name in a key.
  let mark: String
  let scope: Scope
  let level: TLSPolicy.Level
  var matching = TLSPolicy.Matching.wildcard
  var records = TLSPolicy.RecordUse.use
  var anonymous = TLSPolicy.Anonymous.refused

  /// A rule for one name or domain, in the order of the look-up: one that forbids TLS first, then from the most certain to the least.
  static let specific = [
    DestinationClass(mark: "!", scope: .domain, level: .none, records: .skip),
    DestinationClass(mark: "%", scope: .host, level: .pin, records: .skip),
    DestinationClass(mark: "=", scope: .host, level: .name, matching: .exact),
    DestinationClass(mark: "~", scope: .domain, level: .name, matching: .partial),
    DestinationClass(mark: "", scope: .domain, level: .encrypt),
    DestinationClass(mark: "-", scope: .domain, level: .encrypt, anonymous: .accepted),
    DestinationClass(mark: "/", scope: .domain, level: .may, records: .skip),
    DestinationClass(mark: "?", scope: .domain, level: .may),
  ]

  /// `!:` forbids TLS with everybody, and so comes before everything but a `!` of a name's own.
  static let forbidden = DestinationClass(mark: "!", scope: .everything, level: .none, records: .skip)

  /// The rules for everything else, in the same order.
  static let general = [
    DestinationClass(mark: "=*", scope: .everything, level: .name, matching: .exact),
    DestinationClass(mark: "~*", scope: .everything, level: .name, matching: .partial),
    DestinationClass(mark: "+*", scope: .everything, level: .verify),
    DestinationClass(mark: "-*", scope: .everything, level: .encrypt, anonymous: .accepted),
    DestinationClass(mark: "/*", scope: .everything, level: .encrypt, records: .skip),
    DestinationClass(mark: "?", scope: .everything, level: .may),
    DestinationClass(mark: "-", scope: .everything, level: .may, anonymous: .accepted),
    DestinationClass(mark: "/", scope: .everything, level: .may, records: .skip),
    DestinationClass(mark: "*", scope: .everything, level: .may),
  ]

  /// The keys that a name is found under, most specific first.
  func keys(for name: Bytes) -> [Bytes] {
    let mark = Bytes(self.mark)
    if scope == .everything { return [mark] }
    // No host is called so; its key would be that of another class.
    guard let first = name.first, name != Bytes("*"), !(mark.isEmpty && DestinationClass.marks.contains(first)) else {
      return []
    }
    let suffixes = scope == .domain ? name.indices.dropFirst().filter { name[$0] == UInt8(ascii: ".") } : []
    return [mark + name] + suffixes.map { mark + name[$0...] }
  }

  private static let marks = Bytes("!%=~-/?+")
}
