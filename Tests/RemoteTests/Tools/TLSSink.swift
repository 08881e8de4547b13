// A server that takes one large message by TLS from the first byte, quicker than TLSServers and in constant memory.
import Foundation
import Support
import Testing

struct TLSSink {
  enum Carriage: String {
    case smtp, qmtp
  }

  private static let line = String(repeating: "0123456789", count: 7)

  let port: UInt16
  private let channel: LineChannel
  private let sink: SpawnedProcess

  /// - Parameter lines: how many the message will have, see `message`.
  init(_ carriage: Carriage, _ identity: TestIdentity, lines: Int) throws {
    let (channel, descriptor) = try LineChannel.make()
    var start = ProgramStart(
      "/usr/bin/python3",
      ["-B", TestScripts.path("tls_sink.py"), identity.chain, identity.key, TLSSink.line, "\(lines)", carriage.rawValue])
    start.environment = ["PATH": "/usr/bin:/bin"]
    start.input = .descriptor(descriptor)
    start.output = .descriptor(descriptor)
    sink = try SpawnedProcess(start)
    close(descriptor)
    self.channel = channel
    port = try #require(try channel.line().flatMap { UInt16(String(decoding: $0, as: UTF8.self)) })
  }

  /// The message that it wants: 71 bytes a line.
  static func message(lines: Int) -> TestMessage {
    let block = Array((line + "\n").utf8)
    return TestMessage(
      "\(lines) lines", repeating: Array(repeatElement(block, count: 1_000).joined()), count: lines / 1_000,
      end: Array(repeatElement(block, count: lines % 1_000).joined()))
  }

  /// Waits until all of the message has come; the client waits for its answer then.
  func awaitMessage() throws {
    #expect(try text() == "taken", "\(visible(sink.finish(within: 1).errors))")
  }

  /// Says yes, and waits until the client has closed the connection.
  func accept() throws {
    try channel.send([])
    #expect(try text() == "closed")
  }

  /// It ended without a message.
  func awaitEnd() throws { #expect(try text() == nil) }

  private func text() throws -> String? { try channel.line().map { String(decoding: $0, as: UTF8.self) } }
}
