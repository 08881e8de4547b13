// The patterns of qmail's address lists (wildmat): `*`, `?`, `[set]`, `[^set]`, and a backslash before any byte that is meant itself. The
// whole text has to match; case counts.
internal import Agent

/// A pattern.
package struct Wildmat: Equatable, Sendable {
  private enum Element: Equatable, Sendable {
    case byte(UInt8)
    case anyByte
    case set([ClosedRange<UInt8>], isNegated: Bool)
    case anything

    func matches(_ byte: UInt8) -> Bool {
      switch self {
      case .byte(let wanted): byte == wanted
      case .anyByte: true
      case .set(let ranges, let isNegated): ranges.contains { $0.contains(byte) } != isNegated
      case .anything: false
      }
    }
  }

  /// Why a pattern is none.
  package struct Fault: Error, Equatable {
    package let words: String
  }

  private let elements: [Element]

  package init(_ pattern: some Collection<UInt8>) throws(Fault) {
    var elements: [Element] = []
    var rest = Bytes(pattern)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"):
        if elements.last != .anything { elements.append(.anything) }
      case UInt8(ascii: "?"): elements.append(.anyByte)
      case UInt8(ascii: "["): elements.append(try Wildmat.set(&rest))
      case UInt8(ascii: "\\"):
        guard let byte = rest.popFirst() else { throw Fault(words: "its pattern ends in a backslash") }
        elements.append(.byte(byte))
      default: elements.append(.byte(byte))
      }
    }
    self.elements = elements
  }

  /// What stands between the brackets: bytes and ranges. A bracket that comes first is a byte, and so is a dash at either end.
  private static func set(_ rest: inout ArraySlice<UInt8>) throws(Fault) -> Element {
    let isNegated = rest.first == UInt8(ascii: "^")
    if isNegated { rest = rest.dropFirst() }
    var ranges: [ClosedRange<UInt8>] = []
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "]"), !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
      if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first, end != UInt8(ascii: "]") {
        guard byte <= end else { throw Fault(words: "its pattern has a range that ends before it begins") }
        ranges.append(byte...end)
        rest = rest.dropFirst(2)
      } else {
        ranges.append(byte...byte)
      }
    }
    throw Fault(words: "its pattern has a [ without its ]")
  }

  /// In time that grows with pattern times text, whatever the pattern: only the last `*` is ever tried again, since what comes before it
  /// has matched as early as it can.
  package func matches(_ text: some Collection<UInt8>) -> Bool {
    let text = Bytes(text)
    var (position, element) = (0, 0)
    var retry: (position: Int, element: Int)?
    while position < text.count {
      if element < elements.count, elements[element] == .anything {
        element += 1
        retry = (position, element)
      } else if element < elements.count, elements[element].matches(text[position]) {
        position += 1
        element += 1
      } else if let last = retry {
        position = last.position + 1
        element = last.element
        retry = (position, element)
      } else {
        return false
      }
    }
    return elements[element...].allSatisfy { $0 == .anything }
  }
}
