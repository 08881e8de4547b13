// The table of look-ups, and the zones that its rows stand in.
import Support

enum LookupTable {
  static let cases = ValidationCases.all + AliasCases.all + ExchangerCases.all + RouteCases.all

  /// The parents are served at one address, the children at another: so that a child can be missing where its parent says it is.
  static let parentServer = "ns.test"
  static let childServer = "kid.test"
  static let parentAddress = "127.0.0.10"
  static let childAddress = "127.0.0.11"

  static let zones =
    [
      ZoneTable.Zone("", .signed, at: parentServer), ZoneTable.Zone("test", .signed, at: parentServer),
      ZoneTable.Zone("signed.test", .signed, at: childServer), ZoneTable.Zone("open.test", .unsigned, at: childServer),
      ZoneTable.Zone("_tcp.island.signed.test", .unsigned, at: childServer),
      ZoneTable.Zone("expired.test", .expired, at: childServer), ZoneTable.Zone("lame.test", .lame, at: childServer),
      ZoneTable.Zone("failing.test", .failing, at: childServer),
    ]

  static func zoneTable() throws -> ZoneTable { try zoneTable(records: cases.map(\.zone).joined(separator: "\n")) }

  /// The zones with other records, as of ZoneTable.
  static func zoneTable(records: String) throws -> ZoneTable {
    let own = "\(parentServer) A \(parentAddress)\n\(childServer) A \(childAddress)\n\(sign) A 192.0.2.99"
    return try ZoneTable(zones: zones, records: own + "\n" + records)
  }

  /// A name that the children's server has in any case: when it is found, the server is up.
  static let sign = "sign.open.test"
}

extension LookupCase {
  /// The addresses of the machine that looks up, beside loopback.
  static let ownAddresses = ["192.0.2.200", "2001:db8::200"]
}
