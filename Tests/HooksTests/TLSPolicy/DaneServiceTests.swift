// The client of qmail-daned against a service that answers whatever a row says.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

@Suite struct DaneServiceTests {
  private func ask(_ exchangers: [String], port: UInt16, seconds: Int = 10) -> String {
    do throws(DeliveryFailure) {
      let environment = Environment(["DANETIMEOUT": "\(seconds)"])
      guard let service = try RecordService(bytes("127.0.0.1@\(port)"), environment) else { return "no service" }
      let circumstances = Circumstances(clock: SystemClock(), wallSeconds: 0, seed: 1, processID: 1)
      let opinions = try DaneService(circumstances).opinions(on: exchangers.map(bytes), by: service)
      return opinions.map {
        switch $0 {
        case .unobjectionable(let words): words
        case .distrusted(let words): "!\(words)"
        }
      }.joined(separator: ", ")
    } catch {
      return error.report.text.text
    }
  }

  @Test(
    "what the states mean: only two of them take an exchanger away",
    arguments: [
      ([0, 0], "unknown"), ([1, 1], "excepted"), ([1, 2], "verified"), ([1, 3], "!not verified"), ([0, 3], "!not verified"),
      ([0, 4], "!failed"), ([1, 5], "out of date"),
    ] as [([UInt8], String)])
  func states(_ answer: [UInt8], _ expected: String) throws {
    let server = try DatagramServer { _ in answer }
    #expect(ask(["mx.example"], port: server.port) == expected)
    #expect(server.stop() == [bytes("qmx.example\0")])
  }

  @Test("each exchanger gets its own answer, whoever is first")
  func several() throws {
    let server = try DatagramServer { $0.contains(UInt8(ascii: "b")) ? [0, 4] : [1, 2] }
    #expect(ask(["a.example", "b.test", "c.example"], port: server.port) == "verified, !failed, verified")
    #expect(ask((0..<130).map { "a\($0).example" }, port: server.port).split(separator: ", ").count == 130)
    _ = server.stop()
  }

  @Test("what is no answer defers", arguments: [[], [1], [1, 2, 0], [1, 6], [1, 255]] as [[UInt8]])
  func nonsense(_ answer: [UInt8]) throws {
    let server = try DatagramServer { _ in answer }
    let words = "Temporory failure with DANE verification service [127.0.0.1@\(server.port)]. (#4.3.0)\nits answer is none\n"
    #expect(ask(["mx.example"], port: server.port) == words)
    _ = server.stop()
  }

  @Test("nobody there, and nobody who answers")
  func silence() throws {
    let server = try DatagramServer { _ in nil }
    #expect(ask(["mx.example"], port: server.port, seconds: 1) == "error connecting to DANE verification service. (#4.4.2)\n")
    let port = server.port
    _ = server.stop()
    #expect(
      ask(["mx.example"], port: port)
        == "Temporory failure with DANE verification service [tlsacheck: ip[127.0.0.1] port[\(port)]]. (#4.3.0)\nConnection refused\n"
    )
  }

  @Test(
    "where the service is",
    arguments: [
      ("", "none"), ("yes", "none"), ("@", "127.0.0.1 1998"), ("@1999", "127.0.0.1 1999"), ("0@", "0.0.0.0 1998"),
      ("127.0.0.1@1998", "127.0.0.1 1998"), ("::1@53", "::1 53"), ("[::1]@53", "::1 53"), ("localhost@", "127.0.0.1 1998"),
      ("192.0.2.7@1", "192.0.2.7 1"), ("daned.example@", "4.3.5"), ("127.0.0.1@0", "4.3.5"), ("127.0.0.1@65536", "4.3.5"),
      ("127.0.0.1@x", "4.3.5"), ("a@b@1", "4.3.5"),
    ])
  func address(_ value: String, _ expected: String) {
    do throws(DeliveryFailure) {
      let service = try RecordService(bytes(value), Environment())
      #expect(service.map { "\($0.address.text) \($0.port)" } ?? "none" == expected)
    } catch {
      #expect("\(error.status)" == expected)
    }
  }

  @Test("for how long it has", arguments: [(nil, 10), ("", 10), ("0", 10), ("3", 3), ("7s", 7), ("soon", 10)])
  func limit(_ value: String?, _ expected: Int) throws {
    let environment = Environment(value.map { ["DANETIMEOUT": $0] } ?? [:])
    #expect(try RecordService(bytes("@"), environment)?.limit == .seconds(expected))
  }
}
