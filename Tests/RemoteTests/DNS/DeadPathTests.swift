// What a dead path costs: a quarter of a second for each address that swallows packets, nothing for one that refuses (RFC 8305).
import Support
import Testing

@Suite struct DeadPathTests {
  private typealias Network = DeadPathNetwork

  struct Path: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Of the one exchanger, in DNS's order.
    let v6: [String]
    let v4: [String]
    var control: [String: String] = [:]
    /// The address that takes the mail.
    let winner: String
    /// How often the delivery has to wait before it starts the next connection.
    let waits: Int
  }

  /// RFC 8305 section 5.
  private static let wait = Duration.milliseconds(250)

  static let paths = [
    Path(
      testDescription: "IPv6 is a black hole", v6: [Network.dead.v6], v4: [Network.alive.v4], winner: Network.alive.v4,
      waits: 1),
    Path(
      testDescription: "IPv4 is a black hole and stands first", v6: [Network.alive.v6], v4: [Network.dead.v4],
      control: ["ipprefer": ":4\n"], winner: Network.alive.v6, waits: 1),
    Path(
      testDescription: "two black holes", v6: [Network.dead.v6, Network.alive.v6], v4: [Network.dead.v4],
      winner: Network.alive.v6, waits: 2),
    Path(
      testDescription: "IPv6 refuses", v6: [Network.refusing.v6], v4: [Network.alive.v4], winner: Network.alive.v4, waits: 0
    ),
    Path(
      testDescription: "a black hole, and one that refuses", v6: [Network.dead.v6, Network.alive.v6], v4: [Network.refusing.v4],
      winner: Network.alive.v6, waits: 1),
    Path(
      testDescription: "both are there", v6: [Network.alive.v6], v4: [Network.alive.v4], winner: Network.alive.v6, waits: 0),
    Path(
      testDescription: "a relay whose IPv6 is a black hole", v6: [Network.dead.v6], v4: [Network.alive.v4],
      control: ["smtproutes": "mail.example:mx.example:25\n"], winner: Network.alive.v4, waits: 1),
  ]

  private static func zone(_ path: Path) -> String {
    let addresses = path.v6.map { "mx.example AAAA \($0)" } + path.v4.map { "mx.example A \($0)" }
    let family = path.winner.contains(":") ? "AAAA" : "A"
    return (["mail.example MX 10 mx.example"] + addresses + ["straight.example \(family) \(path.winner)"]).joined(
      separator: "\n")
  }

  private static func remote(_ host: String, _ control: [String: String], _ resolver: String) -> Remote {
    var remote = Remote()
    remote.host = host
    remote.control.merge(control) { $1 }
    remote.environment = ["QMAILREMOTE_RESOLVER": resolver]
    return remote
  }

  private static func time(_ network: DeadPathNetwork, _ remote: Remote, expecting winner: String) throws -> Duration {
    let (finished, time) = try network.here.run {
      let start = ContinuousClock.now
      let finished = try remote.run()
      return (finished, ContinuousClock.now - start)
    }
    let text = "\(winner) accepted message.\nRemote host said: 250 ok 1\n"
    expect(finished, "r^@K\(text)^@", verdict: "K\(text)")
    return time
  }

  /// Delivers by two ways, until the one takes less than `limit` more than the other. Each way counts with its quickest delivery: whatever
  /// else the machine does can only add to it.
  /// - Returns: both times, and how many deliveries there were.
  private static func compare(
    _ network: DeadPathNetwork, _ remote: Remote, with other: Remote, _ limit: Duration, expecting winner: String
  ) throws -> (time: Duration, other: Duration, deliveries: Int) {
    var quickest = (Duration.seconds(3_600), Duration.seconds(3_600))
    for round in 1...8 {
      quickest.0 = min(quickest.0, try time(network, remote, expecting: winner))
      quickest.1 = min(quickest.1, try time(network, other, expecting: winner))
      if round > 1, quickest.0 - quickest.1 < limit { return (quickest.0, quickest.1, 2 * round) }
    }
    return (quickest.0, quickest.1, 16)
  }

  @Test(arguments: paths)
  func `what a dead path costs`(_ path: Path) throws {
    let network = try DeadPathNetwork()
    let script = SMTPScript()
    let servers = try [Network.alive.v4, Network.alive.v6, Network.dead.v4, Network.dead.v6].map { address in
      (address, try network.server(at: address) { try script.serve($0) })
    }
    let names = try network.nameServer(zone: DeadPathTests.zone(path))
    defer { names.finish() }
    // Less than the wait for one more connection would be, and no less than the waits are, or the black hole was none.
    let least = DeadPathTests.wait * path.waits
    let limit = least + DeadPathTests.wait - .milliseconds(10)
    let (time, straight, deliveries) = try DeadPathTests.compare(
      network, DeadPathTests.remote("mail.example", path.control, names.resolver),
      with: DeadPathTests.remote("straight.example", [:], names.resolver), limit, expecting: path.winner)
    #expect(time >= least && time - straight < limit, "\(time) instead of \(straight)")
    for (address, server) in servers {
      // A loser may have been connected to, but nobody may have talked to it.
      let sessions = server.finish().filter { !$0.lines.isEmpty }.count
      #expect(sessions == (address == path.winner ? deliveries : 0), "\(address)")
    }
  }

  @Test func `a black hole instead of IPv6 costs less than half a second more than 4only`() throws {
    let network = try DeadPathNetwork()
    let script = SMTPScript()
    let server = try network.server(at: Network.alive.v4) { try script.serve($0) }
    let names = try network.nameServer(zone: DeadPathTests.zone(DeadPathTests.paths[0]))
    defer { names.finish() }
    let (time, straight, deliveries) = try DeadPathTests.compare(
      network, DeadPathTests.remote("mail.example", [:], names.resolver),
      with: DeadPathTests.remote("mail.example", ["ipprefer": "mail.example:4only\n"], names.resolver), .milliseconds(500),
      expecting: Network.alive.v4)
    #expect(time >= DeadPathTests.wait && time - straight < .milliseconds(500), "\(time) instead of \(straight)")
    #expect(server.finish().count == deliveries)
  }

  @Test func `who has lost is let go before the session begins`() throws {
    let network = try DeadPathNetwork()
    let leftOver = Promise<Bool>()
    let server = try network.server(at: Network.alive.v4) { peer in
      // The program waits for the greeting now, and has nothing else to wait for.
      leftOver.keep(try !eventually { try network.connectionsUnderWay() == 0 })
      try SMTPScript().serve(peer)
    }
    let swallowed = try network.server(at: Network.dead.v6) { try SMTPScript().serve($0) }
    let names = try network.nameServer(zone: DeadPathTests.zone(DeadPathTests.paths[0]))
    defer { names.finish() }
    _ = try DeadPathTests.time(
      network, DeadPathTests.remote("mail.example", [:], names.resolver), expecting: Network.alive.v4)
    #expect(leftOver.now == false)
    #expect(server.finish().allSatisfy { $0.fault == nil })
    #expect(swallowed.finish().isEmpty)
  }
}
