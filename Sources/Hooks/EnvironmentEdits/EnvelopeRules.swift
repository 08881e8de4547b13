// Files of rules `pattern:edits`: which edits of the environment they have for an address (spawn-filter(8)). Knows nothing of who applies
// them.
package import Agent

/// One file of rules.
package struct EnvelopeRules {
  private let file: ControlFile
  private let pattern: AddressPattern

  /// What a rule that matches says.
  package struct Rule: Equatable, Sendable {
    /// As it stands behind the colon: `NAME=value,NAME=`.
    package let edits: Bytes
    /// `control/rcpt.envrules:3`.
    package let place: String
  }

  /// The rules for senders.
  package static let ofSender = Source(variable: "FROMRULES", name: "fromd.envrules")
  /// The rules for recipients.
  package static let ofRecipient = Source(variable: "RCPTRULES", name: "rcpt.envrules")

  /// Where rules are: in a file, or in the one that a variable names.
  package struct Source: Sendable {
    let variable: String
    let name: String
  }

  /// - Parameter environment: says which file it is, and of what kind its patterns are.
  /// - Returns: nil when there is no such file.
  /// - Throws: 4.3.0 when it can't be read.
  package init?(
    _ source: Source, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) {
    guard let file = try control.file(environment.fileName(source.variable) ?? source.name) else { return nil }
    self.file = file
    pattern = AddressPattern(environment)
  }

  /// All rules that match, in order. A line without a colon is none.
  /// - Throws: 4.3.5 for a pattern that can't be followed: it might have matched.
  package func rules(for address: Bytes) throws(DeliveryFailure) -> [Rule] {
    var rules: [Rule] = []
    for (number, line) in file.lines {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let place = "\(file.place):\(number)"
      do throws(AddressPattern.Fault) {
        guard try matches(Bytes(line[..<colon]), address) else { continue }
      } catch {
        throw .unusable(place, error.words)
      }
      rules.append(Rule(edits: Bytes(line[(colon + 1)...]), place: place))
    }
    return rules
  }

  /// An empty pattern, and `<>`, are the null address, also where an empty pattern would be found in any text.
  private func matches(_ pattern: Bytes, _ address: Bytes) throws(AddressPattern.Fault) -> Bool {
    if pattern.isEmpty || pattern == Bytes("<>") { return address.isEmpty }
    return try self.pattern.matches(pattern, address)
  }
}
