// Control files `domain:value:edits` of spawn-filter(8): the first line for a domain. A line may be kept for remote or for local mail.
internal import Agent

struct DomainTokens {
  let file: ControlFile
  let pattern: AddressPattern

  struct Entry: Equatable {
    let value: Bytes
    /// Edits of the environment, as in a route.
    let edits: Bytes
    /// `control/filterargs:3`.
    let place: String
  }

  /// - Returns: nil when no line matches; an entry without a value means that there is to be none.
  /// - Throws: 4.3.5 for a pattern that can't be followed.
  func entry(for domain: Bytes) throws(DeliveryFailure) -> Entry? {
    for (number, line) in file.lines {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let place = "\(file.place):\(number)"
      var rest = line[(colon + 1)...]
      if rest.starts(with: "local:".utf8) { continue }
      if rest.starts(with: "remote:".utf8) { rest = rest.dropFirst("remote:".utf8.count) }
      do throws(AddressPattern.Fault) {
        guard try matches(Bytes(line[..<colon]), domain) else { continue }
      } catch {
        throw .unusable(place, error.words)
      }
      let value = rest.prefix { $0 != UInt8(ascii: ":") }
      // Those of this line only: what other domains want is no business of this one's.
      return Entry(value: Bytes(value), edits: Bytes(rest[value.endIndex...].dropFirst()), place: place)
    }
    return nil
  }

  private func matches(_ key: Bytes, _ domain: Bytes) throws(AddressPattern.Fault) -> Bool {
    if key.equalsIgnoringCase(domain) { return true }
    return try pattern.matches(key, domain)
  }
}
