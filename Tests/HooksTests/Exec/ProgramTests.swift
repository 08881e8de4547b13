// Which files are run, and what they find: the question, descriptors, signals, operands, environment, folder.
import CSystem
import Foundation
import Support
import Testing

@testable import Hooks

@Suite struct ProgramFileTests {
  private static let answering = "#!/bin/sh\necho route=relay\n"
  private static let stranger = "belongs to user 7, not to root or the owner of the control directory"

  /// Commands that spoil a program that works, and what is said about it.
  @Test(
    arguments: [
      ("true", ""), ("chown 5 route", "it belongs to user 5, not to root or the owner of the control directory"),
      ("chown 7 ../.; chown 7 route", ""), ("chown 7 ../. . route", ""), ("chown 7 ../.", ""),
      ("chown 7 route", "it \(stranger)"), ("chown 7 .", "its folder \(stranger)"),
      ("chmod 775 route", "its group or others may write to it"), ("chmod 757 route", "its group or others may write to it"),
      ("chmod 775 .", "the group or others may write to its folder"),
      ("chmod 1777 .", "the group or others may write to its folder"),
      ("chmod 711 route .", ""), ("chmod 700 route .", ""), ("chmod 644 route", "it can't be run: Permission denied"),
      ("rm route; mkdir route", "it is not a regular file"), ("rm route; mkfifo route", "it is not a regular file"),
      ("rm route; mknod route c 1 3", "it is not a regular file"),
      ("mv route other; chown 7 other; ln -s other route", "it is a symbolic link"),
      ("mv route other; ln -s other route", "it is a symbolic link"), ("ln -sf none route", "it is a symbolic link"),
      ("cp route other; chown 7 other; ln -f other route", "it \(stranger)"),
      ("rm route", "none"), ("rm -r ../hooks", "its folder can't be opened: No such file or directory"),
      ("rm -r ../hooks; echo >../hooks", "its folder can't be opened: Not a directory"),
      ("rm -r ../hooks; mkdir ../real; ln -s real ../hooks", "none"),
    ])
  func `who may have written it`(_ commands: String, _ fault: String) throws {
    let scene = try Scene(ProgramFileTests.answering)
    try scene.prepare(commands)
    try scene.expect(fault == "none" ? fault : fault.isEmpty ? "route=relay" : Scene.failed(fault))
  }

  @Test(
    arguments: [
      ("#!/no/such/interpreter\n", "its interpreter doesn't exist"), ("", "Exec format error"),
      ("echo route=relay\n", "Exec format error"), ("\u{7f}ELF\u{1}\u{2}\u{3}", "Exec format error"),
      ("\0\0\0\0", "Exec format error"),
      ("#!/bin\n", "Permission denied"), ("#! \n", "Exec format error"),
    ])
  func `what can't be run`(_ content: String, _ reason: String) throws {
    try Scene(content).expect(Scene.failed("it can't be run: \(reason)"))
  }

  @Test func `a program that is none of a script's`() throws {
    let scene = try Scene()
    try scene.prepare("cp /bin/true route")
    try scene.expect("none")
  }
}

@Suite struct ProgramSurroundingsTests {
  @Test func `the question is what the point asks, and descriptor 0 holds nothing else`() throws {
    let scene = try Scene("#!/bin/sh\ncat >\"$0.input\"\n")
    try scene.expect("none")
    #expect(try scene.folder.read("control/hooks/route.input") == bytes("host=h\nsender=s@x\nrecipient=r@y\n"))
  }

  /// More than a pipe holds.
  @Test(arguments: ["true", "exec <&-", "read line", "exec 0</dev/null; sleep 0"])
  func `a long question that nobody reads`(_ commands: String) throws {
    let scene = try Scene("#!/bin/sh\n\(commands)\necho route=relay\n")
    scene.recipients = (0..<10_000).map { "recipient-\($0)@example.com" }
    try scene.expect("route=relay")
  }

  @Test func `a long question, read to its end`() throws {
    let scene = try Scene("#!/bin/sh\necho route=$(grep -c '^recipient=')\n")
    scene.recipients = (0..<10_000).map { "recipient-\($0)@example.com" }
    try scene.expect("route=10000")
  }

  @Test func `descriptors 0, 1 and 2, whatever else is open here`() throws {
    let open = open("/dev/null", O_RDONLY)
    defer { close(open) }
    #expect(open > 2 && fcntl(open, F_GETFD) == 0)
    let scene = try Scene(
      "#!/usr/bin/perl\nopendir my $d, '/proc/self/fd';\nprint 'route=', join ' ', sort grep /\\d/, readdir $d;\n")
    // The fourth is that of the list itself.
    try scene.expect("route=0 1 2 3")
  }

  @Test func `every signal has its default action, and none is blocked`() throws {
    csys_ignore_sigpipe()
    var blocked = sigset_t()
    var before = sigset_t()
    sigemptyset(&blocked)
    sigaddset(&blocked, SIGUSR1)
    pthread_sigmask(SIG_BLOCK, &blocked, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let lines = #"while read -r name value; do case $name in Sig[BI]*) printf '%s ' "$value";; esac; done </proc/self/status"#
    let scene = try Scene("#!/bin/sh\nprintf route=\n\(lines)\n")
    let answer = scene.ask()
    let masks = answer.dropFirst("route=".count).split(separator: " ").map { UInt64($0, radix: 16) }
    // 32 and 33 are the C library's own; posix_spawn(3) ignores them for good.
    #expect(masks.map { $0.map { $0 & ~(3 << 31) } } == [0, 0], "\(answer)")
  }

  @Test func `operands, program name, folder, group and session`() throws {
    let scene = try Scene(
      "#!/bin/sh\necho \"route=$0|$#|$*|$(pwd)|$(ps -o pgid= -o tty= -o sid= -o ppid= $$ | tr -s ' ')|$$\"\n")
    let answer = scene.ask()
    let parts = answer.split(separator: "|").map(String.init)
    try #require(parts.count == 6)
    #expect(parts[0] == "route=\(scene.program.path.text)")
    #expect(Array(parts[1...3]) == ["3", "h s@x r@y", FileManager.default.currentDirectoryPath])
    let numbers = parts[4].split(separator: " ").map(String.init)
    try #require(numbers.count == 4)
    // A group of its own, no terminal, and the session of its supervisor.
    #expect(numbers[0] == parts[5] && numbers[1] == "?" && numbers[2] == numbers[3])
  }

  @Test func `the environment is built for it`() throws {
    let scene = try Scene("#!/usr/bin/perl\nprint 'route=', join '|', map { \"$_=$ENV{$_}\" } sort keys %ENV;\n")
    scene.environment = ["A": "1", "SMTPROUTE": ":relay user secret", "HOOKPOINT": "x", "HOOKTIMEOUT": "20"]
    try scene.expect(
      "route=A=1|CONTROLDIR=\(scene.control)|DIALECT=sqmail|HOOKPOINT=route|HOOKTIMEOUT=20|HOOKVERSION=1|SMTPROUTE=:relay")
  }
}
