// The way into TLS, by the built program: whatever somebody in between or the server itself does to STARTTLS and the handshake, no byte
// of it is taken for the server's word, and mail goes in clear only where it may.
import Foundation
import Support
import Testing

@Suite struct StartTLSTests {
  struct Row: Sendable, CustomTestStringConvertible {
    /// What the report of a message that must go under TLS says (qmail-remote(8), texts about servers).
    enum Reason: String, Sendable {
      case notOffered = "ZI wasn't able to negotiate a StartTLS connection with: 127.0.0.1 for "
      case refused = "ZConnected to 127.0.0.1 but STARTTLS was rejected.\nRemote host said: "
      case failed = "ZTLS connection/protocol error with host: 127.0.0.1 for "
    }

    let testDescription: String
    let reason: Reason
    let behaviour: @Sendable (inout TLSBehaviour) -> Void

    init(_ words: String, _ reason: Reason, _ behaviour: @escaping @Sendable (inout TLSBehaviour) -> Void) {
      testDescription = words
      self.reason = reason
      self.behaviour = behaviour
    }
  }

  static let rows = offers + refusals + injections + handshakes

  private static let offers = [
    Row("no STARTTLS", .notOffered) { $0.clearKeywords = ["PIPELINING", "8BITMIME"] },
    Row("another word in its place", .notOffered) { $0.clearKeywords = ["PIPELINING", "XXXXXXXX"] },
    Row("nothing but HELO", .notOffered) { $0.clearReplies = ["EHLO": "502 5.5.1 unknown"] },
  ]

  private static let refusals =
    ["454 4.7.0 not now", "421 4.3.2 going down", "501 5.5.4 no", "554 5.7.0 never", "250 2.0.0 ok", "334 go on"].map { reply in
      Row("STARTTLS: \(reply)", .refused) { $0.starttlsReply = reply }
    }
    + [
      Row("STARTTLS: no code", .failed) { $0.starttlsReply = "hello" },
      Row("STARTTLS: a code that is none", .failed) { $0.starttlsReply = "999 go" },
      Row("STARTTLS: the end", .failed) { $0.starttlsReply = "!close" },
      Row("STARTTLS: a reset", .failed) { $0.starttlsReply = "!reset" },
    ]

  /// With the 220, behind it, and after the ClientHello: one byte, an answer, and all answers that a delivery waits for.
  private static let injections = TLSBehaviour.Moment.allCases.flatMap { moment in
    ["2", "\n", "250 ok\r\n", "220 2.0.0 ready to start TLS\r\n", whole].map { bytes in
      Row("\(visible(bytes.utf8.prefix(12))), \(moment.rawValue)", .failed) {
        $0.injected = bytes
        $0.injectedWhen = moment
      }
    }
  }

  private static let whole =
    "250-mx.example.com\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n"

  private static let handshakes =
    TLSBehaviour.Handshake.inVain.map { handshake in
      Row("handshake: \(handshake.rawValue)", .failed) { $0.handshake = handshake }
    }
    + [TLSBehaviour.Handshake.halfAndStall, .halfAndClose, .flightAndStall, .flightAndClose].map { handshake in
      Row("handshake of TLS 1.2: \(handshake.rawValue)", .failed) {
        $0.handshake = handshake
        $0.maximum = .tls12
      }
    }

  private func deliver(_ row: Row, control: [String: String]) throws -> (report: String, sessions: [TLSSession]) {
    let server = try TLSServers.shared.get().start(TLSBehaviour(try TestPKI.shared.get()[.ec], change: row.behaviour))
    var remote = Remote(to: server.port)
    // The limit of a handshake.
    remote.control["timeoutconnect"] = "1\n"
    remote.control.merge(control) { $1 }
    let finished = try remote.run()
    #expect(finished.ending == .exited(0))
    return (String(decoding: finished.output, as: UTF8.self), try server.finish())
  }

  @Test(arguments: rows) func `mail that must go under TLS is deferred`(_ row: Row) throws {
    let (report, sessions) = try deliver(row, control: ["tlsdestinations": "127.0.0.1:\n"])
    #expect(report.hasPrefix(row.reason.rawValue), "\(report)")
    #expect(sessions.count == 1 && sessions.allSatisfy { $0.messages.isEmpty })
    expectNothingTaken(sessions.first, row)
  }

  @Test(arguments: rows) func `mail that may go in clear does, over a connection of its own`(_ row: Row) throws {
    let (report, sessions) = try deliver(row, control: [:])
    #expect(report.hasPrefix("r\0K127.0.0.1 accepted message.\n"), "\(report)")
    #expect(sessions.last?.messages.map(\.isSecure) == [false])
    #expect(sessions.last?.clearLines.contains("STARTTLS") == false)
    guard row.reason != .notOffered else {
      #expect(sessions.count == 1)
      return
    }
    #expect(report.contains("\nSent in clear: "), "\(report)")
    #expect(sessions.count == 2 && sessions.first?.messages.isEmpty == true)
    expectNothingTaken(sessions.first, row)
  }

  /// On the connection where TLS was tried, nothing was said after STARTTLS, in clear or under TLS.
  private func expectNothingTaken(_ session: TLSSession?, _ row: Row) {
    guard row.reason != .notOffered else { return }
    #expect(session?.clearLines.prefix(2) == ["EHLO me.example.net", "STARTTLS"])
    // Where no TLS was begun, a client may take its leave.
    #expect(session?.clearLines.dropFirst(2).allSatisfy { $0 == "QUIT" } == true, "\(session?.clearLines ?? [])")
    #expect(session?.secureLines == [])
    #expect(session?.tls == nil)
  }
}
