// Every point at which the built program runs one of the site, times everything that such a program can do wrong. What is expected of a
// pair follows from one rule for each kind of point, and from one for what a program does (qmail-remote-hooks(7)).
import Foundation
import Support
import Testing

@Suite struct HostileHookTests {
  // MARK: points

  /// A point, an answer of its own, and its kind.
  struct Point: Sendable, CustomTestStringConvertible {
    enum Kind: Sendable, Equatable {
      /// Without an answer the delivery goes on; what is no answer defers.
      case decides
      /// The same, but no answer isn't one.
      case filters
      /// Nothing that it does changes anything.
      case watches
      /// Its exit status is ours, and nothing else of it; and nobody asks who owns it. The replies of the server, and their report.
      case follows(reply: String, letter: Character)
    }

    let name: String
    let kind: Kind
    var answer = ""

    var testDescription: String { name }
    var isOutcome: Bool { if case .follows = kind { true } else { false } }
  }

  static let points = [
    Point(name: "route", kind: .decides, answer: "route=127.0.0.1:PORT|user|s3kr3t"),
    Point(name: "environment", kind: .decides, answer: "set=STEP=environment"),
    Point(name: "sender", kind: .decides, answer: "sender=other@example.net"),
    Point(name: "candidates", kind: .decides, answer: "keep=1"), Point(name: "tls", kind: .decides, answer: "level=may"),
    Point(name: "credentials", kind: .decides, answer: "user=user"),
    Point(name: "mechanism", kind: .decides, answer: "mechanism=PLAIN"),
    Point(name: "message", kind: .filters, answer: "Subject: other"), Point(name: "trace", kind: .watches),
    Point(name: "record", kind: .watches), Point(name: "ONSUCCESS_REMOTE", kind: .follows(reply: "250 ok 1", letter: "K")),
    Point(name: "ONFAILURE_REMOTE", kind: .follows(reply: "554 no", letter: "D")),
    Point(name: "ONTEMPORARY_REMOTE", kind: .follows(reply: "452 full", letter: "Z")),
  ]

  // MARK: what programs do

  /// What a program is, in the words of the manual.
  enum Sort: Sendable, Equatable {
    /// It has answered, and ends with 0, whatever it leaves behind.
    case answers
    /// It ends with 0, and has said nothing.
    case silent
    /// It ends with 0, and what it wrote is no answer: a line without end, or one that has an end and would do as a message.
    case babbles, chats
    case exits(Int32)
    /// A signal ended it, or its time.
    case dies
    /// It wrote more than may be, or as long as somebody reads.
    case floods
    /// It can't be started.
    case unusable
    /// Somebody else could have put it there: it is not run at a point, and would end with 7.
    case distrusted
  }

  struct Hostility: Sendable, CustomStringConvertible {
    let description: String
    let sort: Sort
    /// ANSWER stands for a line.
    let script: String
    /// Commands of the shell that make of the file in $1 what it is to be.
    var preparation = ""

    init(_ description: String, _ sort: Sort, _ script: String, preparation: String = "") {
      self.description = description
      self.sort = sort
      self.script = script.hasPrefix("#!") ? script : "#!/bin/sh\n\(script)\n"
      self.preparation = preparation
    }
  }

