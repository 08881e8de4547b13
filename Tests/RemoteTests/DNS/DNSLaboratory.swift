// Real name servers in a network of their own: two nsd, one for the parents and one for the children, with zones that are signed
// here, and a validating unbound in front of them that trusts nothing but the root's key.
import Foundation
import Support

final class DNSLaboratory: Sendable {
  /// One for all tests that want one: signing and starting takes a second.
  static let shared = Result { try DNSLaboratory(LookupTable.zoneTable()) }

  let network: NetworkNamespace
  /// On loopback. At port 53 too, for programs that can't be told another one.
  let resolver = "127.0.0.1:5300"
  /// The same at an address of the machine that isn't loopback.
  let outsideResolver = "\(LookupCase.ownAddresses[0]):5300"

  private let folder: TemporaryFolder
  private let start = Promise<Void>()
  private let stop = Promise<Void>()

  /// - Parameters:
  ///   - table: with the zones of LookupTable.
  ///   - network: where the servers run; nil for a new one.
  init(_ table: ZoneTable, in network: NetworkNamespace? = nil) throws {
    let network = try network ?? NetworkNamespace()
    self.network = network
    folder = try TemporaryFolder()
    try network.command("ip", "addr", "add", "\(LookupCase.ownAddresses[0])/32", "dev", "lo")
    try network.command("ip", "addr", "add", "\(LookupCase.ownAddresses[1])/128", "dev", "lo", "nodad")
    try writeZones(table)
    try writeConfiguration(table)
    try startServers()
  }

  deinit { stop.keep(()) }

  /// How many datagrams found no room in the buffer of the socket they were for.
  func lostDatagrams() throws -> Int {
    try network.run {
      let text = try String(contentsOfFile: "/proc/thread-self/net/snmp", encoding: .utf8)
      let lines = text.split(separator: "\n").filter { $0.hasPrefix("Udp:") }.map { $0.split(separator: " ") }
      guard lines.count == 2, let column = lines[0].firstIndex(of: "RcvbufErrors"), let count = Int(lines[1][column]) else {
        throw SpawnFault(description: "/proc/net/snmp has other columns than it had")
      }
      return count
    }
  }

  /// The questions that the resolver got from an address: `name. TYPE`.
  func questions(from client: String) throws -> [String] {
    String(decoding: try folder.read("unbound.log"), as: UTF8.self).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let place = words.firstIndex(of: "info:"), words.count == place + 5, words[place + 1] == client else { return nil }
      return "\(words[place + 2].lowercased()) \(words[place + 3])"
    }
  }
}

// MARK: zones

extension DNSLaboratory {
  private static func fileName(_ zone: ZoneTable.Zone) -> String { zone.name.isEmpty ? "root" : zone.name }

  /// Writes and signs the zones, children first: their keys go into their parents.
  private func writeZones(_ table: ZoneTable) throws {
    for zone in table.zones.reversed() where zone.state.isServed {
      let name = DNSLaboratory.fileName(zone)
      var file = table.file(of: zone)
      for child in table.zones where child.state.hasSignatures && table.parent(of: child)?.name == zone.name {
        file += String(decoding: try folder.read("\(DNSLaboratory.fileName(child)).ds"), as: UTF8.self)
      }
      try folder.write("\(name).zone", file)
      guard zone.state.hasSignatures else { continue }
      try sign(name, zone)
      let signed = String(decoding: try folder.read("\(name).zone"), as: UTF8.self)
      try folder.write("\(name).zone", try table.spoil(signed, of: zone))
    }
  }

  private func sign(_ name: String, _ zone: ZoneTable.Zone) throws {
    let validity = zone.state == .expired ? "-i 20200101000000 -e 20200201000000" : ""
    let origin = zone.name.isEmpty ? "." : zone.name
    let script = """
      set -e
      cd "$1"
      key=$(ldns-keygen -k -a ECDSAP256SHA256 "\(origin)")
      ldns-signzone \(validity) -o "\(origin)" -f "\(name).signed" "\(name).zone" "$key"
      mv "\(name).signed" "\(name).zone"
      mv "$key.ds" "\(name).ds"
      mv "$key.key" "\(name).key"
      """
    var start = ProgramStart("/bin/sh", ["-c", script, "sh", folder.path])
    start.environment = DNSLaboratory.environment
    start.input = .file("/dev/null")
    let finished = try SpawnedProcess(start).finish(within: 60)
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "signing \(origin), which takes ldnsutils: \(visible(finished.errors))")
    }
  }

  private static let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
}

