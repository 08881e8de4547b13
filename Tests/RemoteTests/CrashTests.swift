// The program crashes, or is told to end, at the points of a delivery where it matters: an accepted message is reported as accepted,
// and one that may have been is not sent again without a word.
import Foundation
import Support
import Testing

@Suite struct CrashTests {
  static let crashes: [Int32] = [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT]
  static let endings: [Int32] = [SIGTERM, SIGHUP, SIGINT, SIGALRM]

  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
  private static let duplicate = "ZConnected to 127.0.0.1 but connection died. Possible duplicate! (#4.4.2)\n"
  private static let crashed = "Zqmail-remote crashed. (#4.3.0)\n"

  // MARK: after the 250

  /// Delivers up to the moment when the report can't be written because its pipe is full.
  /// - Parameters:
  ///   - reply: to the message.
  ///   - room: how much of the report can be written.
  ///   - strike: what happens to the process then.
  private func deliver(
    reply: String = "250 ok 1\r\n", room: Int = 0, _ strike: (SpawnedProcess) throws -> Void
  ) throws -> FinishedProcess {
    let quit = Promise<Void>()
    let server = try ScriptedServer { peer in
      try SMTPScript(replies: [.message: reply]).serve(peer)
      quit.keep(())
    }
    let pipe = try FullPipe(room: room)
    var remote = Remote(to: server)
    remote.output = .descriptor(pipe.writing)
    let running = try remote.start()
    pipe.handOver()
    try #require(quit.wait(seconds: 30) != nil)
    try #require(server.finish().first?.lines.last == "QUIT")
    // The report is being written: what fits has gone out.
    try #require(eventually { pipe.waiting == room })
    try strike(running.process)
    let output = pipe.drain()
    let finished = running.finish()
    return FinishedProcess(ending: finished.ending, output: output, errors: finished.errors)
  }

  /// Sends a signal and waits until its handler is at work.
  private func crash(_ process: SpawnedProcess, _ signal: Int32) throws {
    process.send(signal: signal)
    let probe = UInt64(1) << UInt64(SIGUSR1 - 1)
    try #require(eventually { process.signals("SigBlk") & probe != 0 }, "the handler of signal \(signal) isn't reached")
  }

  @Test(arguments: crashes)
  func `a crash after the acceptance reports it, once`(_ signal: Int32) throws {
    let finished = try deliver { try crash($0, signal) }
    expect(finished, "r^@\(CrashTests.accepted)^@", verdict: CrashTests.accepted)
  }

  @Test(arguments: crashes)
  func `a crash after a refusal reports it, once`(_ signal: Int32) throws {
    let finished = try deliver(reply: "554 spam\r\n") { try crash($0, signal) }
    let report = "D127.0.0.1 failed after I sent the message.\nRemote host said: 554 spam\n"
    expect(finished, "r^@\(report)^@", verdict: report)
  }

  /// A second crash, in the handler of the first.
  @Test func `crashes one after the other`() throws {
    let finished = try deliver { process in
      for signal in CrashTests.crashes { try crash(process, signal) }
    }
    expect(finished, "r^@\(CrashTests.accepted)^@", verdict: CrashTests.accepted)
  }

  /// The report is longer than what a pipe takes at once, and the crash comes when a part of it is out.
  @Test func `a crash in the middle of writing goes on where it was`() throws {
    let text = (0..<60).map { "250-\($0) " + String(repeating: "x", count: 75) }
    let shown = text.map { $0 + "\n" }.joined() + "250 ok\n"
    let finished = try deliver(reply: text.map { $0 + "\r\n" }.joined() + "250 ok\r\n", room: 4_096) { try crash($0, SIGSEGV) }
    let report = "K127.0.0.1 accepted message.\nRemote host said: \(shown)"
    expect(finished, "r^@\(report)^@", verdict: report)
  }

  @Test(arguments: endings)
  func `no signal ends an accepted delivery`(_ signal: Int32) throws {
    let finished = try deliver { process in
      process.send(signal: signal)
      try #require(eventually { process.signals("ShdPnd") & UInt64(1) << UInt64(signal - 1) != 0 })
    }
    expect(finished, "r^@\(CrashTests.accepted)^@", verdict: CrashTests.accepted)
  }

