// Edits of the environment that routes, credentials and hooks ask for (indimail's envstr). They change the agent's value, never the
// process; and not everything may be edited.

/// One edit.
public enum EnvironmentEdit: Equatable, Sendable {
  case set(name: Bytes, value: Bytes)
  case unset(name: Bytes)

  public var name: Bytes {
    switch self {
    case .set(let name, _), .unset(let name): name
    }
  }
}

/// Edits and where they stand.
public struct EnvironmentEdits: Equatable, Sendable {
  public let edits: [EnvironmentEdit]
  /// `control/smtproutes:3`, or the hook.
  public let source: String

  /// - Throws: 4.3.5 for a name that may not be edited, or is none.
  public init(_ edits: [EnvironmentEdit], source: String) throws(DeliveryFailure) {
    for edit in edits {
      if let fault = EnvironmentEdits.fault(edit.name, source) { throw .controlInvalid(source, fault) }
    }
    self.edits = edits
    self.source = source
  }

  /// Reads envstr: `NAME=value` and `NAME=` (unset), divided by commas; `\,` is a comma of the value.
  public init(envstr: Bytes, source: String) throws(DeliveryFailure) {
    try self.init(try EnvironmentEdits.parse(envstr: envstr, source: source), source: source)
  }

  /// The same, with any names: for programs whose edits become the environment of the next.
  package static func parse(envstr: Bytes, source: String) throws(DeliveryFailure) -> [EnvironmentEdit] {
    var edits: [EnvironmentEdit] = []
    for item in EnvironmentEdits.items(envstr) where !item.isEmpty {
      guard let equals = item.firstIndex(of: UInt8(ascii: "=")) else {
        // Not shown: next to credentials it may be part of one.
        throw .controlInvalid(source, "an edit of the environment has no =")
      }
      let name = Bytes(item[..<equals])
      if name.isEmpty { throw .controlInvalid(source, EnvironmentEdits.namelessEdit) }
      let value = Bytes(item[(equals + 1)...])
      edits.append(value.isEmpty ? .unset(name: name) : .set(name: name, value: value))
    }
    return edits
  }

  private static let namelessEdit = "an edit of the environment has no name"

  private static func items(_ envstr: Bytes) -> [Bytes] {
    var items: [Bytes] = [[]]
    var isEscaped = false
    for byte in envstr {
      switch byte {
      case UInt8(ascii: "\\") where !isEscaped:
        isEscaped = true
        continue
      case UInt8(ascii: ",") where !isEscaped: items.append([])
      case UInt8(ascii: " ") where items[items.count - 1].isEmpty && !isEscaped: break
      default:
        if isEscaped, byte != UInt8(ascii: ",") { items[items.count - 1].append(UInt8(ascii: "\\")) }
        items[items.count - 1].append(byte)
      }
      isEscaped = false
    }
    if isEscaped { items[items.count - 1].append(UInt8(ascii: "\\")) }
    return items
  }

  /// Why a name may not be edited; nil when it may. What decides which code runs, and what was read before an edit can come, stays as the
  /// process was started with it.
  private static func fault(_ name: Bytes, _ source: String) -> String? {
    if name.isEmpty { return namelessEdit }
    // `BASH_FUNC_cat%%` is how bash takes a function from its environment; X-SMTPROUTES is a name that this program itself knows.
    guard name.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }) else {
      return "an edit of the environment has no proper name"
    }
    let isProtected =
      protectedNames.contains { name.elementsEqual($0.utf8) } || protectedPrefixes.contains { name.starts(with: $0.utf8) }
      // A variable may hold what a message brought along, and no message names programs or where they look for their settings.
      || (ControlFile.isVariable(source) && namesOfTheSite.contains { name.elementsEqual($0.utf8) })
    return isProtected ? "\(name.text) may not be edited" : nil
  }

  /// Name programs that will be run, or the settings of such programs.
  private static let namesOfTheSite = [
    "ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE", "HOME", "CURL_HOME", "XDG_CONFIG_HOME", "HOSTALIASES",
    "LOCALDOMAIN", "RES_OPTIONS", "LOCPATH", "NLSPATH", "SENDMAIL",
  ]

  private static let protectedNames = [
    "PATH", "IFS", "ENV", "PS4", "SHELLOPTS", "TMPDIR", "NOSANDBOX", "HOOKDIR", "CONTROLDIR", "QUEUEDIR", "GCONV_PATH",
    "SMTPROUTE",
    "X-SMTPROUTES",
    "QMTPROUTE", "ENVRULES_REMOTE", "SMTPROUTESFILE", "QMTPROUTESFILE", "MORESMTPROUTESCDB",
  ]
  private static let protectedPrefixes = [
    "LD_", "QMAILREMOTE", "BASH", "PERL", "PYTHON", "RUBY", "NODE_", "LUA_", "MALLOC_", "GLIBC_", "OPENSSL_", "SSL_", "SWIFT_",
  ]
}

extension Environment {
  public mutating func apply(_ edits: EnvironmentEdits) { apply(edits.edits) }

  package mutating func apply(_ edits: [EnvironmentEdit]) {
    for edit in edits {
      remove(edit.name)
      if case .set(let name, let value) = edit { append(name, value) }
    }
  }
}
