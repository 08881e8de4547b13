// Options of the programs around a delivery, read as getopt(3) reads them. qmail-remote itself has none.

/// What a command line holds.
package struct Options {
  /// In the order they came; an option without a value has an empty one.
  package private(set) var given: [(letter: Character, value: Bytes)] = []
  /// What follows the options.
  package private(set) var operands: [Bytes] = []

  /// - Parameter letters: the options there are, each followed by a colon if it takes a value.
  /// - Returns: nil for another option, and for a value that is missing.
  package init?(_ arguments: [Bytes], letters: String) {
    let dash = UInt8(ascii: "-")
    var rest = arguments[...]
    while let word = rest.first, word.count > 1, word.first == dash {
      rest = rest.dropFirst()
      if word == [dash, dash] { break }
      var cluster = word.dropFirst()
      while let byte = cluster.popFirst() {
        let letter = Character(Unicode.Scalar(byte))
        guard letter != ":", let position = letters.firstIndex(of: letter) else { return nil }
        let takesValue = letters[letters.index(after: position)...].first == ":"
        guard takesValue else {
          given.append((letter, []))
          continue
        }
        if cluster.isEmpty {
          guard let value = rest.popFirst() else { return nil }
          given.append((letter, value))
        } else {
          given.append((letter, Bytes(cluster)))
          cluster = []
        }
      }
    }
    operands = Array(rest)
  }

  package func has(_ letter: Character) -> Bool { given.contains { $0.letter == letter } }

  /// The last value counts.
  package func value(_ letter: Character) -> Bytes? { given.last { $0.letter == letter }?.value }
}
