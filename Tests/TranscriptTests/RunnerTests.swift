// Whether the runner notices: each transcript here is wrong in one way, and has to fail with words that say in which.
import Foundation
import Support
import Testing

@testable import Agent

@Suite("The runner of transcripts")
struct RunnerTests {
  /// A delivery that goes well; the tests below spoil one thing each.
  private static let good = """
    # One accepted recipient.
    $ qmail-remote example.org s@example.com r@example.org
    control/me: me.example
    dns example.org MX 10 mx.example.org
    dns mx.example.org A 192.0.2.1
    message: hi\\n
    @ 192.0.2.1:25
    < 220 mx.example.org
    > EHLO me.example
    < 250-mx.example.org
    < 250-PIPELINING ?
    < 250 HELP
    > MAIL FROM:<s@example.com>
    < 250 ok
    > RCPT TO:<r@example.org>
    < 250 ok
    > DATA
    < 354 go
    > hi
    > .
    < 250 ok 1
    > QUIT
    = r
    = K192.0.2.1 accepted message.\\nRemote host said: 250 ok 1\\n

    """

  private static func transcript(replacing old: String = "", by new: String = "") throws -> Transcript {
    let parts = good.components(separatedBy: old)
    return try Transcript(name: "test", text: old.isEmpty ? good : parts.joined(separator: new))
  }

  @Test("a right transcript passes", arguments: ScriptMode.allCases, ScriptChunking.allCases)
  func rightPasses(mode: ScriptMode, chunking: ScriptChunking) throws {
    let run = TranscriptRun(transcript: try RunnerTests.transcript(), mode: mode, chunking: chunking)
    #expect(try run.problems() == [])
  }

  struct Spoilt: Sendable, CustomTestStringConvertible {
    let what: String
    let old: String
    let new: String
    let line: Int
    let words: String
    var modes = ScriptMode.allCases

    var testDescription: String { what }
  }

  private static let spoilt = [
    Spoilt(what: "another recipient report", old: "= r\n", new: "= h\n", line: 23, words: "other reports than expected"),
    Spoilt(what: "another message report", old: "250 ok 1\\n\n", new: "250 ok 2\\n\n", line: 24, words: "other reports"),
    Spoilt(what: "a report too many", old: "= r\n", new: "= r\n= r\n", line: 24, words: "other reports"),
    Spoilt(what: "another command", old: "> MAIL FROM:<s", new: "> MAIL FROM:<t", line: 13, words: "sent     > MAIL FROM:<s@"),
    Spoilt(what: "another message line", old: "> hi", new: "> ho", line: 19, words: "expected > ho"),
    Spoilt(
      what: "a command that never comes", old: "< 220 mx.example.org", new: "! close", line: 9, words: "never sent EHLO me"),
    Spoilt(what: "a command that isn't scripted", old: "> QUIT\n", new: "", line: 20, words: "sends more after this"),
    Spoilt(what: "an answer nobody reads", old: "> QUIT\n", new: "> QUIT\n< 221 bye\n", line: 23, words: "never read 221"),
    Spoilt(what: "an event that never happens", old: "> QUIT\n", new: "> QUIT\n! timeout\n", line: 23, words: "never came"),
    Spoilt(
      what: "an answer that doesn't come", old: "< 250-mx.example.org\n< 250-PIPELINING ?\n< 250 HELP\n", new: "", line: 10,
      words: "waits for an answer instead of sending MAIL"),
    Spoilt(
      what: "no answer to the message", old: "< 250 ok 1\n> QUIT\n", new: "", line: 18, words: "waits for another answer"),
    Spoilt(
      what: "another address", old: "@ 192.0.2.1:25", new: "@ 192.0.2.1:26", line: 7, words: "connects to something else"),
    Spoilt(
      what: "a connection too many", old: "> QUIT\n", new: "> QUIT\n@ 192.0.2.1:25\n! connect-refused\n", line: 23,
      words: "never connected to 192.0.2.1:25"),
    Spoilt(
      what: "an offer that must not be", old: "PIPELINING ?", new: "PIPELINING", line: 15,
      words: "does not wait for the answer", modes: [.lockstep]),
    Spoilt(
      what: "an offer that is missing", old: "< 250-PIPELINING ?\n", new: "", line: 14,
      words: "flight", modes: [.pipelining]),
    Spoilt(
      what: "a DNS question", old: "> QUIT\n", new: "> QUIT\ndns none\n", line: 23, words: "DNS was asked for example.org"),
    Spoilt(what: "another dialect", old: "> QUIT\n", new: "> QUIT\ndialect: sqmail\n", line: 23, words: "the dialect is stock"),
    Spoilt(
      what: "another directory", old: "> QUIT\n", new: "> QUIT\ndirectory: /x\n", line: 23, words: "is /var/qmail/control"),
    Spoilt(
      what: "another patience", old: "< 220 mx.example.org\n", new: "! timeout 7\n", line: 8, words: "1200 seconds, not 7"),
    Spoilt(
      what: "another patience with a connection", old: "@ 192.0.2.1:25\n", new: "@ 192.0.2.1:25\n! connect-timeout 7\n#",
      line: 8,
      words: "60 seconds for a connection, not 7"),
    Spoilt(
      what: "a pause that is too long", old: "< 220 mx.example.org\n", new: "! wait 1200\n< 220 mx.example.org\n", line: 8,
      words: "gave up before these 1200 seconds"),
  ]

