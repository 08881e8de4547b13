// The TLS layer as a stream: what it makes of the bytes on the wire, and how many writes it takes.
import Foundation
import Support
import Testing

@testable import Agent

@Suite struct TLSStreamTests {
  /// Counts what goes through to a socket.
  private final class Watched: ByteStream {
    let base: any ByteStream
    var writes: [Int] = []

    init(_ base: any ByteStream) { self.base = base }

    func read(into buffer: inout Bytes, by deadline: Deadline) throws(TransportError) {
      try base.read(into: &buffer, by: deadline)
    }

    func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int {
      let count = try base.write(bytes, by: deadline)
      writes.append(count)
      return count
    }

    func write(
      _ bytes: ArraySlice<UInt8>, readingInto buffer: inout Bytes, by deadline: Deadline
    ) throws(TransportError) -> Int {
      let count = try base.write(bytes, readingInto: &buffer, by: deadline)
      if count > 0 { writes.append(count) }
      return count
    }

    var hasInput: Bool { base.hasInput }
  }

  private static func connect(_ port: UInt16) throws -> Watched {
    let network = SocketNetwork(clock: SystemClock())
    let address = try #require(IPAddress(Array("127.0.0.1".utf8)))
    let pending = try network.start(Candidate(exchanger: [], preference: 0, address: address, port: port))
    network.wait(for: [pending], by: .never)
    return Watched(try #require(pending.result).get())
  }

  private static func secure(_ stream: any ByteStream, _ settings: TLSSettings = TLSSettings()) throws -> any ByteStream {
    try OpenSSL().prepare(TLSPolicy(.encrypt, source: "the test"), settings).secure(stream, by: soon).stream
  }

  /// Longer than anything here takes.
  private static var soon: Deadline { Deadline(.seconds(30), after: SystemClock().now()) }

  private static func line(_ stream: any ByteStream) throws -> String {
    var bytes = Bytes()
    while bytes.last != UInt8(ascii: "\n") { try stream.read(into: &bytes, by: soon) }
    return bytes.text
  }

  private static func implicit(_ change: (inout TLSBehaviour) -> Void = { _ in }) throws -> TLSServer {
    try TLSServers.shared.get().start(
      TLSBehaviour(try TestPKI.shared.get()[.ec]) {
        $0.implicit = true
        change(&$0)
      })
  }

  /// A TLS 1.3 server sends tickets that nobody asked for: a socket with something to read, and a stream with nothing. Taken for a reply,
  /// they would be waited for in the middle of a message.
  @Test func `records that hold no bytes are no input`() throws {
    let server = try TLSStreamTests.implicit { $0.greeting = "!stall" }
    let socket = try TLSStreamTests.connect(server.port)
    let stream = try TLSStreamTests.secure(socket)
    #expect(socket.writes.count == 1)
    // Our last flight goes out with the first write; then the tickets come.
    _ = try stream.write(Array("EHLO x\r\n".utf8)[...], by: TLSStreamTests.soon)
    #expect(socket.writes.count == 2)
    #expect(eventually { socket.hasInput })
    #expect(!stream.hasInput)
    #expect(!socket.hasInput)
    try server.finish()
  }

  @Test func `a reply is input, however often one looks, and is read once`() throws {
    let server = try TLSStreamTests.implicit()
    let stream = try TLSStreamTests.secure(try TLSStreamTests.connect(server.port))
    // Nothing comes before our last flight is out, which an attempt to read sends.
    var nothing = Bytes()
    _ = try? stream.read(into: &nothing, by: Deadline(.zero, after: SystemClock().now()))
    if nothing.isEmpty {
      #expect(eventually { stream.hasInput })
      #expect(stream.hasInput)
      #expect(try TLSStreamTests.line(stream) == "220 mx.example.com ESMTP\r\n")
    }
    #expect(!stream.hasInput)
    try server.finish()
  }

  @Test func `a flight is one write`() throws {
    let server = try TLSStreamTests.implicit()
    let socket = try TLSStreamTests.connect(server.port)
    let stream = try TLSStreamTests.secure(socket)
    _ = try TLSStreamTests.line(stream)
    _ = try stream.write(Array("EHLO x\r\n".utf8)[...], by: TLSStreamTests.soon)
    var reply = Bytes()
    while !reply.text.contains("250 ") { try stream.read(into: &reply, by: TLSStreamTests.soon) }
    // The ClientHello, the end of the handshake, and the command.
    #expect(socket.writes.count == 3)
    let flight =
      Array("MAIL FROM:<>\r\n".utf8) + Array(repeatElement(Array("RCPT TO:<user@example.com>\r\n".utf8), count: 2_000).joined())
    let count = try stream.write(flight[...], by: TLSStreamTests.soon)
    #expect(count == flight.count && socket.writes.count == 4)
    try server.finish()
  }

  @Test(arguments: ["!close", "!cut"]) func `the end is the end, announced or not`(_ end: String) throws {
    let server = try TLSStreamTests.implicit { $0.replies = ["QUIT": end] }
    let stream = try TLSStreamTests.secure(try TLSStreamTests.connect(server.port))
    _ = try TLSStreamTests.line(stream)
    _ = try stream.write(Array("QUIT\r\n".utf8)[...], by: TLSStreamTests.soon)
    for _ in 0..<2 {
      #expect(eventually { stream.hasInput })
      var bytes = Bytes()
      #expect(throws: TransportError.closed) { try stream.read(into: &bytes, by: TLSStreamTests.soon) }
      #expect(bytes.isEmpty)
    }
    try server.finish()
  }

  @Test func `waiting ends at the deadline`() throws {
    let server = try TLSStreamTests.implicit { $0.greeting = "!stall" }
    let stream = try TLSStreamTests.secure(try TLSStreamTests.connect(server.port))
    var bytes = Bytes()
    #expect(throws: TransportError.timedOut) {
      try stream.read(into: &bytes, by: Deadline(.milliseconds(50), after: SystemClock().now()))
    }
    // That was no end.
    _ = try stream.write(Array("EHLO x\r\n".utf8)[...], by: TLSStreamTests.soon)
    try server.finish()
  }

