// Two machines joined by a cable, and addresses behind it that swallow every packet: the neighbour table of the one machine says that
// they are at a place where nobody is, so that nothing comes back, not even an error.
import Foundation
import Support

final class DeadPathNetwork: Sendable {
  let here: NetworkNamespace
  private let there: NetworkNamespace
  private let folder: TemporaryFolder

  /// What answers, what refuses, and what swallows.
  static let alive = (v4: "203.0.113.11", v6: "2001:db8:f::11")
  static let refusing = (v4: "203.0.113.12", v6: "2001:db8:f::12")
  static let dead = (v4: "203.0.113.66", v6: "2001:db8:f::66")

  init() throws {
    here = try NetworkNamespace()
    there = try NetworkNamespace()
    folder = try TemporaryFolder()
    try here.join(there, "here", "there")
    let own = ["203.0.113.1", "2001:db8:f::1"]
    let reachable = [DeadPathNetwork.alive, DeadPathNetwork.refusing].flatMap { [$0.v4, $0.v6] }
    let dead = [DeadPathNetwork.dead.v4, DeadPathNetwork.dead.v6]
    try configure(
      here, "here", place: 1, addresses: own,
      neighbours: reachable.map { ($0, DeadPathNetwork.place(2)) } + dead.map { ($0, DeadPathNetwork.place(3)) })
    try configure(
      there, "there", place: 2, addresses: reachable + dead, neighbours: own.map { ($0, DeadPathNetwork.place(1)) })
  }

  /// A hardware address.
  private static func place(_ number: Int) -> String { "02:00:00:00:00:\(10 + number)" }

  /// Neighbours are told, not found: on a cable that was just plugged in, finding takes a second and more.
  private func configure(
    _ network: NetworkNamespace, _ device: String, place: Int, addresses: [String], neighbours: [(String, String)]
  ) throws {
    var lines = ["link set \(device) address \(DeadPathNetwork.place(place))", "link set \(device) up"]
    lines += addresses.map { address in
      // Without the wait for another machine with the same address.
      address.contains(":") ? "addr add \(address)/64 dev \(device) nodad" : "addr add \(address)/24 dev \(device)"
    }
    lines += neighbours.map { "neigh add \($0) lladdr \($1) dev \(device) nud permanent" }
    try network.command("ip", "-batch", try folder.write(device, (lines + [""]).joined(separator: "\n")))
  }

  /// A mail server, also at an address that swallows: whoever gets through to it has left a socket open for too long.
  func server(at address: String, _ serve: @escaping @Sendable (Peer) throws -> Void) throws -> ScriptedServer {
    try there.run { try ScriptedServer(address: address, port: 25, serve: serve) }
  }

  func nameServer(zone: String) throws -> TestNameServer { try here.run { try TestNameServer(zone: zone) } }

  /// Connections of this machine that wait for an answer to their first packet (state SYN_SENT), by the kernel's table.
  func connectionsUnderWay() throws -> Int {
    try here.run {
      try ["tcp", "tcp6"].reduce(0) { count, table in
        // Not /proc/net: that is the network of the process' first thread.
        let text = try String(contentsOfFile: "/proc/thread-self/net/\(table)", encoding: .utf8)
        return count + text.split(separator: "\n").dropFirst().count { $0.split(separator: " ")[3] == "02" }
      }
    }
  }
}
