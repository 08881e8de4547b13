// What a program gets, who may own it, and what its end means: tables, without a process.
import Agent
import CSystem
import Support
import Testing

@testable import Hooks

@Suite struct HookEnvironmentTests {
  private func entries(_ environment: [String]) -> [String] {
    HookEnvironment(Environment(environment.map(bytes)), .sender, control: bytes("/c"), dialect: .indimail).entries.map(\.text)
  }

  private static let own = ["HOOKVERSION=1", "HOOKPOINT=sender", "CONTROLDIR=/c", "DIALECT=indimail"]

  @Test(
    "the delivery's, with what a program needs to know",
    arguments: [
      ([], []), (["A=1", "B="], ["A=1", "B="]), (["A=1", "A=2"], ["A=1"]), (["odd", "=x", "A=b=c"], ["A=b=c"]),
      (["DIALECT=x", "HOOKPOINT=y", "HOOKVERSION=9", "CONTROLDIR=/z"], []), (["HOOKDIR=/h"], ["HOOKDIR=/h"]),
      (["A=x\0y", "B=1"], ["B=1"]), (["SMTPROUTER=a b"], ["SMTPROUTER=a b"]),
    ])
  func entries(_ environment: [String], _ expected: [String]) { #expect(entries(environment) == expected + Self.own) }

  @Test("routes lose user and password", arguments: ["SMTPROUTE", "X-SMTPROUTES", "X_SMTPROUTES", "QMTPROUTE"])
  func secrets(_ name: String) {
    for credentials in [" user secret", "|user|secret", "\tuser secret", " /s A=1", "|user|secret|192.0.2.1"] {
      #expect(entries(["\(name)=:relay:26:10\(credentials)"]) == ["\(name)=:relay:26:10"] + Self.own)
    }
    #expect(entries(["\(name)=h:[2001:db8::1];26"]) == ["\(name)=h:[2001:db8::1];26"] + Self.own)
    #expect(entries(["\(name)="]) == ["\(name)="] + Self.own)
  }
}

@Suite struct HookTrustTests {
  private func status(_ owner: UInt32, _ mode: Int32) -> stat {
    var status = stat()
    status.st_uid = owner
    status.st_mode = UInt32(mode)
    return status
  }

  private static let stranger = "belongs to user 7, not to root or the owner of the control directory"

  @Test(
    "programs",
    arguments: [
      (0, S_IFREG | 0o755, nil), (5, S_IFREG | 0o700, nil), (0, S_IFREG | 0o444, nil), (0, S_IFREG | 0o6755, nil),
      (7, S_IFREG | 0o755, "it \(stranger)"), (0, S_IFREG | 0o775, "its group or others may write to it"),
      (5, S_IFREG | 0o757, "its group or others may write to it"), (0, S_IFREG | 0o1720, "its group or others may write to it"),
      (0, S_IFLNK | 0o777, "it is a symbolic link"), (0, S_IFDIR | 0o755, "it is not a regular file"),
      (0, S_IFIFO | 0o600, "it is not a regular file"), (0, S_IFSOCK | 0o700, "it is not a regular file"),
      (0, S_IFCHR | 0o700, "it is not a regular file"), (0, S_IFBLK | 0o700, "it is not a regular file"),
    ] as [(UInt32, Int32, String?)])
  func programs(_ owner: UInt32, _ mode: Int32, _ fault: String?) {
    #expect(HookTrust(owners: [0, 5]).fault(program: status(owner, mode)) == fault)
  }

  @Test(
    "folders",
    arguments: [
      (0, 0o755, nil), (5, 0o700, nil), (7, 0o755, "its folder \(stranger)"), (0, 0o2755, nil),
      (0, 0o775, "the group or others may write to its folder"), (0, 0o1777, "the group or others may write to its folder"),
      (5, 0o702, "the group or others may write to its folder"),
    ] as [(UInt32, Int32, String?)])
  func folders(_ owner: UInt32, _ mode: Int32, _ fault: String?) {
    #expect(HookTrust(owners: [0, 5]).fault(folder: status(owner, S_IFDIR | mode)) == fault)
  }

  @Test("the owner of the control directory counts, and root alone without one")
  func owners() throws {
    let folder = try TemporaryFolder()
    #expect(chown(folder.path, 5, 6) == 0)
    #expect(HookTrust(control: bytes(folder.path)) == HookTrust(owners: [0, 5]))
    #expect(HookTrust(control: bytes("\(folder.path)/none")) == HookTrust(owners: [0]))
  }
}

@Suite struct HookEndingTests {
  /// The lines, `none`, or the report.
  private func meaning(_ ending: HookEnding, _ output: String = "", _ errors: String = "") -> String {
    do throws(DeliveryFailure) {
      let result = HookResult(ending: ending, output: bytes(output), errors: bytes(errors))
      let answer = try HookRunner.answer(result, "hooks/x", .seconds(7), [HookKey("route")])
      return answer.map { $0.lines.map { "\($0.key)=\($0.value.text)" }.joined(separator: "|") } ?? "none"
    } catch {
      return error.report.wire.text
    }
  }