  /// s_server(1) writes what it reads from its input, whether we read it or not, and reads on only when that is written. It is fed with more than
  /// the buffers between us hold.
  @Test(arguments: ["-tls1_2", "-tls1_3"]) func `two sides that write at the same time`(_ version: String) throws {
    let pki = try TestPKI.shared.get()
    let port = try freePort()
    var start = ProgramStart(
      "/usr/bin/timeout",
      [
        "60", "/usr/bin/openssl", "s_server", "-quiet", version, "-accept", "127.0.0.1:\(port)", "-naccept", "1", "-cert",
        pki[.ec].chain,
        "-key", pki[.ec].key,
      ])
    start.environment = ["PATH": "/usr/bin:/bin"]
    let flood = 40_000_000
    start.input = .pieces {
      let left = Shared(flood / 1_000_000)
      return {
        left.change {
          $0 -= 1; return $0 >= 0
        } ? [UInt8](repeating: UInt8(ascii: "s"), count: 1_000_000) : nil
      }
    }
    let process = try SpawnedProcess(start)
    // Numbered, so that nothing can be lost or sent twice unnoticed.
    let message = (0..<1_000_000).flatMap { Array("\($0)\n".utf8) }
    #expect(try TLSStreamTests.exchange(message, with: port, flood) == flood)
    #expect(process.finish(within: 30).output == message)
  }

  /// Sends all of it, and takes as much as comes. The connection is over then.
  /// - Returns: how many bytes of the right kind came.
  private static func exchange(_ message: Bytes, with port: UInt16, _ wanted: Int) throws -> Int {
    var socket: Watched?
    #expect(eventually { (try? connect(port)).map { socket = $0 } != nil })
    let stream = try secure(try #require(socket))
    var rest = message[...]
    var got = Bytes()
    var received = 0
    while !rest.isEmpty || received < wanted {
      if rest.isEmpty {
        try stream.read(into: &got, by: soon)
      } else {
        rest = rest.dropFirst(try stream.write(rest, readingInto: &got, by: soon))
      }
      received += got.count { $0 == UInt8(ascii: "s") }
      got = []
    }
    return received
  }

  private func freePort() throws -> UInt16 {
    let server = try ScriptedServer { _ in }
    server.finish()
    return server.port
  }
}