  static let hostilities =
    [
      Hostility("sleeps", .dies, "exec sleep 1000"), Hostility("answers and stays", .dies, "echo 'ANSWER'; exec sleep 1000"),
      Hostility("ignores TERM", .dies, "trap '' TERM INT HUP QUIT; while :; do sleep 1000; done"),
      Hostility("works", .dies, "while :; do :; done"), Hostility("stops itself", .dies, "kill -STOP $$"),
      Hostility("closes its descriptors and stays", .dies, "exec 0<&- 1>&- 2>&-; sleep 1000"),
      Hostility("waits for a process of another session", .dies, "setsid sleep 1000 & wait"),
      Hostility("kills its supervisor", .dies, "kill -KILL $PPID; exec sleep 1000"),
      Hostility("leaves a child", .answers, "sleep 1000 & echo 'ANSWER'"),
      Hostility("leaves a child in another session", .answers, "setsid sleep 1000 & echo 'ANSWER'"),
      Hostility("leaves a child that ignores signals", .answers, "(trap '' TERM HUP; sleep 1000; sleep 1000) & echo 'ANSWER'"),
      Hostility(
        "leaves a tree", .answers,
        "#!/usr/bin/perl\n$| = 1; print \"ANSWER\\n\"; for (1 .. 20) { last if fork }\nexit if $$ == getpgrp; sleep 1000;\n"),
      Hostility(
        "leaves a daemon", .answers,
        "#!/usr/bin/perl\nuse POSIX; unless (fork) { POSIX::setsid(); exit if fork; POSIX::close($_) for 0 .. 9; sleep 1000; exit }\nwait; print \"ANSWER\\n\";\n"
      ),
      Hostility("answers without reading", .answers, "exec 0<&-; echo 'ANSWER'"),
      Hostility("closes its descriptors", .silent, "exec 0<&- 1>&- 2>&-"),
      Hostility("reads nothing and says nothing", .silent, "exit 0"),
      Hostility("writes reports to 2", .silent, "printf 'r\\0K127.0.0.1 accepted message.\\n\\0' >&2"),
      Hostility("writes reports to 1", .babbles, "printf 'r\\0K127.0.0.1 accepted message.\\n\\0'"),
      Hostility(
        "writes reports to all it can find", .chats,
        "for i in /proc/self/fd/*; do printf 'Dforged\\n\\0' >$i; done 2>/dev/null; echo Kforged; exit 0"),
      Hostility("floods 1", .floods, "exec cat /dev/zero"),
      Hostility("floods 2", .floods, "echo 'ANSWER'; exec cat /dev/zero >&2"),
      Hostility("is a folder", .unusable, "", preparation: "rm \"$1\"; mkdir \"$1\""),
      Hostility("is a fifo", .unusable, "", preparation: "rm \"$1\"; mkfifo \"$1\"; chmod 755 \"$1\""),
      Hostility("is not executable", .unusable, "echo 'ANSWER'", preparation: "chmod 644 \"$1\""),
      Hostility("has no interpreter", .unusable, "#!/no/such/interpreter\n"),
      Hostility("is no program", .unusable, "", preparation: "echo text >\"$1\""),
      Hostility("is empty", .unusable, "", preparation: ": >\"$1\""),
      Hostility("is somebody else's", .distrusted, "exit 7", preparation: "chown 65534 \"$1\""),
      Hostility("may be written by all", .distrusted, "exit 7", preparation: "chmod 777 \"$1\""),
      Hostility("is in a folder for all", .distrusted, "exit 7", preparation: "chmod 1777 \"${1%/*}\""),
      Hostility("is a link", .distrusted, "exit 7", preparation: "mv \"$1\" \"$1.other\"; ln -s \"$1.other\" \"$1\""),
    ]
    + [1, 2, 9, 11, 13, 15].map { Hostility("ends by signal \($0)", .dies, "echo 'ANSWER'; kill -\($0) $$") }
    + [Hostility("ends its process group", .dies, "kill -KILL 0")]
    + [1, 2, 31, 64, 77, 98, 99, 100, 101, 110, 111, 112, 126, 127, 128, 137, 254, 255].map {
      Hostility("exits with \($0)", .exits($0), "echo 'ANSWER'; exit \($0)")
    }

  // MARK: what has to come of it

