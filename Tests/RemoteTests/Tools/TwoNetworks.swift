// Two machines joined by a cable, as namespaces: the program on one, mail servers on port 25 and a name server on the other. Only so
// can mail exchangers be tested: they have no port, and the machine's own addresses are never connected to.
import Foundation
import Support

struct TwoNetworks: Sendable {
  let here: NetworkNamespace
  let there: NetworkNamespace

  /// The program's own addresses.
  static let own = ["192.0.2.1", "2001:db8::1"]
  private static let nameServer = "192.0.2.53"

  /// Where servers can be, if nothing else is said.
  static let servers = (11...16).flatMap { ["192.0.2.\($0)", "2001:db8::\($0)"] }

  /// - Parameter servers: the addresses of the other machine, of 192.0.2.0/24 and 2001:db8::/64.
  init(servers: [String] = TwoNetworks.servers) throws {
    here = try NetworkNamespace()
    there = try NetworkNamespace()
    try here.join(there, "here", "there")
    let folder = try TemporaryFolder()
    let servers = servers + [TwoNetworks.nameServer]
    try configure(here, "here", TwoNetworks.own, peers: servers, folder)
    try configure(there, "there", servers, peers: TwoNetworks.own, folder)
  }

  private static let hardware = ["here": "02:00:00:00:00:01", "there": "02:00:00:00:00:02"]

  private func configure(
    _ network: NetworkNamespace, _ device: String, _ addresses: [String], peers: [String], _ folder: TemporaryFolder
  ) throws {
    let own = TwoNetworks.hardware[device] ?? ""
    let other = TwoNetworks.hardware[device == "here" ? "there" : "here"] ?? ""
    let lines = addresses.map { address in
      // Without the wait for another machine with the same address.
      address.contains(":") ? "addr add \(address)/64 dev \(device) nodad" : "addr add \(address)/24 dev \(device)"
    }
    // Neighbours are known: on a new link the first search for one takes IPv6 a second, in which IPv4 would win every race.
    let neighbours = peers.map { "neigh add \($0) lladdr \(other) dev \(device) nud permanent" }
    let all = ["link set \(device) address \(own)"] + lines + ["link set \(device) up"] + neighbours + [""]
    let batch = try folder.write(device, all.joined(separator: "\n"))
    try network.command("ip", "-batch", batch)
  }

  /// What came of a delivery.
  struct Outcome: Sendable {
    let finished: FinishedProcess
    /// The addresses that were connected to, in that order.
    let contacts: [String]
    let questions: [String]
    let dialogues: [String: [Dialogue]]
  }

  /// Somebody who listens.
  struct Server: Sendable {
    let address: String
    let port: UInt16
    let serve: @Sendable (Peer) throws -> Void

    init(_ address: String, _ port: UInt16, serve: @escaping @Sendable (Peer) throws -> Void) {
      self.address = address
      self.port = port
      self.serve = serve
    }
  }

  /// Delivers by DNS to these servers.
  func deliver(zone: String, servers: [Server], _ remote: Remote) throws -> FinishedProcess {
    let running = try servers.map { server in
      try there.run { try ScriptedServer(address: server.address, port: server.port, serve: server.serve) }
    }
    let names = try there.run { try TestNameServer(address: TwoNetworks.nameServer, zone: zone) }
    defer { names.finish() }
    var remote = remote
    remote.environment["QMAILREMOTE_RESOLVER"] = names.resolver
    let finished = try here.run { [remote] in try remote.run() }
    for server in running { server.finish() }
    return finished
  }

  /// Delivers by DNS.
  /// - Parameters:
  ///   - servers: who listens on port 25, by address; at other addresses nobody does.
  ///   - truncates: DNS answers only over TCP.
  func deliver(
    zone: String, servers: [String: SMTPScript], _ remote: Remote, truncates: Bool = false
  ) throws -> Outcome {
    let contacts = Shared<[String]>([])
    var running: [String: ScriptedServer] = [:]
    for (address, script) in servers {
      let network = TwoNetworks.own.contains(address) || address.hasPrefix("127.") ? here : there
      running[address] = try network.run {
        try ScriptedServer(address: address, port: 25) { peer in
          contacts.change { $0.append(address) }
          try script.serve(peer)
        }
      }
    }
    let names = try there.run { try TestNameServer(address: TwoNetworks.nameServer, zone: zone, truncates: truncates) }
    defer { names.finish() }
    var remote = remote
    remote.environment["QMAILREMOTE_RESOLVER"] = names.resolver
    let finished = try here.run { [remote] in try remote.run() }
    let dialogues = running.mapValues { $0.finish() }
    return Outcome(finished: finished, contacts: contacts.value, questions: names.questions, dialogues: dialogues)
  }
}
