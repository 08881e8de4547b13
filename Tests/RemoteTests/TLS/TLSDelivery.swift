// A delivery in the test's own process, over real sockets and real TLS, with whatever policy a test wants: what is decided by control
// files is tested elsewhere.
import Foundation
import Support
import Testing

@testable import Agent

struct TLSDelivery {
  /// For the server.
  var policy: TLSPolicy
  var settings = TLSSettings()
  var environment = ["QMAILREMOTE_DIALECT": "sqmail"]
  var control: [String: [UInt8]] = ["me": Array("me.example.net\n".utf8)]
  var message = Array("Subject: x\n\nhello\n".utf8)

  /// The name of nearly all certificates.
  static let name = Array("mx.example.com".utf8)

  init(_ level: TLSPolicy.Level, change: (inout TLSPolicy) -> Void = { _ in }) {
    policy = TLSPolicy(level, source: "the test")
    policy.names = [TLSDelivery.name]
    change(&policy)
  }

  func run(to server: TLSServer) throws -> Outcome { try run(to: [server.port]) }

  /// - Parameter ports: one candidate each, in this order.
  func run(to ports: [UInt16]) throws -> Outcome {
    var control = control
    control["smtproutes"] = Array(":127.0.0.1\n".utf8)
    let operands = ["example.com", "sender@example.net", "user@example.com"].map { Array($0.utf8) }
    let environment = Environment(environment)
    let choice = try DialectChoice(operands: operands, environment: environment) { _ in ControlDirectory(files: control) }
    let clock = SystemClock()
    let delivery = Delivery(
      hooks: HookSet(routers: [RouteTable(choice.control, dialect: choice.dialect, environment: environment)]),
      resolver: FakeResolver(), interfaces: FakeInterfaces([]), network: SocketNetwork(clock: clock),
      lastWords: RecordedLastWords(),
      circumstances: Circumstances(clock: clock, wallSeconds: 1_700_000_000, seed: 1, processID: 1))
    var plan = try delivery.plan(try Envelope(operands: operands, convention: choice.convention), choice, environment)
    let first = try #require(plan.candidates.first)
    plan.tls = settings
    plan.candidates = ports.enumerated().map { preference, port in
      Candidate(exchanger: TLSDelivery.name, preference: preference, address: first.address, port: port, tls: policy)
    }
    return delivery.execute(plan, Message(MemorySource(message, .file, pieceLimit: .max)))
  }
}

extension Outcome {
  /// What TLS came to: what was proved, or what was wrong.
  var tlsResult: String {
    if let tls { return "\(tls.proof)" }
    guard case .exhausted(let failure?) = ending, case .tls(let trouble) = failure.cause else {
      return plan?.candidates.isEmpty == false && reports.message.kind == .success ? "clear" : "\(ending)"
    }
    return trouble.words.text
  }
}

/// A policy with the roots of the test's authorities.
func trusting(_ level: TLSPolicy.Level, _ change: (inout TLSPolicy) -> Void = { _ in }) throws -> TLSDelivery {
  let roots = try TestPKI.shared.get().roots
  return TLSDelivery(level) {
    $0.anchors = .file(Array(roots.utf8))
    change(&$0)
  }
}