  @Test("a wrong transcript fails and says why", arguments: spoilt, ScriptChunking.allCases)
  func wrongFails(_ spoilt: Spoilt, chunking: ScriptChunking) throws {
    var transcript = try RunnerTests.transcript(replacing: spoilt.old, by: spoilt.new)
    if spoilt.what.hasPrefix("another patience with") {
      // The rest of the connection's script would be one line too late.
      transcript.connections[0].steps.removeSubrange(1...)
    }
    for mode in spoilt.modes {
      let problems = try TranscriptRun(transcript: transcript, mode: mode, chunking: chunking).problems()
      #expect(problems.contains { $0.line == spoilt.line && $0.words.contains(spoilt.words) }, "\(mode): \(problems)")
    }
  }

  @Test("lost last words are noticed before the last byte, before QUIT and at the end")
  func lostLastWords() throws {
    let run = TranscriptRun(
      transcript: try RunnerTests.transcript(), mode: .lockstep, chunking: .whole, losesLastWords: true)
    #expect(try run.problems().map(\.line) == [20, 22, 24])
  }

  /// A line that is compared with nothing would let every client pass. Single bytes are compared by the same code.
  @Test(
    "every transcript fails when one of its lines is changed", arguments: TranscriptCase.all.filter { $0.chunking == .whole })
  func everyLineCounts(_ transcript: TranscriptCase) throws {
    let original = try transcript.content.get()
    func expectProblems(_ changed: Transcript, _ what: String) throws {
      let run = TranscriptRun(transcript: changed, mode: transcript.mode, chunking: transcript.chunking)
      #expect(try !run.problems().isEmpty, "\(what) can be changed unnoticed")
    }
    for index in original.reports.indices {
      var changed = original
      let report = original.reports[index]
      changed.reports[index] = TranscriptLine(line: report.line, bytes: report.bytes + [UInt8(ascii: "x")])
      try expectProblems(changed, "line \(report.line)")
    }
    for (number, connection) in original.connections.enumerated() {
      for (index, step) in connection.steps.enumerated() where step.modes.contains(transcript.mode) {
        guard let other = RunnerTests.otherAction(than: step.action) else { continue }
        var changed = original
        changed.connections[number].steps[index] = ScriptStep(line: step.line, modes: step.modes, other)
        try expectProblems(changed, "line \(step.line)")
      }
    }
  }

