// Where records are kept, and what happens when they can't be: nothing, and at once.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite struct DeliveryLogTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Hands two records to a log, and holds it to taking no time.
  private func log(_ path: String, records: [Bytes] = [bytes("one\n"), bytes("two\n")]) throws {
    let log = try #require(DeliveryLog(ControlDirectory(files: ["deliverylog": bytes("\(path)  \nmore\n")])))
    let start = ContinuousClock.now
    for record in records { log.take(record, Environment()) }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test func `a file, made if it isn't there`() throws {
    try log("\(folder.path)/log")
    try log("\(folder.path)/log")
    #expect(try folder.read("log") == bytes("one\ntwo\none\ntwo\n"))
  }

  @Test(arguments: ["", "\n", "  \n\n"])
  func `no file named`(_ content: String) {
    #expect(DeliveryLog(ControlDirectory(files: ["deliverylog": bytes(content)])) == nil)
    #expect(DeliveryLog(ControlDirectory(files: [:])) == nil)
  }

  @Test func `its name in the plan`() {
    #expect(DeliveryLog(ControlDirectory(files: ["deliverylog": bytes("log")]))?.name == "memory/log (control/deliverylog)")
    #expect(DeliveryLog(ControlDirectory(files: ["deliverylog": bytes("/a b")]))?.name == "/a?b (control/deliverylog)")
  }

  @Test func `no room and no way`() throws {
    try log("\(folder.path)/none/log")
    try log(folder.path)
    try log("/proc/version")
    try log("/dev/full")
    try log("/" + String(repeating: "x", count: 5_000))
    try log("\(folder.path)/loop")
  }

  /// Opening one for writing waits for a reader, and writing waits for room.
  @Test func `a fifo, with and without a reader`() throws {
    let path = "\(folder.path)/fifo"
    try #require(mkfifo(path, 0o600) == 0)
    try log(path)
    let reading = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    try log(path, records: [Bytes](repeating: Bytes(repeating: 120, count: 60_000), count: 5))
    var block: UInt8 = 0
    #expect(read(reading, &block, 1) <= 0)
    close(reading)
  }

  // MARK: sockets

  private func listen(_ path: String) throws -> Int32 {
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let bound = withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(bound == 0)
    return socket
  }

  private func received(_ socket: Int32) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 300_000)
    let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return count < 0 ? nil : Array(buffer[..<count])
  }

  @Test func `a socket gets each as a datagram`() throws {
    let path = "\(folder.path)/socket"
    let socket = try listen(path)
    defer { close(socket) }
    try log(path, records: [bytes("one\n"), Bytes(repeating: 120, count: 60_000)])
    #expect(received(socket) == bytes("one\n"))
    #expect(received(socket)?.count == 60_000)
    #expect(received(socket) == nil)
  }

  @Test func `a socket that nobody reads, and one that nobody has`() throws {
    let path = "\(folder.path)/socket"
    let socket = try listen(path)
    try log(path, records: [Bytes](repeating: bytes("record\n"), count: 5_000))
    var count = 0
    while received(socket) != nil { count += 1 }
    #expect(count > 0 && count < 5_000)
    close(socket)
    try log(path)
    let before = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    #expect(before == .typeSocket)
  }

  @Test func `a record that no datagram holds`() throws {
    let path = "\(folder.path)/socket"
    let socket = try listen(path)
    defer { close(socket) }
    try log(path, records: [Bytes(repeating: 120, count: 10_000_000), bytes("next\n")])
    #expect(received(socket) == bytes("next\n"))
  }
}
