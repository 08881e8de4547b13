// Senders, recipients, hosts and replies that were made to become commands, variables or reports, in deliveries where every point has a
// program of the shell, which looks at all that it gets.
import Foundation
import Support
import Testing

@Suite struct HarmfulWordTests {
  /// PWN becomes a command that leaves a file behind.
  static let words = [
    "() { :; }; PWN", "() { _; } >_[$($())] { PWN; }", "x=() { :;}; PWN", "$(PWN)", "`PWN`", ";PWN;", "|PWN|", "&PWN&",
    "'\"; PWN #",
    "-e PWN", "--help", "%s%n%x", "../../../../bin/sh", "!PWN", "~root", "*", "$IFS$PATH", "\\$(PWN)", "a\tPWN", "{PWN,}",
    "<(PWN)",
    "K127.0.0.1 accepted message.", "host=forged.example", "sender=", "\u{1b}]0;PWN\u{7}", "\u{7f}\u{8}", "\u{202e}PWN", "é€",
  ]

  /// What each program answers.
  private static let answers = [
    "route": "", "environment": "echo set=STEP=environment", "sender": "", "candidates": "echo keep=1", "tls": "echo level=may",
    "credentials": "echo user=u; echo secret=s3kr3t", "mechanism": "echo mechanism=PLAIN",
    "message": "cat \"$ROOM/message.in\"",
    "trace": "", "record": "", "ONSUCCESS_REMOTE": "", "ONFAILURE_REMOTE": "", "ONTEMPORARY_REMOTE": "",
  ]

  /// Notes operands, question and environment, and gives shells every chance.
  private static func script(_ point: String, _ shell: String, _ answer: String) -> String {
    """
    #!\(shell)
    cd "$ROOM" || exit 1
    cat >"\(point).in"
    printf '%s\\0' "$@" >"\(point).operands"
    env -0 >"\(point).environment"
    eval true; bash -c true; sh -c 'env >/dev/null'; set >/dev/null
    \(answer)

    """
  }

  /// A delivery, and what is left of it.
  private struct Run {
    let folder = Result { try TemporaryFolder() }
    let finished: FinishedProcess
    let dialogues: [Dialogue]

    init(_ shell: String, _ reply: String, edit: (inout Remote) -> Void) throws {
      let folder = try folder.get()
      let server = try ScriptedServer { peer in try AuthenticatingScript(last: reply).serve(peer) }
      var remote = Remote()
      remote.control["smtproutes"] = ":127.0.0.1:\(server.port)\n"
      remote.environment = [
        "PATH": "/usr/bin:/bin", "ROOM": folder.path, "HOOKDIR": "\(folder.path)/hooks", "QMAILREMOTE_RUNDIR": folder.path,
        "HOOKRECORD": "",
      ]
      for (point, answer) in HarmfulWordTests.answers {
        let isOutcome = point.hasPrefix("ON")
        let path = try folder.install(
          isOutcome ? point : "hooks/\(point)", HarmfulWordTests.script(point, shell, answer))
        if isOutcome { remote.environment[point] = path }
      }
      edit(&remote)
      finished = try remote.run()
      dialogues = server.finish()
    }

    func left(_ name: String) throws -> [UInt8] { try folder.get().read(name) }