  /// Another line of the client, or another patience; nil for what needn't be noticed.
  private static func otherAction(than action: ScriptStep.Action) -> ScriptStep.Action? {
    switch action {
    case .client(let bytes):
      return .client([bytes.first == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x")] + bytes.dropFirst())
    case .event(.timeout(let seconds?)): return .event(.timeout(seconds + 1))
    case .event(.stall(let seconds?)): return .event(.stall(seconds + 1))
    case .event(.connectTimeout(let seconds?)): return .event(.connectTimeout(seconds + 1))
    case .event, .server: return nil
    }
  }

  @Test(
    "every transcript that comes to MAIL, or to the end of a package, notices lost last words",
    arguments: TranscriptCase.all.filter { $0.chunking == .whole })
  func everyCrashCounts(_ transcript: TranscriptCase) throws {
    let original = try transcript.content.get()
    let comesToMail = try original.connections.contains { connection in
      try !original.hasLater(connection.line, at: connection.address, connection.port)
        && ConnectionScript(connection, mode: transcript.mode, eager: false).startsTransaction
    }
    guard comesToMail, transcript.problems().isEmpty else { return }
    var run = TranscriptRun(transcript: original, mode: transcript.mode, chunking: .whole)
    run.losesLastWords = true
    #expect(try run.problems().contains { $0.words.contains("a crash would report nothing of this delivery") })
  }

  // MARK: the stream

  private func stream(_ steps: String, mode: ScriptMode, chunking: ScriptChunking = .whole) throws -> ScriptedStream {
    let text = "# x\n$ qmail-remote a b c\nmessage:\n= K\n@ 192.0.2.1:25\n" + steps
    let connection = try #require(try Transcript(name: "test", text: text).connections.first)
    let script = try ConnectionScript(connection, mode: mode, eager: chunking == .oneByte)
    return ScriptedStream(script, chunking: chunking, clock: TestClock()) { _ in }
  }

  private static let flight = "> MAIL FROM:<>\n< 250 ok\n> RCPT TO:<r>\n< 250 ok\n> DATA\n< 354 go\n"

  @Test("a flight in two writes is noticed")
  func cutFlight() throws {
    let stream = try stream(RunnerTests.flight, mode: .pipelining)
    #expect(throws: TransportError.self) {
      _ = try stream.write(Array("MAIL FROM:<>\r\nRCPT TO:<r>\r\n".utf8)[...], by: .never)
    }
    #expect(stream.problem?.words.contains("the flight is cut here, before DATA") == true)
  }

  @Test("QUIT in the middle of a message is noticed")
  func quitInsideMessage() throws {
    let stream = try stream("! discard\n", mode: .lockstep)
    #expect(throws: TransportError.self) { _ = try stream.write(Array("text\r\nQUIT\r\n".utf8)[...], by: .never) }
    #expect(stream.problem?.words.contains("says QUIT") == true)
  }

  /// Half the point of one-byte runs: the client has to cope with answers that arrive while it is still sending.
  @Test("with single bytes, answers arrive in the middle of a flight")
  func answersDuringFlight() throws {
    let stream = try stream(RunnerTests.flight, mode: .pipelining, chunking: .oneByte)
    var rest = Array("MAIL FROM:<>\r\nRCPT TO:<r>\r\nDATA\r\n".utf8)[...]
    var input: [UInt8] = []
    while !rest.isEmpty { rest = rest.dropFirst(try stream.write(rest, readingInto: &input, by: .never)) }
    #expect(!input.isEmpty && Array("250 ok\r\n250 ok\r\n".utf8).starts(with: input))
    #expect(stream.problem == nil)
  }

  // MARK: the format

  @Test(
    "a line that means nothing is refused",
    arguments: [
      ("> EHLO x \n", "blanks at the end"), ("~ x\n", "no transcript line starts with ~"), ("! explode\n", "no event"),
      ("! wait\n", "no event"), ("@ 192.0.2.1\n", "no address:port"), ("$ qmail-remote\n", "one command"),
      ("< a\\q\n", "\\q is no escape"), ("< \\x4\n", "hexadecimal"), ("< \\(a*)\n", "without *number"),
      ("dns x TXT y\n", "no DNS"),
      ("modes: fast\n", "no mode"), ("source: tape\n", "no source"), ("control/me me\n", "no transcript line"),
    ])
  func refusedLine(line: String, words: String) throws {
    let text = RunnerTests.good + line
    let error = #expect(throws: TranscriptError.self) { try Transcript(name: "test", text: text) }
    #expect(error?.words.contains(words) == true, "\(error?.words ?? "")")
    #expect(error?.line == text.split(separator: "\n", omittingEmptySubsequences: false).count - 1)
  }

  @Test(
    "a transcript without an essential line is refused",
    arguments: [("# One", "One"), ("$ qmail", "# "), ("message: hi", "# "), ("= ", "# ")])
  func incomplete(old: String, new: String) {
    #expect(throws: TranscriptError.self) { try RunnerTests.transcript(replacing: old, by: new) }
  }

  @Test("escapes, quotes and repetitions")
  func text() throws {
    #expect(try TranscriptText.bytes("a\\n\\r\\t\\0\\\\\\x7f\\(bc*2)\\ ") == [97, 10, 13, 9, 0, 92, 127, 98, 99, 98, 99, 32])
    #expect(try TranscriptText.words("a '' \"b c\" d\\ e'f'") == ["a", "", "b c", "d ef"].map { Array($0.utf8) })
    #expect(throws: TranscriptError.self) { try TranscriptText.words("'a") }
    #expect(TranscriptText.shown([97, 0, 10, 13, 9, 92, 255]) == "a\\0\\n\\r\\t\\\\\\xff")
  }
}
