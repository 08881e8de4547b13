// A control directory with a program in it, the question that is put to it, and what came of that.
import Agent
import Foundation
import Support
import Testing

@testable import Hooks

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A program `route` in a folder of its own.
final class Scene {
  let folder: TemporaryFolder
  let marker = ProcessMarker()
  var environment: [String: String]
  var recipients = ["r@y"]

  var control: String { "\(folder.path)/control" }
  var program: HookProgram { HookProgram(point: .route, folder: bytes("\(control)/hooks")) }

  /// - Parameter limit: HOOKTIMEOUT, in seconds.
  init(limit: Int = 30) throws {
    folder = try TemporaryFolder()
    environment = ["PATH": "/usr/bin:/bin", ProcessMarker.name: marker.value, "HOOKTIMEOUT": "\(limit)"]
    try folder.write("control/me", "me.test\n")
    try folder.write("control/hooks/other", "")
  }

  convenience init(_ script: String, limit: Int = 30) throws {
    try self.init(limit: limit)
    try install(script)
  }

  func install(_ script: String, mode: String = "755") throws { try folder.install("control/hooks/route", script, mode: mode) }

  /// Runs commands of the shell in the folder.
  func prepare(_ commands: String) throws {
    var start = ProgramStart("/bin/sh", ["-ec", "cd '\(folder.path)/control/hooks'\n\(commands)"])
    start.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    let finished = try SpawnedProcess(start).finish()
    guard finished.ending == .exited(0) else { throw SpawnFault(description: String(decoding: finished.errors, as: UTF8.self)) }
  }

  /// The answer's lines, `none`, or the report.
  func ask() -> String {
    let runner = HookRunner(
      control: bytes(control), dialect: .sqmail, operands: ["h", "s@x", "r@y"].map(bytes), clock: SystemClock())
    let question = RouteQuestion(
      host: Domain(bytes("h")), sender: Address(bytes("s@x")), recipients: recipients.map { Address(bytes($0)) })
    do {
      let answer = try runner.ask(program, HookQuestion(question), Environment(environment), keys: [HookKey("route")])
      guard let answer else { return "none" }
      return answer.lines.map { "\($0.key)=\($0.value.text)" }.joined(separator: "\n")
    } catch {
      return error.report.wire.dropLast().text
    }
  }

  /// Asks, and holds the run to what every run is held to: it takes no longer than it must, and leaves nobody behind.
  /// - Parameter limit: how many seconds it may take.
  func expect(_ expected: String, within limit: Double = 15, at location: SourceLocation = #_sourceLocation) throws {
    let start = ContinuousClock.now
    let answer = ask()
    let duration = ContinuousClock.now - start
    #expect(answer == expected, sourceLocation: location)
    #expect(duration < .seconds(limit), sourceLocation: location)
    #expect(try marker.survivors() == [], sourceLocation: location)
  }

  static func failed(_ words: String) -> String { "ZUnable to use hooks/route: \(words). (#4.3.0)\n" }
}
