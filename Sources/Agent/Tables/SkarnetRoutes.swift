// The form in which skarnet's qmail-remote keeps compiled routes, run/qmail-remote/smtproutes.cdb: its records can stand in one file with
// those of an index, so that both programs can live with what the other has made.

/// In which form an index is kept.
enum TableIndexStyle: Equatable {
  /// For ourselves.
  case own
  /// With records for skarnet's program besides, in the file that it reads.
  case skarnet
}

/// A line of smtproutes as that program's grammar has it: a key and a relay of some letters, and a port of digits. No blanks.
struct SkarnetRoute {
  /// The key and a null byte.
  let key: Bytes
  /// The port, the higher byte first, the relay and a null byte.
  let data: Bytes

  private static let usualPort: UInt16 = 25

  /// nil when the line doesn't fit.
  init?(_ line: FoundLine) {
    let text = line.bytes
    guard line.hasKey, !line.isTooLong, !line.endsInNull else { return nil }
    let key = text[..<line.key]
    let value = text[(line.key + 1)...]
    let relay = value.prefix { $0 != UInt8(ascii: ":") }
    guard key.allSatisfy(SkarnetRoute.isLetter), relay.allSatisfy(SkarnetRoute.isLetter) else { return nil }
    var port = SkarnetRoute.usualPort
    if relay.endIndex < value.endIndex {
      let digits = value[(relay.endIndex + 1)...]
      guard !relay.isEmpty, let number = digits.decimal, number > 0, let given = UInt16(exactly: number) else { return nil }
      port = given
    }
    self.key = key + [0]
    data = [UInt8(port >> 8), UInt8(port & 0xff)] + relay + [0]
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte.isDigit || (97...122).contains(byte.lowered) || "!$%&+-./=?@^_`".utf8.contains(byte)
  }

  /// Whether every line of a table fits.
  static func fit(_ table: LargeTable) -> Bool {
    var fits = true
    do throws(DeliveryFailure) {
      try table.forEachLine { if fits, SkarnetRoute($0) == nil { fits = false } }
    } catch {
      return false
    }
    return fits
  }
}
