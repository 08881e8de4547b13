// The program `trace` beside a delivery: it gets the events in order, and a delivery never waits for it.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

/// A program that follows a delivery which a test makes up.
private final class TraceScene {
  let folder: TemporaryFolder
  let marker = ProcessMarker()
  let trace: ExecTrace

  init(_ commands: String) throws {
    // A program that reads no more must not end the tests.
    _ = signal(SIGPIPE, SIG_IGN)
    folder = try TemporaryFolder()
    try folder.write("control/me", "me.test\n")
    try folder.install("control/hooks/trace", "#!/bin/sh\n\(commands)\n")
    let control = bytes("\(folder.path)/control")
    let runner = HookRunner(control: control, dialect: .stock, operands: ["h", "s@x", "r@y"].map(bytes), clock: SystemClock())
    let environment = Environment(["PATH": "/usr/bin:/bin", "ROOM": folder.path, ProcessMarker.name: marker.value])
    trace = ExecTrace(runner, HookProgram(point: .trace, folder: control + bytes("/hooks")), environment)
  }

  func noted(_ name: String = "noted") throws -> [[String: Any]] {
    let lines = try folder.read(name).split(separator: 10)
    return try lines.map { try #require(JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]) }
  }
}

extension IPAddress {
  fileprivate static let loopback: IPAddress = {
    guard let address = IPAddress(bytes: [127, 0, 0, 1]) else { preconditionFailure("four bytes are an address") }
    return address
  }()
}

@Suite struct TraceTests {
  private static let candidate = Candidate(
    exchanger: bytes("a.test"), preference: 10, address: IPAddress.loopback, port: 25)
  private static let end = DeliveryEvent.reported(Outcome(.improperInvocation))

  @Test func `events in their order`() throws {
    let scene = try TraceScene("cat >$ROOM/noted; env >$ROOM/environment; echo forged; echo forged >&2; exit 100")
    for event in [.connecting(Self.candidate), .connected(Self.candidate), .sent([.quit]), Self.end] as [DeliveryEvent] {
      scene.trace.observe(event)
    }
    let noted = try scene.noted()
    #expect(noted.compactMap { $0["event"] as? String } == ["connecting", "connected", "sent", "reported"])
    #expect(noted.allSatisfy { $0["version"] as? Int == 1 && $0["time"] is NSNumber })
    #expect(String(decoding: try scene.folder.read("environment"), as: UTF8.self).contains("HOOKPOINT=trace\n"))
    #expect(try scene.marker.survivors() == [])
  }

  @Test func `what it doesn't read in time is dropped and counted`() throws {
    let scene = try TraceScene("while ! [ -e $ROOM/go ]; do sleep 0.01; done; exec cat >$ROOM/noted")
    let start = ContinuousClock.now
    for _ in 0..<5_000 { scene.trace.observe(.connecting(Self.candidate)) }
    #expect(ContinuousClock.now - start < .seconds(10))
    try scene.folder.write("go", "")
    try #require(eventually { ((try? scene.folder.read("noted"))?.count ?? 0) > 60_000 })
    scene.trace.observe(.connected(Self.candidate))
    scene.trace.observe(Self.end)
    let noted = try scene.noted()
    let dropped = noted.filter { $0["event"] as? String == "dropped" }.compactMap { $0["count"] as? Int }.reduce(0, +)
    #expect(dropped > 1_000)
    #expect(noted.count { $0["event"] as? String == "connecting" } + dropped == 5_000)
    #expect(noted.suffix(3).compactMap { $0["event"] as? String } == ["dropped", "connected", "reported"])
  }

  @Test(arguments: [
    "exit 0", "exec 0<&-; sleep 1000", "sleep 1000", "kill -KILL $$", "kill -STOP $$", "head -n 1; exit 1",
    "setsid sleep 1000 & exit 0", "exec cat /dev/zero", "trap '' TERM; while :; do :; done",
  ])
  func `one that doesn't follow`(_ commands: String) throws {
    let scene = try TraceScene(commands)
    let start = ContinuousClock.now
    for _ in 0..<1_000 { scene.trace.observe(.connecting(Self.candidate)) }
    scene.trace.observe(Self.end)
    #expect(ContinuousClock.now - start < .seconds(20))
    #expect(try eventually { try scene.marker.survivors().isEmpty })
  }

  @Test func `one that may not be run, or is gone`() throws {
    let scene = try TraceScene("cat >$ROOM/noted")
    try #require(chmod("\(scene.folder.path)/control/hooks/trace", 0o777) == 0)
    scene.trace.observe(.connecting(Self.candidate))
    scene.trace.observe(Self.end)
    #expect(throws: (any Error).self) { try scene.noted() }
    let other = try TraceScene("cat >$ROOM/noted")
    try FileManager.default.removeItem(atPath: "\(other.folder.path)/control/hooks/trace")
    other.trace.observe(Self.end)
    #expect(throws: (any Error).self) { try other.noted() }
  }
}
