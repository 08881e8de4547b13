// Descriptors 0, 1 and 2 as a spawner may leave them, closed ones included: no report becomes mail, and no mail a report.
import Foundation
import Support
import Testing

@Suite struct DescriptorTests {
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  /// A server that also sees what comes after QUIT.
  private func server(_ script: SMTPScript = SMTPScript()) throws -> ScriptedServer {
    try ScriptedServer { peer in
      try script.serve(peer)
      var more: [UInt8]?
      // The program doesn't wait for the answer to QUIT: what comes too late for it is answered by a reset.
      do { more = try peer.flight() } catch PeerFault.reset {}
      if let more { throw PeerFault.unexpected(visible(more), wanted: "nothing after QUIT") }
    }
  }

  private func checkOrdinarySession(_ dialogues: [Dialogue]) {
    let lines = ["EHLO me.example.net", "MAIL FROM:<sender@example.net>", "RCPT TO:<user@example.com>", "DATA", "QUIT"]
    #expect(dialogues.map(\.lines) == [lines])
    #expect(dialogues.first?.bodies.map(visible) == ["Subject: test\\r\\n\\r\\nhello\\r\\n.\\r\\n"])
    #expect(dialogues.map(\.fault) == [nil])
  }

  @Test(arguments: [true, false], [true, false])
  func `descriptor 1 or 2 is closed`(_ hasOutput: Bool, _ hasErrors: Bool) throws {
    let targets = Promise<[String?]>()
    let running = Promise<Running>()
    var script = SMTPScript()
    script.hold = { step in
      guard step == .message, let process = running.wait(seconds: 20)?.process else { return }
      targets.keep([1, 2].map { process.target(ofDescriptor: $0) })
    }
    let server = try server(script)
    var remote = Remote(to: server)
    remote.output = hasOutput ? .collected : .closed
    remote.errors = hasErrors ? .collected : .closed
    running.keep(try remote.start())
    let finished = try #require(running.now).finish()
    // Neither the connection nor a file of ours has come to stand there.
    let found = try #require(targets.wait(seconds: 1))
    #expect(hasOutput ? found[0]?.hasPrefix("pipe:") == true : found[0] == "/dev/null")
    #expect(hasErrors ? found[1]?.hasPrefix("pipe:") == true : found[1] == "/dev/null")
    if hasOutput {
      expect(finished, "r^@\(DescriptorTests.accepted)^@", verdict: DescriptorTests.accepted)
    } else {
      // The mail has gone out; there is nobody to tell.
      #expect(finished.ending == .exited(0))
      #expect(visible(finished.errors) == "")
    }
    checkOrdinarySession(server.finish())
  }

  /// No message is not an empty message.
  @Test(arguments: [true, false], [true, false])
  func `descriptor 0 is closed`(_ hasOutput: Bool, _ hasErrors: Bool) throws {
    let server = try server()
    var remote = Remote(to: server)
    remote.input = .closed
    remote.output = hasOutput ? .collected : .closed
    remote.errors = hasErrors ? .collected : .closed
    let finished = try remote.run()
    if hasOutput {
      expect(finished, "ZUnable to read message. (#4.3.0)\n^@")
    } else {
      #expect(finished.ending == .exited(0))
      #expect(visible(finished.errors) == "")
    }
    #expect(server.finish().isEmpty)
  }

  /// As qmail-rspawn starts it.
  @Test(arguments: ["pipe", "file"])
  func `descriptor 2 is a copy of 1`(_ kind: String) throws {
    let target = Promise<String?>()
    let running = Promise<Running>()
    var script = SMTPScript()
    script.hold = { step in
      if step == .message { target.keep(running.wait(seconds: 20)?.process.target(ofDescriptor: 2)) }
    }
    let server = try server(script)
    let folder = try TemporaryFolder()
    var remote = Remote(to: server)
    remote.errors = .sameAsOutput
    if kind == "file" {
      let path = try folder.write("reports", "")
      remote.output = .descriptor(open(path, O_WRONLY | O_CLOEXEC))
    }
    running.keep(try remote.start())
    var finished = try #require(running.now).finish()
    if kind == "file" { finished = FinishedProcess(ending: finished.ending, output: try folder.read("reports"), errors: []) }
    expect(finished, "r^@\(DescriptorTests.accepted)^@", verdict: DescriptorTests.accepted)
    checkOrdinarySession(server.finish())
    // Whatever is printed there goes nowhere, instead of into the report.
    #expect(target.wait(seconds: 1) == "/dev/null")
  }

  /// Two channels stay two.
  @Test func `descriptor 2 of its own stays`() throws {
    let target = Promise<String?>()
    let running = Promise<Running>()
    var script = SMTPScript()
    script.hold = { step in
      if step == .message { target.keep(running.wait(seconds: 20)?.process.target(ofDescriptor: 2)) }
    }
    let server = try server(script)
    running.keep(try Remote(to: server).start())
    let finished = try #require(running.now).finish()
    expect(finished, "r^@\(DescriptorTests.accepted)^@", verdict: DescriptorTests.accepted)
    checkOrdinarySession(server.finish())
    #expect((target.wait(seconds: 1) ?? nil)?.hasPrefix("pipe:") == true)
  }

  /// Also those that fill closed ones, but for 0, 1 and 2 themselves.
  @Test(arguments: [ProgramStart.Output.collected, .closed])
  func `everything else is close-on-exec`(_ errors: ProgramStart.Output) throws {
    let flags = Promise<[Int32: Int]>()
    let running = Promise<Running>()
    var script = SMTPScript()
    script.hold = { step in
      guard step == .message, let process = running.wait(seconds: 20)?.process else { return }
      flags.keep(DescriptorTests.flags(process.pid))
    }
    let server = try server(script)
    var remote = Remote(to: server)
    remote.errors = errors
    running.keep(try remote.start())
    let finished = try #require(running.now).finish()
    expect(finished, "r^@\(DescriptorTests.accepted)^@", verdict: DescriptorTests.accepted)
    checkOrdinarySession(server.finish())
    let found = try #require(flags.wait(seconds: 1))
    let closeOnExec = 0o2000000
    #expect(Set(found.keys).isSuperset(of: [0, 1, 2]))
    // The connection, at least.
    #expect(found.count > 3)
    for (number, flags) in found { #expect((flags & closeOnExec != 0) == (number > 2), "descriptor \(number)") }
  }

  private static func flags(_ pid: pid_t) -> [Int32: Int] {
    var found: [Int32: Int] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fdinfo")) ?? [] {
      let info = try? String(contentsOfFile: "/proc/\(pid)/fdinfo/\(name)", encoding: .utf8)
      let line = info?.split(separator: "\n").first { $0.hasPrefix("flags:") }
      if let number = Int32(name), let flags = line.flatMap({ Int($0.drop { !$0.isNumber }, radix: 8) }) {
        found[number] = flags
      }
    }
    return found
  }
}