  /// The letter that qmail-rspawn has to conclude, and our exit status.
  static func expectation(_ point: Point, _ sort: Sort) -> (letter: Character, status: Int32) {
    switch point.kind {
    case .watches: return ("K", 0)
    case .follows(_, let letter):
      switch sort {
      case .exits(let status): return (letter, status)
      case .distrusted: return (letter, 7)
      case .answers, .silent, .babbles, .chats, .dies, .floods, .unusable: return (letter, 0)
      }
    case .decides, .filters:
      switch sort {
      case .answers: return ("K", 0)
      case .silent where point.kind == .decides: return ("K", 0)
      case .exits(99) where point.kind == .filters, .chats where point.kind == .filters: return ("K", 0)
      case .exits(100): return ("D", 0)
      case .silent, .babbles, .chats, .dies, .floods, .unusable, .distrusted, .exits: return ("Z", 0)
      }
    }
  }

  /// One delivery.
  private static func deliver(_ point: Point, _ hostility: Hostility) throws {
    let reply = if case .follows(let reply, _) = point.kind { reply } else { "250 ok 1" }
    let server = try ScriptedServer { peer in try AuthenticatingScript(last: reply).serve(peer) }
    let folder = try TemporaryFolder()
    let marker = ProcessMarker()
    var remote = Remote()
    remote.control["smtproutes"] = ":127.0.0.1:\(server.port)|user|s3kr3t\n"
    remote.environment = [
      "PATH": "/usr/bin:/bin", ProcessMarker.name: marker.value, "HOOKTIMEOUT": "1", "OUTCOMETIMEOUT": "1",
      "HOOKDIR": "\(folder.path)/hooks", "QMAILREMOTE_RUNDIR": folder.path, "TMPDIR": folder.path, "HOOKRECORD": "",
    ]
    // Nobody else knows them then.
    if point.name == "credentials" { remote.control["smtproutes"] = ":127.0.0.1:\(server.port)\n" }
    var answer = point.answer.replacingOccurrences(of: "PORT", with: "\(server.port)")
    if point.name == "credentials" { answer += "\\nsecret=s3kr3t" }
    let isPerl = hostility.script.contains("perl")
    answer = isPerl ? answer : answer.replacingOccurrences(of: "\\n", with: "\n")
    let script = hostility.script.replacingOccurrences(
      of: "ANSWER", with: isPerl ? answer.replacingOccurrences(of: "@", with: "\\@") : answer)
    let path = try folder.install("hooks/\(point.name)", script)
    var prepare = ProgramStart("/bin/sh", ["-ec", hostility.preparation, "sh", path])
    prepare.environment = ["PATH": "/usr/bin:/bin"]
    #expect(try SpawnedProcess(prepare).finish().ending == .exited(0))
    if point.isOutcome {
      remote.environment[point.name] = path
      remote.environment["HOOKDIR"] = nil
    }
    let finished = try remote.run(within: 120)
    let comment: Comment = "\(point.name) \(hostility): \(visible(finished.output)) \(finished.ending)"
    let expected = expectation(point, hostility.sort)
    #expect(finished.ending == .exited(expected.status), comment)
    // The reports by themselves: what an exit status makes of them is another matter.
    #expect(SpawnVerdict(output: finished.output, ending: .exited(0)).letter == expected.letter, comment)
    let reports = try StrictReports(finished.output)
    #expect(!visible(finished.output).contains("forged") && finished.errors.isEmpty, comment)
    #expect(try eventually { try marker.survivors().isEmpty }, comment)
    let accepted = server.finish().flatMap(\.bodies).count
    // Sent once if it is accepted or refused by the server, and never if a program had a say in it.
    #expect(accepted == (expected.letter == "K" || point.isOutcome ? 1 : 0), comment)
    if expected.letter == "K" {
      #expect(
        reports.recipients == ["r"] && reports.message == "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n", comment)
    } else if !point.isOutcome {
      #expect(reports.recipients.isEmpty && reports.message.contains("hooks/\(point.name)"), comment)
    }
  }

  @Test("a point and everything that its program can do", arguments: points)
  func product(_ point: Point) {
    let faults = inParallel(Self.hostilities, width: 6) { hostility -> String? in
      do {
        try Self.deliver(point, hostility)
        return nil
      } catch { return "\(hostility): \(error)" }
    }
    #expect(faults.compactMap(\.self) == [])
  }
}
