// Explanations of deliveries: by the built qmail-remote-explain, and by the same code in the test's own process.
import Foundation
import Support

@testable import Agent

enum Explain {
  /// The variable that names another binary than the one that was built with the tests.
  static let variable = "QMAIL_REMOTE_EXPLAIN_BINARY"

  static func path() throws -> String {
    let named = ProcessInfo.processInfo.environment[variable]
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let candidates =
      named.map { [$0] } ?? [
        (tests as NSString).deletingLastPathComponent + "/qmail-remote-explain",
        (#filePath as NSString).deletingLastPathComponent + "/../../../.build/debug/qmail-remote-explain",
      ]
    guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
      throw SpawnFault(description: "no program to test: \(candidates)")
    }
    return path
  }

  /// A run of the program in the network of the calling thread.
  /// - Returns: what it printed.
  static func run(_ row: LookupCase, resolver: String, within seconds: Double = 60) throws -> String {
    let folder = try TemporaryFolder()
    for (name, content) in row.control { try folder.write("control/\(name)", content) }
    var start = ProgramStart(try path(), row.operands)
    start.environment = ["CONTROLDIR": "\(folder.path)/control", "SWIFT_BACKTRACE": "enable=no"]
    start.environment[CAresResolver.variable] = resolver
    start.environment.merge(row.environment) { $1 }
    start.input = .file("/dev/null")
    let finished = try withExtendedLifetime(folder) { try SpawnedProcess(start).finish(within: seconds) }
    guard finished.ending == .exited(0), finished.errors.isEmpty else {
      throw SpawnFault(description: "qmail-remote-explain: \(finished.ending) \(visible(finished.errors))")
    }
    return String(decoding: finished.output, as: UTF8.self)
  }

  /// The same without a process, a network or files.
  static func plan(_ row: LookupCase, resolver: any Resolver) -> String {
    let control = ControlDirectory(files: row.control.mapValues { Array($0.utf8) })
    let environment = Environment(row.environment)
    let operands = row.operands.map { Array($0.utf8) }
    let circumstances = Circumstances(clock: TestClock(), wallSeconds: 0, seed: .random(in: 0 ... .max), processID: 1)
    do {
      let choice = try DialectChoice(operands: operands, environment: environment) { _ in control }
      let delivery = Delivery(
        hooks: HookSet(routers: [RouteTable(control, dialect: choice.dialect, environment: environment)]), resolver: resolver,
        interfaces: FakeInterfaces(["127.0.0.1", "::1"] + LookupCase.ownAddresses),
        network: FakeNetwork([:], clock: TestClock()), lastWords: RecordedLastWords(), circumstances: circumstances)
      let plan = try delivery.plan(Envelope(operands: operands, convention: choice.convention), choice, environment)
      return PlanText.lines(plan).map { $0 + "\n" }.joined()
    } catch {
      return "report: \(String(decoding: error.report.wire.dropLast(), as: UTF8.self))"
    }
  }
}