  /// strace(1) plants a crash in each flight that goes out: EHLO, MAIL, RCPT, DATA, the message, and QUIT, which is sent when the
  /// message is accepted and before the report is.
  @Test(arguments: [
    (1, "\(crashed)^@"), (2, "\(crashed)^@"), (3, "\(crashed)^@"), (4, "\(crashed)^@"), (5, "r^@\(duplicate)^@"),
    (6, "r^@\(accepted)^@"),
  ])
  func `a crash in each flight`(_ flight: Int, _ reports: String) throws {
    let server = try ScriptedServer(SMTPScript())
    var remote = Remote(to: server)
    remote.wrapper = [
      "/usr/bin/strace", "-o", "/dev/null", "-e", "trace=sendto", "-e", "inject=sendto:signal=SEGV:when=\(flight)",
    ]
    try #require(FileManager.default.isExecutableFile(atPath: remote.wrapper[0]), "the package strace is missing")
    let verdict = reports.split(separator: "^@").last.map(String.init)
    expect(try remote.run(), reports, verdict: verdict)
    #expect(server.finish().first?.bodies.isEmpty == (flight < 5))
  }

  // MARK: before

  enum Moment: String, Sendable, CaseIterable {
    case greeting, recipient, midMessage, message, chunk

    var extensions: [String] { self == .chunk ? ["PIPELINING", "CHUNKING"] : [] }
    var step: SMTPScript.Step {
      switch self {
      case .greeting: .greeting
      case .recipient: .recipient(0)
      case .midMessage, .message: .message
      // Everything has been sent, and nothing answered.
      case .chunk: .mail
      }
    }

    var isSent: Bool { self == .message || self == .chunk }
    /// What a crash reports.
    var reports: String {
      switch self {
      case .greeting, .recipient, .midMessage: "\(crashed)^@"
      case .message: "r^@\(duplicate)^@"
      case .chunk: "\(duplicate)^@"
      }
    }
  }

  /// Delivers up to a moment when the program waits for the server.
  /// - Parameter strike: what happens to the process then; the server goes on after it.
  private func deliver(until moment: Moment, _ strike: (SpawnedProcess) throws -> Void) throws -> (FinishedProcess, [Dialogue])
  {
    let reached = Promise<Void>()
    let goOn = Promise<Void>()
    var script = SMTPScript(extensions: moment.extensions)
    script.hold = { step in
      guard step == moment.step else { return }
      reached.keep(())
      _ = goOn.wait(seconds: 30)
    }
    if moment == .midMessage {
      script.takeBody = { peer in
        _ = try peer.take(1_000)
        reached.keep(())
        _ = goOn.wait(seconds: 30)
        try peer.body()
      }
    }
    let server = try ScriptedServer(script)
    var remote = Remote(to: server)
    if moment == .midMessage { remote.message = (0..<8_000_000).map { $0 % 40 == 39 ? 10 : UInt8(ascii: "a") } }
    let running = try remote.start()
    try #require(reached.wait(seconds: 30) != nil)
    try strike(running.process)
    goOn.keep(())
    return (running.finish(), server.finish())
  }

  @Test(arguments: Moment.allCases, crashes)
  func `a crash before the acceptance`(_ moment: Moment, _ signal: Int32) throws {
    let (finished, dialogues) = try deliver(until: moment) { process in
      process.send(signal: signal)
      try #require(eventually { process.isOver })
    }
    expect(finished, moment.reports, verdict: String(moment.reports.dropLast(2).split(separator: "@").last ?? ""))
    #expect(dialogues.first?.lines.contains("QUIT") == false)
  }

  @Test(arguments: Moment.allCases, endings)
  func `a signal before the acceptance`(_ moment: Moment, _ signal: Int32) throws {
    let (finished, dialogues) = try deliver(until: moment) { process in
      process.send(signal: signal)
      let bit = UInt64(1) << UInt64(signal - 1)
      try #require(eventually { process.isOver || process.signals("ShdPnd") & bit != 0 })
    }
    guard moment.isSent else {
      // qmail-rspawn says "crashed", and the message is tried again: the server hasn't got it.
      #expect(finished.ending == .killed(signal: signal))
      #expect(visible(finished.output) == "")
      #expect(SpawnVerdict(output: finished.output, ending: finished.ending) == SpawnVerdict("Zqmail-remote crashed.\n"))
      #expect(dialogues.first?.bodies.isEmpty == true)
      return
    }
    expect(finished, "r^@\(CrashTests.accepted)^@", verdict: CrashTests.accepted)
    #expect(dialogues.map(\.fault) == [nil])
  }

  /// Nobody reads the report: there is nothing to be done about it.
  @Test func `a report pipe without a reader`() throws {
    let server = try ScriptedServer(SMTPScript())
    let ends = try SpawnedProcess.pipe()
    close(ends.reading)
    var remote = Remote(to: server)
    remote.output = .descriptor(ends.writing)
    let running = try remote.start()
    close(ends.writing)
    let finished = running.finish()
    #expect(finished.ending == .exited(0))
    #expect(visible(finished.errors) == "")
    #expect(server.finish().first?.lines.last == "QUIT")
  }
}