    /// Everything in the folder, by name.
    func names() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: folder.get().path)) }
  }

  private static let inOrder = ["environment", "sender", "candidates", "tls", "message", "credentials", "mechanism"]

  @Test(arguments: words, ["/bin/sh", "/bin/bash"])
  func `nothing that others write is a command, a key or a report`(_ word: String, _ shell: String) throws {
    let text = word.replacingOccurrences(of: "PWN", with: "touch $ROOM/pwned")
    // A reply has no control characters that would end it.
    let run = try Run(shell, "250 \(text)") {
      $0.host = text
      $0.sender = "\(text)@example.net"
      $0.recipients = ["\(text)@example.com", text]
    }
    #expect(run.finished.ending == .exited(0))
    let reports = try StrictReports(run.finished.output)
    #expect(reports.recipients == ["r", "r"])
    #expect(reports.message.hasPrefix("K127.0.0.1 accepted message.\nRemote host said: 250 "))
    #expect(run.dialogues.flatMap(\.bodies).count == 1)
    #expect(try !run.names().contains("pwned"))
    try expectOnlyOurs(run, text)
  }

  /// Keys, operands and names of variables are ours, however values read.
  private func expectOnlyOurs(_ run: Run, _ text: String) throws {
    // On a busy machine the program trace may not have come so far in its five seconds.
    let trace = try run.names().contains("trace.environment") ? ["trace"] : []
    for point in ["route"] + Self.inOrder + ["record", "ONSUCCESS_REMOTE"] + trace {
      let operands = try run.left("\(point).operands").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      #expect(operands == [text, "\(text)@example.net", "\(text)@example.com", text], "\(point)")
      let entries = try run.left("\(point).environment").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      for entry in entries {
        let name = String(entry.prefix { $0 != "=" })
        #expect(Self.variables.contains(name), "\(point): \(entry)")
        #expect(!entry.dropFirst(name.count + 1).hasPrefix("() {"), "\(point): \(entry)")
        #expect(entry.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 || $0 == 10 }, "\(point): \(entry)")
      }
      guard Self.inOrder.contains(point), point != "message" else { continue }
      let lines = try run.left("\(point).in").split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
      #expect(
        lines.prefix(4) == ["host=\(text)", "sender=\(text)@example.net", "recipient=\(text)@example.com", "recipient=\(text)"])
      #expect(lines.allSatisfy { line in Self.keys.contains(String(line.prefix { $0 != "=" })) }, "\(point): \(lines)")
      #expect(lines.filter { $0.hasPrefix("host=") }.count == 1, "\(point): \(lines)")
    }
    #expect(try Records.read(run.left("record.in")).count == 1)
    #expect(try run.left("record.in") == run.left("ONSUCCESS_REMOTE.in"))
  }

  private static let variables: Set = [
    "PATH", "ROOM", "HOOKDIR", "HOOKRECORD", "HOOKVERSION", "HOOKPOINT", "CONTROLDIR", "DIALECT", "QMAILREMOTE_RUNDIR", "STEP",
    "SMTPTEXT", "SMTPCODE", "SMTPHOST", "SMTPSTATUS", "ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE",
    "SWIFT_BACKTRACE",
    // The shell's own.
    "PWD", "OLDPWD", "SHLVL", "_",
  ]
  private static let keys: Set = [
    "host", "sender", "recipient", "route", "outgoing", "candidate", "name", "address", "port", "level", "relay", "user",
    "mechanisms",
    "refresh", "error", "tls", "offered", "usable",
  ]

  /// A line end in an operand would be a line of the question; such mail goes nowhere, and no program is asked.
  @Test(arguments: ["\n", "\r", "\r\n"])
  func `line ends`(_ end: String) throws {
    let word = "a\(end)route=127.0.0.9\(end)"
    for edit: (inout Remote) -> Void in [{ $0.sender = word }, { $0.recipients = ["a@b", word] }, { $0.host = word }] {
      let run = try Run("/bin/sh", "250 ok", edit: edit)
      #expect(SpawnVerdict(output: run.finished.output, ending: run.finished.ending).letter == "D")
      #expect(run.dialogues.isEmpty)
      let asked = try run.names().filter { $0.hasSuffix(".in") }
      // What watches may be too slow to.
      #expect(asked.subtracting(["trace.in"]) == ["ONFAILURE_REMOTE.in", "record.in"])
    }
  }

  /// The variable of a route may hold what a message has brought along, and its edits reach the programs that come later: none of them
  /// may make a shell, or whatever else runs a program, run something of theirs.
  @Test(arguments: [
    "BASH_FUNC_cat%%=() { touch $ROOM/pwned; }", "BASH_FUNC_cat()=() { touch $ROOM/pwned; }", "cat()=x", "a b=x",
    "BASH_FUNC_printf%%=() { touch $ROOM/pwned; }", "PS4=$(touch $ROOM/pwned)", "SHELLOPTS=xtrace", "BASHOPTS=extdebug",
    "PERLLIB=/tmp", "PERL5OPT=-Mx", "NODE_OPTIONS=--require=/tmp/x", "LUA_INIT=@/tmp/x", "HOME=/tmp", "CURL_HOME=/tmp",
    "XDG_CONFIG_HOME=/tmp", "HOSTALIASES=/tmp/x", "LOCPATH=/tmp", "NLSPATH=/tmp", "MALLOC_TRACE=/tmp/x", "SENDMAIL=/tmp/x",
    "BASH_ENV=/tmp/x", "ENV=/tmp/x", "IFS=/",
  ])
  func `edits that decide which code runs`(_ edit: String) throws {
    let run = try Run("/bin/bash", "250 ok") {
      let route = ($0.control["smtproutes"] ?? "").dropLast()
      $0.environment["SMTPROUTE"] = "\(route) user s3kr3t \(edit)"
    }
    #expect(try !run.names().contains("pwned"))
    let output = visible(run.finished.output)
    let name = edit.prefix { $0 != "=" }
    let isName = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
    let words = isName ? "\(name) may not be edited" : "an edit of the environment has no proper name"
    #expect(output.hasPrefix("ZUnable to use the variable SMTPROUTE: \(words). (#4.3.5)"), "\(output)")
    #expect(run.dialogues.isEmpty)
  }
}