// MARK: servers

extension DNSLaboratory {
  private func writeConfiguration(_ table: ZoneTable) throws {
    for (server, address) in [
      (LookupTable.parentServer, LookupTable.parentAddress), (LookupTable.childServer, LookupTable.childAddress),
    ] {
      // What is lame isn't known to its server; what fails has no file. Answers without additions are validated sooner.
      let zones = table.zones.filter { $0.server == server && $0.state != .lame }.map {
        "zone:\n  name: \"\($0.name.isEmpty ? "." : $0.name)\"\n  zonefile: \"\(DNSLaboratory.fileName($0)).zone\"\n"
      }
      try folder.write(
        "\(server).conf",
        """
        server:
          ip-address: \(address)
          username: ""
          zonesdir: "\(folder.path)"
          database: ""
          pidfile: ""
          xfrdfile: ""
          zonelistfile: "\(folder.path)/\(server).list"
          logfile: "\(folder.path)/\(server).log"
          server-count: 1
          rrl-ratelimit: 0
          minimal-responses: yes
        remote-control:
          control-enable: no

        """ + zones.joined())
    }
    let hint = "\(LookupTable.parentServer). 3600 IN A \(LookupTable.parentAddress)\n"
    try folder.write("hints", ". 3600 IN NS \(LookupTable.parentServer).\n" + hint)
    try folder.write(
      "unbound.conf",
      """
      server:
        interface: 127.0.0.1@5300
        interface: 127.0.0.1@53
        interface: \(LookupCase.ownAddresses[0])@5300
        access-control: 0.0.0.0/0 allow
        do-ip6: no
        do-not-query-localhost: no
        username: ""
        chroot: ""
        directory: "\(folder.path)"
        pidfile: ""
        do-daemonize: no
        use-syslog: no
        logfile: "unbound.log"
        log-queries: yes
        root-hints: "hints"
        trust-anchor-file: "root.key"
        local-zone: "test." nodefault
        module-config: "validator iterator"
      remote-control:
        control-enable: no

      """)
  }

  /// The servers live in a process namespace whose first process ends when its input does: with the tests, however those end. With it
  /// end the servers, and it removes the folder, which nobody else would.
  private func startServers() throws {
    let script = """
      cd "$1" || exit
      nsd -d -c \(LookupTable.parentServer).conf &
      nsd -d -c \(LookupTable.childServer).conf &
      read -r go
      unbound -d -c unbound.conf &
      cat >/dev/null
      rm -rf "$1"
      """
    var program = ProgramStart(
      "unshare", ["--pid", "--fork", "--kill-child", "/bin/sh", "-c", script, "sh", folder.path])
    program.environment = DNSLaboratory.environment
    let pieces = Shared(0)
    program.input = .pieces { [start, stop] in
      {
        let piece = pieces.change { piece in
          piece += 1
          return piece
        }
        _ = piece == 1 ? start.wait(seconds: 60) : stop.wait(seconds: 86_400)
        return piece == 1 ? [10] : nil
      }
    }
    let servers = try network.run { [program] in try SpawnedProcess(program) }
    // Not before its servers: a resolver remembers who didn't answer.
    for address in [LookupTable.parentAddress, LookupTable.childAddress] {
      try awaitAnswer(of: address, 53, servers)
    }
    start.keep(())
    try awaitAnswer(of: "127.0.0.1", 5_300, servers)
  }

  private func awaitAnswer(of address: String, _ port: UInt16, _ servers: SpawnedProcess) throws {
    let answered = try network.run {
      try eventually(within: 30) {
        // NOERROR and a record, for a name that each of them knows.
        let name = address == LookupTable.childAddress ? LookupTable.sign : LookupTable.parentServer
        let answer = try DNSWire.ask(name, .a, at: address, port)
        return answer.map { $0.count > 7 && $0[3] & 0xf == 0 && $0[7] > 0 } ?? servers.isOver
      }
    }
    guard answered, !servers.isOver else {
      stop.keep(())
      let words = servers.finish(within: 5).errors
      let logs = ["\(LookupTable.parentServer).log", "\(LookupTable.childServer).log", "unbound.log"].map {
        (try? folder.read($0)).map { visible($0.suffix(500)) } ?? ""
      }
      throw SpawnFault(description: "no name server at \(address), which takes nsd and unbound: \(visible(words)) \(logs)")
    }
  }
}