  @Test(
    "endings",
    arguments: [
      (.exited(0), "none"), (.exited(1), "its exit status is 1"), (.exited(99), "its exit status is 99"),
      (.exited(101), "its exit status is 101"), (.exited(127), "its exit status is 127"),
      (.killed(signal: 11), "signal 11 ended it"),
      (.tookTooLong, "it ran for more than 7 s"),
      (.wroteTooMuch(descriptor: 1, limit: 65_536), "it wrote more than 65536 bytes to descriptor 1"),
      (.wroteTooMuch(descriptor: 2, limit: 65_536), "it wrote more than 65536 bytes to descriptor 2"),
      (.didNotStart(ENOENT), "it can't be run: its interpreter doesn't exist"),
      (.didNotStart(EAGAIN), "it can't be run: Resource temporarily unavailable"), (.lost, "its supervisor is gone"),
    ] as [(HookEnding, String)])
  func endings(_ ending: HookEnding, _ words: String) {
    // What it wrote counts only if it says by its status that it does.
    for errors in ["", "text\n"] {
      #expect(meaning(ending, "", errors) == (words == "none" ? words : "ZUnable to use hooks/x: \(words). (#4.3.0)\n\0"))
    }
    guard ending != .exited(0) else { return }
    #expect(meaning(ending, "route=x\n") == meaning(ending))
  }

  @Test("an answer")
  func answer() {
    #expect(meaning(.exited(0), "route=x\n", "text\n") == "route=x")
    #expect(meaning(.exited(0), "x\n") == "ZUnable to use hooks/x: its answer has a line without =. (#4.3.0)\n\0")
  }

  @Test(
    "a refusal says what the program said, as far as a report can show it",
    arguments: [
      ("", "hooks/x VERB the message."), ("\n", "hooks/x VERB the message."), (" \t\r\nnext", "hooks/x VERB the message."),
      ("Not for you.\nsecond line\n", "Not for you."), ("Not for you. \t\r\n", "Not for you."), ("no line end", "no line end"),
      ("a\0Kb\tc\u{1b}[2J\u{7f}\rd\n", "a?Kb?c?[2J??d"), ("gr\u{fc}\u{df}e", "gr\u{fc}\u{df}e"),
      (String(repeating: "x", count: 201), String(repeating: "x", count: 200)),
    ])
  func refusals(_ errors: String, _ text: String) {
    for (status, letter, verb, code) in [(100 as Int32, "D", "refuses", "5.3.0"), (111, "Z", "defers", "4.3.0")] {
      let words = text.replacingOccurrences(of: "VERB", with: verb)
      #expect(meaning(.exited(status), "ignored", errors) == "\(letter)\(words) (#\(code))\nhooks/x, exit status \(status)\n\0")
    }
  }

  @Test(
    "HOOKTIMEOUT",
    arguments: [
      (nil, 30), ("", 30), ("0", 30), ("5", 5), ("5s", 5), ("-5", 30), ("x", 30), ("00", 30),
      ("999999999999999999999", Int(Int32.max)),
    ] as [(String?, Int)])
  func limit(_ value: String?, _ seconds: Int) {
    #expect(HookRunner.limit(Environment(value.map { ["HOOKTIMEOUT": $0] } ?? [:])) == .seconds(seconds))
  }
}

@Suite struct RouteTextTests {
  @Test(
    "a route's text reads as the same route, but for secrets",
    arguments: [
      ("", ""), ("relay", "relay"), ("relay:26", "relay:26"), ("relay;26", "relay:26"), (":26", ":26"),
      ("relay;s", "relay;s465"),
      ("relay:465", "relay;s465"), ("relay;s466", "relay;s466"), ("[2001:db8::1]", "[2001:db8::1]"),
      ("[2001:db8::1]:26:3:4", "[2001:db8::1]:26:3:4"), ("2001:db8::1", "[2001:db8::1]"), ("relay::3:4", "relay:25:3:4"),
      ("relay:26::4", "relay:26::4"), ("relay:26:3", "relay:26:3:"), ("relay:465:3", "relay:465:3:"),
      ("relay:26|user|secret", "relay:26"), ("relay||192.0.2.1", "relay||192.0.2.1"),
      ("relay|user|secret|192.0.2.1", "relay||192.0.2.1"), ("relay user secret A=1", "relay"),
      ("relay:26:3:4 /s A=1", "relay:26:3:4"),
    ])
  func text(_ value: String, _ expected: String) throws {
    for dialect in Dialect.allCases {
      let line = try RouteLine(bytes(value), dialect: dialect, place: "x")
      #expect(line.textWithoutCredentials.text == expected)
      let again = try RouteLine(line.textWithoutCredentials, dialect: dialect, place: "x")
      #expect(again.relay == line.relay && again.port ?? 25 == line.port ?? 25 && again.implicitTLS == line.implicitTLS)
      #expect(
        again.penalty == line.penalty && again.maxTolerance == line.maxTolerance && again.localAddress == line.localAddress)
    }
  }
}
