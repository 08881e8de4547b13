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
    /// What the delivery takes beyond one without a dead path.
    let cost: Range<Duration>
  }

  /// One wait of 250 ms, two, and none; never the half second and more that one wait more would make.
  private static let oneWait = Duration.milliseconds(240)..<Duration.milliseconds(490)
  private static let twoWaits = Duration.milliseconds(490)..<Duration.milliseconds(740)
  private static let noWait = Duration.milliseconds(-200)..<Duration.milliseconds(200)

  static let paths = [
    Path(
      testDescription: "IPv6 is a black hole", v6: [Network.dead.v6], v4: [Network.alive.v4], winner: Network.alive.v4,
      cost: oneWait),
    Path(
      testDescription: "IPv4 is a black hole and stands first", v6: [Network.alive.v6], v4: [Network.dead.v4],
      control: ["ipprefer": ":4\n"], winner: Network.alive.v6, cost: oneWait),
    Path(
      testDescription: "two black holes", v6: [Network.dead.v6, Network.alive.v6], v4: [Network.dead.v4],
      winner: Network.alive.v6, cost: twoWaits),
    Path(
      testDescription: "IPv6 refuses", v6: [Network.refusing.v6], v4: [Network.alive.v4], winner: Network.alive.v4, cost: noWait
    ),
    Path(
      testDescription: "a black hole, and one that refuses", v6: [Network.dead.v6, Network.alive.v6], v4: [Network.refusing.v4],
      winner: Network.alive.v6, cost: oneWait),
    Path(
      testDescription: "both are there", v6: [Network.alive.v6], v4: [Network.alive.v4], winner: Network.alive.v6, cost: noWait),
    Path(
      testDescription: "a relay whose IPv6 is a black hole", v6: [Network.dead.v6], v4: [Network.alive.v4],
      control: ["smtproutes": "mail.example:mx.example:25\n"], winner: Network.alive.v4, cost: oneWait),
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

  /// The time of the quickest of a few deliveries: whatever else the machine does can only add to it.
  private static func quickest(_ network: DeadPathNetwork, _ remote: Remote, expecting winner: String) throws -> Duration {
    var quickest = Duration.seconds(3_600)
    for _ in 0..<3 {
      let (finished, time) = try network.here.run {
        let start = ContinuousClock.now
        let finished = try remote.run()
        return (finished, ContinuousClock.now - start)
      }
      let text = "\(winner) accepted message.\nRemote host said: 250 ok 1\n"
      expect(finished, "r^@K\(text)^@", verdict: "K\(text)")
      quickest = min(quickest, time)
    }
    return quickest
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
    let raced = try DeadPathTests.quickest(
      network, DeadPathTests.remote("mail.example", path.control, names.resolver), expecting: path.winner)
    let straight = try DeadPathTests.quickest(
      network, DeadPathTests.remote("straight.example", [:], names.resolver), expecting: path.winner)
    #expect(path.cost.contains(raced - straight), "\(raced) instead of \(straight)")
    for (address, server) in servers {
      // A loser may have been connected to, but nobody may have talked to it.
      let sessions = server.finish().filter { !$0.lines.isEmpty }.count
      #expect(sessions == (address == path.winner ? 6 : 0), "\(address)")
    }
  }

  @Test func `a black hole instead of IPv6 costs less than half a second more than 4only`() throws {
    let network = try DeadPathNetwork()
    let script = SMTPScript()
    let server = try network.server(at: Network.alive.v4) { try script.serve($0) }
    let names = try network.nameServer(zone: DeadPathTests.zone(DeadPathTests.paths[0]))
    defer { names.finish() }
    var times: [Duration] = []
    for control in [[:], ["ipprefer": "mail.example:4only\n"]] {
      let remote = DeadPathTests.remote("mail.example", control, names.resolver)
      times.append(try DeadPathTests.quickest(network, remote, expecting: Network.alive.v4))
    }
    #expect(times[0] - times[1] < .milliseconds(500), "\(times[0]) instead of \(times[1])")
    // Otherwise it was no black hole.
    #expect(times[0] - times[1] > .milliseconds(240), "\(times[0]) instead of \(times[1])")
    #expect(server.finish().count == 6)
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
    _ = try DeadPathTests.quickest(
      network, DeadPathTests.remote("mail.example", [:], names.resolver), expecting: Network.alive.v4)
    #expect(leftOver.now == false)
    #expect(server.finish().allSatisfy { $0.fault == nil })
    #expect(swallowed.finish().isEmpty)
  }
}
