import Support
import Testing

@testable import Agent

@Suite struct BackOffLimitsTests {
  private func limits(_ route: String?, _ environment: [String: String]) throws -> BackOffLimits {
    let route = try route.map { value throws(DeliveryFailure) in
      Route(line: try RouteLine(bytes(value), dialect: .indimail, place: "x"), source: "control/smtproutes:3")
    }
    return BackOffLimits(route, Environment(environment))
  }

  @Test(
    "the route, else the variables, else the defaults",
    arguments: [
      (nil, [:], 3_600, 120), ("relay:25", [:], 3_600, 120), ("relay:25:60:30", [:], 60, 30), ("relay:25:0:0", [:], 0, 0),
      ("relay:25::30", [:], 3_600, 30), ("relay:25:60", [:], 60, 120), ("relay:25:60:", [:], 60, 120),
      (nil, ["MIN_PENALTY": "7", "MAX_TOLERANCE": "8"], 7, 8), (nil, ["MIN_PENALTY": "0", "MAX_TOLERANCE": "0"], 0, 0),
      ("relay:25:60:30", ["MIN_PENALTY": "7", "MAX_TOLERANCE": "8"], 60, 30),
      ("relay:25:0", ["MIN_PENALTY": "7", "MAX_TOLERANCE": "8"], 0, 8),
      ("relay:25::30", ["MIN_PENALTY": "7", "MAX_TOLERANCE": "8"], 7, 30),
      (nil, ["MIN_PENALTY": "", "MAX_TOLERANCE": ""], 3_600, 120),
      (nil, ["MIN_PENALTY": "1h", "MAX_TOLERANCE": "-1"], 3_600, 120),
      (nil, ["MIN_PENALTY": " 5", "MAX_TOLERANCE": "5 "], 3_600, 120), (nil, ["MIN_PENALTY": "007"], 7, 120),
      (nil, ["MIN_PENALTY": "99999999999999999999", "MAX_TOLERANCE": "9999999999"], Int(Int32.max), Int(Int32.max)),
      ("relay:25:9999999999:99999999999999999999", [:], Int(Int32.max), Int(Int32.max)),
    ] as [(String?, [String: String], Int, Int)])
  func values(_ route: String?, _ environment: [String: String], _ penalty: Int, _ tolerance: Int) throws {
    let limits = try limits(route, environment)
    #expect(limits.penalty.seconds == penalty)
    #expect(limits.maxTolerance.seconds == tolerance)
  }

  @Test("EHLO counts if the variable is there", arguments: [([:], false), (["TRY_NEXT_MX_HELO_FAIL": ""], true)])
  func hello(_ environment: [String: String], _ counts: Bool) throws {
    #expect(try limits(nil, environment).countsHello == counts)
  }

  /// The line of the plan.
  private func line(_ files: [String: String], _ environment: [String: String], _ dialect: Dialect) throws -> String? {
    let control = memoryControl(["me": "me.test"].merging(files) { $1 })
    let delivery = Delivery(
      hooks: HookSet(routers: [RouteTable(control, dialect: dialect, environment: Environment())]), resolver: FakeResolver(),
      interfaces: FakeInterfaces(),
      network: FakeNetwork([:], clock: TestClock()), lastWords: RecordedLastWords(),
      circumstances: Circumstances(clock: TestClock(), wallSeconds: 0, seed: 1, processID: 1))
    let envelope = Envelope(
      host: Domain(bytes("192.0.2.1")), sender: Address(bytes("s@x")), recipients: [Address(bytes("r@y"))])
    let start = Environment(environment.merging(["QMAILREMOTE_DIALECT": dialect.rawValue]) { $1 })
    let choice = try DialectChoice(operands: [], environment: start) { _ in control }
    return PlanText.lines(try delivery.plan(envelope, choice, start)).first { $0.hasPrefix("back-off:") }
  }

  @Test(
    "the plan says them, and where they stand",
    arguments: [
      ([:], [:], .stock, "3600 s after failures of 120 s"),
      (
        ["smtproutes": "#\n:192.0.2.9:25:600:30"], [:], .sqmail,
        "600 s (control/smtproutes:2) after failures of 30 s (control/smtproutes:2)"
      ),
      (
        ["smtproutes": ":192.0.2.9:25:600"], ["MAX_TOLERANCE": "60"], .skarnet,
        "600 s (control/smtproutes:1) after failures of 60 s (the variable MAX_TOLERANCE)"
      ),
      (["smtproutes": ":192.0.2.9:25:0"], [:], .stock, "none, by a penalty of 0 s (control/smtproutes:1)"),
      (
        ["smtproutes": ":192.0.2.9 /x MIN_PENALTY=900"], [:], .indimail,
        "900 s (the variable MIN_PENALTY) after failures of 120 s"
      ),
      (
        [:], ["TRY_NEXT_MX_HELO_FAIL": "1"], .indimail,
        "3600 s after failures of 120 s, of EHLO too (the variable TRY_NEXT_MX_HELO_FAIL)"
      ),
      ([:], ["TRY_NEXT_MX_HELO_FAIL": "1"], .stock, "3600 s after failures of 120 s"),
    ] as [([String: String], [String: String], Dialect, String)])
  func plan(_ files: [String: String], _ environment: [String: String], _ dialect: Dialect, _ words: String) throws {
    #expect(try line(files, environment, dialect) == "back-off: \(words)")
  }
}
