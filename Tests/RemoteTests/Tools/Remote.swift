// One run of the program under test: operands, control files and message in, reports and exit status out.
import Foundation
import Support
import Testing

/// The built program, wherever it is.
enum Binary {
  /// The variable that names another binary than the one that was built with the tests.
  static let variable = "QMAIL_REMOTE_BINARY"

  static func path(_ program: String = "qmail-remote") throws -> String {
    let named = program == "qmail-remote" ? ProcessInfo.processInfo.environment[variable] : nil
    let besideTests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let candidates = [
      named,
      besideTests.map { ($0 as NSString).deletingLastPathComponent + "/\(program)" },
      (#filePath as NSString).deletingLastPathComponent + "/../../../.build/debug/\(program)",
    ]
    for case let path? in candidates {
      if FileManager.default.isExecutableFile(atPath: path) { return path }
      // A wrong name must not lead to a test of something else.
      if path == named { break }
    }
    throw SpawnFault(description: "no program to test: \(candidates.compactMap(\.self))")
  }
}

/// What a delivery is started with.
struct Remote: Sendable {
  var host = "example.com"
  var sender = "sender@example.net"
  var recipients = ["user@example.com"]
  /// Control files by name.
  var control = ["me": "me.example.net\n"]
  var environment: [String: String] = [:]
  var message = Array("Subject: test\n\nhello\n".utf8)
  /// How the message gets to descriptor 0.
  var carrier = Carrier.file
  /// Other descriptors than qmail-rspawn's.
  var output = ProgramStart.Output.collected
  var errors = ProgramStart.Output.collected
  /// Instead of the message.
  var input: ProgramStart.Input?
  /// A program, with operands of its own, that runs the program under test.
  var wrapper: [String] = []
  /// Instead of host, sender and recipients.
  var operands: [String]?

  enum Carrier: String, Sendable, CaseIterable {
    case file, pipe
  }

  init() {}

  /// All mail goes to a server on this machine.
  init(to port: UInt16, address: String = "127.0.0.1") {
    control["smtproutes"] = address.contains(":") ? ":[\(address)]:\(port)\n" : ":\(address):\(port)\n"
  }

  init(to server: ScriptedServer) { self.init(to: server.port) }

  /// The process, and the folder that has to live as long as it does.
  func start() throws -> Running {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: "\(folder.path)/control", withIntermediateDirectories: false)
    for (name, content) in control { try folder.write("control/\(name)", content) }
    let command = wrapper + [try Binary.path()] + (operands ?? [host, sender] + recipients)
    var start = ProgramStart(command[0], Array(command.dropFirst()))
    start.environment = ["CONTROLDIR": "\(folder.path)/control", "SWIFT_BACKTRACE": "enable=no"]
    start.environment.merge(environment) { $1 }
    if let input {
      start.input = input
    } else {
      start.input = carrier == .pipe ? .pipe(message) : .file(try folder.write("message", message))
    }
    start.output = output
    start.errors = errors
    return Running(process: try SpawnedProcess(start), folder: folder)
  }

  func run(within seconds: Double = 60) throws -> FinishedProcess { try start().finish(within: seconds) }
}

/// A delivery under way.
final class Running: Sendable {
  let process: SpawnedProcess
  private let folder: TemporaryFolder

  init(process: SpawnedProcess, folder: TemporaryFolder) {
    self.process = process
    self.folder = folder
  }

  func finish(within seconds: Double = 60) -> FinishedProcess { process.finish(within: seconds) }
}

/// What every delivery is held to: the reports byte for byte, exit status 0, what qmail-rspawn makes of both, and silence on
/// descriptor 2.
/// - Parameters:
///   - reports: with `^@` for the null byte.
///   - verdict: the letter and the text that qmail-rspawn passes on; nil if it is the only report's.
func expect(
  _ finished: FinishedProcess, _ reports: String, verdict: String? = nil, _ comment: Comment? = nil,
  at location: SourceLocation = #_sourceLocation
) {
  let wire = reports.replacingOccurrences(of: "^@", with: "\0")
  #expect(visible(finished.output) == visible(wire.utf8), comment, sourceLocation: location)
  #expect(finished.ending == .exited(0), comment, sourceLocation: location)
  let wanted = verdict ?? String(wire.prefix { $0 != "\0" })
  #expect(
    SpawnVerdict(output: finished.output, ending: finished.ending) == SpawnVerdict(wanted), comment, sourceLocation: location)
  #expect(visible(finished.errors) == "", comment, sourceLocation: location)
  #expect(throws: Never.self, comment, sourceLocation: location) { _ = try StrictReports(finished.output) }
}
