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

  func matches(_ key: ArraySlice<UInt8>, _ position: ArraySlice<UInt8>) -> Bool {
    self == .bareDomains ? key == position : key.equalsIgnoringCase(position)
  }
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

  let file: ControlFile
  let keys: RouteKeys

  /// The entry for the most specific key that the file has for a name. One pass over the file, whatever its size: since keys of
  /// one name differ in length, a line's key can only be the one of its own length.
  func entry(for name: Bytes) -> Entry? { entry(among: keys.positions(of: name)) }

  /// The entry under exactly this key.
  func entry(key: String) -> Entry? { entry(among: [Bytes(key)[...]]) }

  private func entry(among positions: [ArraySlice<UInt8>]) -> Entry? {
    var ofLength: [Int: Int] = [:]
    for (position, key) in positions.enumerated() { ofLength[key.count] = position }
    var found: (number: Int, value: ArraySlice<UInt8>, position: Int)?
    file.forEachLine { number, line in
      guard let colon = DomainTable.keyEnd(line), let position = ofLength[line.distance(from: line.startIndex, to: colon)],
        position <= found?.position ?? position, keys.matches(line[..<colon], positions[position])
      else { return }
      found = (number, line[(colon + 1)...], position)
    }
    return found.map { Entry(place: file.place(line: $0.number), value: $0.value, position: $0.position) }
  }

  /// Where the colon after the key stands. An address literal in brackets is a key with colons of its own.
  private static func keyEnd(_ line: ArraySlice<UInt8>) -> Int? {
    if line.first == UInt8(ascii: "["), let bracket = line.firstIndex(of: UInt8(ascii: "]")), bracket + 1 < line.endIndex,
      line[bracket + 1] == UInt8(ascii: ":")
    {
      return bracket + 1
    }
    return line.firstIndex(of: UInt8(ascii: ":"))
  }
}
