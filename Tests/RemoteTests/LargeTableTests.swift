// Tables of a million lines in deliveries of the built program: they are found in, and take no memory.
import Foundation
import Support
import Testing

@Suite struct LargeTableTests {
  /// The route of the delivery and a million others around it.
  private static func million(_ port: UInt16) -> String {
    var text = ""
    text.reserveCapacity(50_000_000)
    for number in 0..<1_000_000 {
      if number == 700_000 { text += "example.com:127.0.0.1:\(port)\n" }
      text += "\(number % 3 == 0 ? "." : "")customer-\(number).example:relay\(number % 64).example.net:26\n"
    }
    return text
  }

  /// - Returns: the memory that the program had needed when it had sent the message.
  private func deliver(_ control: (UInt16) -> [String: String]) throws -> Int {
    let running = Promise<Running>()
    let memory = Promise<Int?>()
    let message = TestMessage("a short message", repeating: Array("hello\n".utf8), count: 1)
    let server = try ScriptedServer(
      SMTPScript(takeBody: { peer in
        let comparison = WireComparison(message)
        guard try peer.drain(comparison.take) else { throw PeerFault.closed(wanted: "the rest of the message") }
        // It waits for the answer now.
        memory.keep(running.wait(seconds: 20)?.process.peakMemory)
      }))
    var remote = Remote(to: server)
    remote.message = Array("hello\n".utf8)
    remote.control.merge(control(server.port)) { $1 }
    let process = try remote.start()
    running.keep(process)
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(process.finish(), "r^@\(accepted)^@", verdict: accepted)
    #expect(server.finish().map(\.fault) == [nil])
    return try #require(memory.wait(seconds: 1) ?? nil)
  }

  @Test func `a million routes take the memory of one`() throws {
    let one = try deliver { ["smtproutes": "example.com:127.0.0.1:\($0)\n"] }
    let million = try deliver { ["smtproutes": Self.million($0)] }
    #expect(million - one < 1_048_576, "\(one) bytes with one route, \(million) bytes with a million")
  }
}
