// Programs that do what no program should: each gets the report that names it, in bounded time, and leaves nobody behind.
import Support
import Testing

@testable import Hooks

@Suite struct HostileTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let script: String

    init(_ description: String, _ script: String) {
      testDescription = description
      self.script = script
    }
  }

  // MARK: no end

  static let endless = [
    Row("sleeps", "#!/bin/sh\nexec sleep 1000\n"),
    Row("waits for a child", "#!/bin/sh\nsleep 1000\ntrue\n"),
    Row("works", "#!/bin/sh\nwhile :; do :; done\n"),
    Row("ignores TERM", "#!/bin/sh\ntrap '' TERM INT HUP QUIT\nwhile :; do sleep 1000; done\n"),
    Row(
      "ignores every signal", "#!/usr/bin/perl\n$SIG{$_} = 'IGNORE' for grep { !/KILL|STOP|NUM|__/ } keys %SIG;\n1 while 1;\n"),
    Row("stops itself", "#!/bin/sh\nkill -STOP $$\n"),
    Row("closes its descriptors", "#!/bin/sh\nexec 0<&- 1>&- 2>&-\nsleep 1000\n"),
    Row("answers and stays", "#!/bin/sh\necho route=relay\nexec sleep 1000\n"),
    Row("writes now and then", "#!/usr/bin/perl\n$| = 1;\nwhile (1) { print \"\\n\"; select(undef, undef, undef, 0.01) }\n"),
    Row("waits for a process of another session", "#!/bin/sh\nsetsid sleep 1000 &\nwait\n"),
    Row("opens what has no end", "#!/bin/sh\nmkfifo \"$0.fifo\"\ncat \"$0.fifo\"\n"),
    Row(
      "starts processes from threads",
      """
      #!/usr/bin/python3
      import subprocess, threading
      def start():
          subprocess.run(["sleep", "1000"], start_new_session=True)
      threads = [threading.Thread(target=start) for _ in range(10)]
      for thread in threads: thread.start()
      for thread in threads: thread.join()

      """),
    Row(
      "is many, each in a session of its own",
      """
      #!/usr/bin/perl
      use POSIX;
      for (1 .. 200) { unless (fork) { POSIX::setsid(); sleep 1000; exit } }
      sleep 1000;

      """),
    Row(
      "takes its children's ends for itself",
      """
      #!/usr/bin/python3
      import ctypes, os, time
      ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
      if os.fork() == 0:
          os.setsid()
          if os.fork() == 0:
              os.setsid()
              time.sleep(1000)
          os._exit(0)
      time.sleep(1000)

      """),
  ]

  @Test("a program that doesn't end", arguments: endless)
  func end(_ row: Row) throws {
    try Scene(row.script, limit: 1).expect(Scene.failed("it ran for more than 1 s"))
  }

  // MARK: something stays

  static let leaving = [
    Row("a child that holds the pipes", "#!/bin/sh\nsleep 1000 &\necho route=relay\n"),
    Row("a child in another session", "#!/bin/sh\nsetsid sleep 1000 &\necho route=relay\n"),
    Row("a child that ignores signals", "#!/bin/sh\n(trap '' TERM HUP; sleep 1000; sleep 1000) &\necho route=relay\n"),
    Row(
      "a child without its environment",
      "#!/bin/sh\nenv -i /usr/bin/perl -e 'sleep 1000' \"$QMAILREMOTE_TEST_MARKER\" &\necho route=relay\n"),
    Row("a stopped child", "#!/bin/sh\n(kill -STOP $(exec sh -c 'echo $PPID'); sleep 1000) &\necho route=relay\n"),
    Row(
      "a daemon",
      """
      #!/usr/bin/perl
      use POSIX;
      unless (fork) {
        POSIX::setsid();
        exit if fork;
        chdir '/';
        POSIX::close($_) for 0 .. 9;
        sleep 1000;
        exit;
      }
      wait;
      print "route=relay\\n";

      """),
    Row(
      "a tree",
      """
      #!/usr/bin/perl
      $| = 1;
      print "route=relay\\n";
      for (1 .. 30) { last if fork }
      exit if $$ == getpgrp;
      sleep 1000;

      """),
    Row(
      "one that runs away",
      """
      #!/usr/bin/perl
      use POSIX;
      $| = 1;
      print "route=relay\\n";
      while (1) { exit if fork; POSIX::setsid() }

      """),
  ]

  @Test("a program that leaves processes behind", arguments: leaving)
  func leave(_ row: Row) throws { try Scene(row.script).expect("route=relay") }

  @Test("a program that kills its supervisor")
  func supervisorKilled() throws {
    let scene = try Scene("#!/bin/sh\nkill -KILL $PPID\nexec sleep 1000\n")
    #expect(scene.ask() == Scene.failed("its supervisor is gone"))
    #expect(try eventually { try scene.marker.survivors().isEmpty })
  }

  // MARK: too much

  static let floods = [
    (Row("a gigabyte on 1", "#!/bin/sh\nexec head -c 1073741824 /dev/zero\n"), 1),
    (Row("lines without end on 1", "#!/bin/sh\nexec yes route=relay\n"), 1),
    (Row("a gigabyte on 1, from a child", "#!/bin/sh\nhead -c 1073741824 /dev/zero\necho route=relay\n"), 1),
    (Row("a gigabyte on 2", "#!/bin/sh\nexec head -c 1073741824 /dev/zero >&2\n"), 2),
    (Row("a gigabyte on 2, and an answer", "#!/bin/sh\necho route=relay\nhead -c 1073741824 /dev/zero >&2\n"), 2),
    (Row("a gigabyte on 2, and a refusal", "#!/bin/sh\nhead -c 1073741824 /dev/zero >&2\nexit 100\n"), 2),
    (
      Row(
        "writes on though nobody reads",
        "#!/usr/bin/perl\n$SIG{PIPE} = $SIG{TERM} = 'IGNORE';\nwhile (1) { syswrite STDOUT, 'x' x 65536 }\n"), 1
    ),
    (Row("one byte too much on 1", "#!/bin/sh\nhead -c 65537 /dev/zero\n"), 1),
    (Row("one byte too much on 2", "#!/bin/sh\nhead -c 65537 /dev/zero >&2\nexit 111\n"), 2),
  ]

  @Test("a program that writes too much", arguments: floods)
  func flood(_ row: Row, _ descriptor: Int) throws {
    try Scene(row.script).expect(Scene.failed("it wrote more than 65536 bytes to descriptor \(descriptor)"))
  }

  @Test("the longest answer")
  func longest() throws {
    let scene = try Scene("#!/usr/bin/perl\nprint 'route=', 'x' x (65536 - 6);\nprint STDERR 'x' x 65536;\n")
    try scene.expect("route=" + String(repeating: "x", count: 65_530))
  }

  // MARK: ends

  @Test(
    "exit status",
    arguments: [
      ("exit 0", "none"), ("echo text >&2; exit 0", "none"), ("echo route=relay; exit 0", "route=relay"),
      ("echo route=relay; exit 1", "its exit status is 1"), ("exit 2", "its exit status is 2"),
      ("exit 99", "its exit status is 99"), ("exit 126", "its exit status is 126"), ("exit 127", "its exit status is 127"),
      ("exit 255", "its exit status is 255"), ("kill -KILL $$", "signal 9 ended it"), ("kill -SEGV $$", "signal 11 ended it"),
      ("kill -TERM $$", "signal 15 ended it"), ("kill -PIPE $$", "signal 13 ended it"), ("kill -KILL 0", "signal 9 ended it"),
      ("echo route=relay; kill -ABRT $$", "signal 6 ended it"), ("no-such-command", "its exit status is 127"),
    ])
  func ends(_ commands: String, _ expected: String) throws {
    let isFailure = expected.contains(" ")
    try Scene("#!/bin/sh\n\(commands)\n").expect(isFailure ? Scene.failed(expected) : expected)
  }

  @Test(
    "refusals",
    arguments: [
      ("echo Not there. >&2; exit 100", "DNot there. (#5.3.0)\nhooks/route, exit status 100\n"),
      ("echo Not now. >&2; exit 111", "ZNot now. (#4.3.0)\nhooks/route, exit status 111\n"),
      ("echo route=relay; exit 100", "Dhooks/route refuses the message. (#5.3.0)\nhooks/route, exit status 100\n"),
      ("exit 111", "Zhooks/route defers the message. (#4.3.0)\nhooks/route, exit status 111\n"),
      ("printf 'a\\0Kb\\n\\0r' >&2; exit 100", "Da?Kb (#5.3.0)\nhooks/route, exit status 100\n"),
    ])
  func refusals(_ commands: String, _ report: String) throws { try Scene("#!/bin/sh\n\(commands)\n").expect(report) }

  // MARK: answers

  @Test(
    "answers",
    arguments: [
      ("printf 'r\\0Kforged\\n\\0'", "its answer has a line without ="),
      ("printf 'r\\0Kforged\\n\\0' >&2", ""), ("printf 'Kforged=\\0'", "its answer has the unknown key Kforged"),
      ("printf 'route=x\\0y'", "its answer has a control character in the value of route"),
      ("printf 'route=x\\r\\n'", "its answer has a control character in the value of route"),
      ("echo rout=x", "its answer has the unknown key rout"), ("echo", "its answer has a line without ="),
      ("echo route=x; echo route=x", "its answer has the key route more than once"),
      ("echo relay", "its answer has a line without ="), ("exec <&-; true", ""), ("exec >&-; echo route=x 2>&-; true", ""),
    ])
  func answers(_ commands: String, _ fault: String) throws {
    try Scene("#!/bin/sh\n\(commands)\n").expect(fault.isEmpty ? "none" : Scene.failed(fault))
  }
}
