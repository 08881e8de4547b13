// remote_auth.cdb: users and passwords by address or word (qmail-remote(8) of indimail), and its text form. The record format is that of
// cdb-database(8): an assignment `=addr:user password[ edits]:` or `+prefix:…:`.
package import Agent

/// One record's data.
struct RemoteAuthRecord {
  let user: Bytes
  let password: Secret
  let edits: Bytes

  /// - Parameter data: `user password[ edits]`, blanks between; nil without a password.
  init?(_ data: Bytes) {
    let blank = UInt8(ascii: " ")
    let user = data.prefix { $0 != blank }
    let rest = data.dropFirst(user.count).drop { $0 == blank }
    let password = rest.prefix { $0 != blank }
    guard !user.isEmpty, !password.isEmpty else { return nil }
    self.user = Bytes(user)
    self.password = Secret(password)
    edits = Bytes(rest.dropFirst(password.count).drop { $0 == blank })
  }
}

/// How keys stand in the database.
package enum RemoteAuthKeys {
  static let marker = Bytes("!")

  /// Of an assignment to one address. Case doesn't count.
  package static func exact(_ address: Bytes) -> Bytes { marker + lowered(address) + [0] }

  /// Of an assignment to all addresses that begin so.
  package static func prefix(_ prefix: some Collection<UInt8>) -> Bytes { marker + lowered(Bytes(prefix)) }

  /// The record that tells the last bytes of all prefixes, so that not every one has to be tried.
  package static let lastBytes = Bytes()

  private static func lowered(_ bytes: Bytes) -> Bytes { bytes.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 } }
}

/// Looks an address up: a simple assignment before any wildcard, a longer prefix before a shorter one. What follows the prefix in the
/// address is not part of the data.
package struct RemoteAuthLookup {
  private let database: ConstantDatabase

  package init(database: ConstantDatabase) { self.database = database }

  package func data(for address: Bytes) throws(DeliveryFailure) -> Bytes? {
    if let data = try database.value(RemoteAuthKeys.exact(address)) { return data }
    let ends = try database.value(RemoteAuthKeys.lastBytes) ?? []
    for count in stride(from: address.count, through: 0, by: -1) {
      let prefix = address.prefix(count)
      // In small letters, as the keys are.
      let last = prefix.last.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }
      guard last.map(ends.contains) ?? true else { continue }
      if let data = try database.value(RemoteAuthKeys.prefix(prefix)) { return data }
    }
    return nil
  }
}

/// The text that a database is made from.
package enum AssignmentText {
  package struct Fault: Error {
    package let line: Int
  }

  /// The records for the database, in order: of equal keys the first is found. A line that begins with `.` ends the text.
  /// - Throws: the number of the first line that is no assignment.
  package static func records(_ text: Bytes) throws(Fault) -> [(key: Bytes, data: Bytes)] {
    var records: [(key: Bytes, data: Bytes)] = []
    var lastBytes: Set<UInt8> = []
    for (index, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      guard let kind = line.first, kind != UInt8(ascii: "#") else { continue }
      if kind == UInt8(ascii: ".") { break }
      let rest = line.dropFirst()
      guard kind == UInt8(ascii: "=") || kind == UInt8(ascii: "+"), let colon = rest.firstIndex(of: UInt8(ascii: ":")),
        rest.last == UInt8(ascii: ":"), colon < rest.endIndex - 1
      else { throw Fault(line: index + 1) }
      let address = Bytes(rest[..<colon])
      let isPrefix = kind == UInt8(ascii: "+")
      let key = isPrefix ? RemoteAuthKeys.prefix(address) : RemoteAuthKeys.exact(address)
      if isPrefix, let last = key.dropFirst().last { lastBytes.insert(last) }
      records.append((key, Bytes(rest[(colon + 1)...].dropLast())))
    }
    return records + [(RemoteAuthKeys.lastBytes, lastBytes.sorted())]
  }
}
