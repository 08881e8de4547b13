// Two machines as of TwoNetworks, with signed zones behind a validating resolver on the machine that delivers, and servers with any
// behaviour of TLS at port 25 of the other: what DANE (RFC 7672) needs to be tested from end to end.
import Foundation
import Support

final class SecureNetworks: Sendable {
  private let networks: TwoNetworks
  private let laboratory: DNSLaboratory
  private let servers: TLSServers

  /// The addresses that records can name, one for each row of a table.
  static func address(_ row: Int) -> String { "192.0.2.\(60 + row)" }
  static let rows = 0..<130

  /// - Parameter records: lines of a ZoneTable, below the zones of LookupTable: `signed.test` and those that are otherwise.
  init(records: String) throws {
    networks = try TwoNetworks(servers: SecureNetworks.rows.map(SecureNetworks.address))
    laboratory = try DNSLaboratory(LookupTable.zoneTable(records: records), in: networks.here)
    servers = try networks.there.run { try TLSServers() }
  }

  /// Starts a server at port 25 of an address.
  func serve(_ behaviour: TLSBehaviour, at address: String) throws -> TLSServer {
    var behaviour = behaviour
    behaviour.address = address
    if behaviour.port == 0 { behaviour.port = 25 }
    return try servers.start(behaviour)
  }

  /// Delivers from the first machine, with the validating resolver.
  func run(_ remote: Remote) throws -> FinishedProcess {
    var remote = remote
    remote.environment["QMAILREMOTE_RESOLVER"] = laboratory.resolver
    return try networks.here.run { [remote] in try remote.run() }
  }

  /// Does something else on the first machine.
  func here<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result { try networks.here.run(body) }

  /// Runs posttls-finger(1) on the first machine, with the validating resolver.
  /// - Returns: all that it prints.
  func finger(_ operands: String...) throws -> String {
    try networks.here.run { try PosttlsFinger.run(operands, nameServer: "127.0.0.1") }
  }
}
