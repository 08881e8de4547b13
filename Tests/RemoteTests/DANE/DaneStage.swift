// The names, certificates and servers that the rows of DANE's table stand for: all in one network, up before the first row runs.
import Foundation
import Support

final class DaneStage: Sendable {
  /// For all rows.
  static let shared = Result { try DaneStage(DaneTable.rows) }

  /// A row's part of it.
  private struct Part: Sendable {
    let addresses: [String]
    let identities: [TestIdentity]
  }

  private let networks: SecureNetworks
  private let parts: [String: Part]
  /// qmail-daned(8), as often as it has states to tell.
  private let services: [UInt8: DatagramServer]
  private let folder: TemporaryFolder
  /// Known to nobody's records.
  private let other: TestIdentity

  private init(_ rows: [DaneRow]) throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    let pki = try TestPKI.shared.get()
    other = pki[.cnOnly]
    var parts: [String: Part] = [:]
    var records = ""
    var taken = 0
    for row in rows {
      let count = row.hasNext ? 2 : 1
      guard parts[row.label] == nil, SecureNetworks.rows.contains(taken + count - 1) else {
        throw SpawnFault(description: "no place for the row \(row.label)")
      }
      let addresses = (taken..<(taken + count)).map(SecureNetworks.address)
      taken += count
      var identities = [pki[row.certificate], pki[.rsa]]
      if !row.names.isEmpty {
        let names = row.names.map { "DNS:" + $0.replacingOccurrences(of: "HOST", with: row.domain) }.joined(separator: ",")
        identities[0] = try pki.issue(row.label, into: folder, ["names=\(names)"] + row.settings)
      }
      parts[row.label] = Part(addresses: addresses, identities: identities)
      records += try DaneStage.filled(row.records, row, parts[row.label], pki) + "\n"
    }
    self.parts = parts
    let networks = try SecureNetworks(records: records)
    self.networks = networks
    var services: [UInt8: DatagramServer] = [:]
    for state: UInt8 in [2, 3] { services[state] = try networks.here { try DatagramServer { _ in [1, state] } } }
    self.services = services
  }

  /// `HOST`, `LABEL`, `ADDRESS` and `NEXT` are the row's own, `<3 1 1>` the data of a record for the certificate, or with usages 0 and 2
  /// for the authority that issued it, `<2 0 1 root>` for the root, `<3 1 1 wrong>` with another last digit, `<3 1 1 next>` for the
  /// server at NEXT.
  private static func filled(_ text: String, _ row: DaneRow, _ part: Part?, _ pki: TestPKI) throws -> String {
    guard let part else { return "" }
    var pieces = text.components(separatedBy: "<").map { $0.components(separatedBy: ">") }
    for index in pieces.indices.dropFirst() {
      let words = pieces[index][0].split(separator: " ").map(String.init)
      let numbers = words.compactMap { Int($0) }
      let isAuthority = numbers[0] == 0 || numbers[0] == 2
      let identity = part.identities[words.last == "next" ? 1 : 0]
      let subject = words.last == "root" ? pki[.rootEC] : isAuthority ? pki[.intermediateEC] : identity
      let data = try subject.tlsa(numbers[0], numbers[1], numbers[2])
      pieces[index][0] = words.last == "wrong" ? data.dropLast() + (data.last == "0" ? "1" : "0") : data
    }
    return own(pieces.map { $0.joined() }.joined(), row, part)
  }

  private static func own(_ text: String, _ row: DaneRow, _ part: Part) -> String {
    text.replacingOccurrences(of: "HOST", with: row.domain).replacingOccurrences(of: "LABEL", with: row.label)
      .replacingOccurrences(of: "ADDRESS", with: part.addresses[0])
      .replacingOccurrences(of: "NEXT", with: part.addresses.last ?? "")
      .replacingOccurrences(of: "PIN", with: (try? part.identities[0].fingerprint(.sha256)) ?? "")
  }

  /// What came of a row.
  struct Played {
    let addresses: [String]
    let report: String
    /// Of each server, those of the program and those of posttls-finger.
    let sessions: [[TLSSession]]
    /// nil if it isn't asked.
    let tool: String?
    let fingered: [TLSSession]
    let expectedName: String?
  }

  func play(_ row: DaneRow) throws -> Played {
    guard let part = parts[row.label] else { throw SpawnFault(description: "no row \(row.label)") }
    func own(_ text: String) -> String { DaneStage.own(text, row, part) }
    var remote = Remote()
    remote.host = own(row.host)
    remote.recipients = ["user@\(own("HOST"))"]
    remote.environment = ["QMAILREMOTE_DIALECT": row.dialect].merging(row.environment) { $1 }
    if let state = row.serviceState, let service = services[state] {
      remote.environment["DANE_VERIFICATION"] = "127.0.0.1@\(service.port)"
    }
    if row.dialect == "indimail" { remote.operands = [remote.host, remote.sender, "", "100"] + remote.recipients }
    for (name, content) in row.control { remote.control[name] = own(content) }

    let servers = try serve(row, part)
    let output = visible(try networks.run(remote).output)
    let sessions = try servers.map { try $0.finish() }
    guard case .mute = row.tool else {
      let again = try serve(row, part)
      let said = try networks.finger("-c", "-l", "dane", "-L", "summary", own(row.fingerHost ?? row.host))
      let fingered = try again.flatMap { try $0.finish() }
      return Played(
        addresses: part.addresses, report: output, sessions: sessions, tool: said, fingered: fingered,
        expectedName: row.serverName.map(own))
    }
    return Played(
      addresses: part.addresses, report: output, sessions: sessions, tool: nil, fingered: [],
      expectedName: row.serverName.map(own))
  }

  private func serve(_ row: DaneRow, _ part: Part) throws -> [TLSServer] {
    try zip(part.addresses, part.identities).enumerated().map { number, place in
      let (address, identity) = place
      var behaviour = TLSBehaviour(identity)
      behaviour.port = row.port
      if number == 0 {
        if row.sendsRoot { behaviour.identities = [.init(chain: identity.fullChain, key: identity.key)] }
        if let name = row.certificateFor {
          behaviour.identities = [.init(other)]
          behaviour.namedIdentities = [DaneStage.own(name, row, part): .init(identity)]
        }
        row.behaviour(&behaviour)
      }
      return try networks.serve(behaviour, at: address)
    }
  }
}
