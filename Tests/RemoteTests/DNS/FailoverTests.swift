// Several resolvers: what the first can't say the next is asked for. And resolvers that don't know EDNS.
import Support
import Testing

@testable import Agent

@Suite struct FailoverTests {
  typealias Query = HandmadeNameServer.Query
  typealias Answer = @Sendable (Query) -> DNSResponse?

  /// Resolvers in one network, in the order in which they are to be asked.
  private final class Resolvers {
    let network: NetworkNamespace
    let servers: [HandmadeNameServer]

    init(_ answers: [Answer]) throws {
      let network = try NetworkNamespace()
      self.network = network
      servers = try answers.map { answer in
        try network.run { try HandmadeNameServer { query in answer(query).map { [(query, $0.bytes)] } ?? [] } }
      }
    }

    deinit { for server in servers { server.finish() } }

    func check(_ row: LookupCase) throws {
      let resolver = servers.map(\.resolver).joined(separator: ",")
      try row.check(network.run { try Explain.run(row, resolver: resolver) })
    }
  }

  private static func records(_ query: Query) -> [[UInt8]] {
    switch query.type {
    case .mx: [DNSWire.exchanger(query.name, 10, "mx.example")]
    case .a: [DNSWire.address(query.name, "192.0.2.1")]
    case .tlsa: [DNSWire.record(query.name, .tlsa, [3, 1, 1] + [UInt8](repeating: 7, count: 32))]
    default: []
    }
  }

  private static let right: Answer = { DNSResponse(to: $0, records($0)) }

  private static let validating: Answer = { right($0)?.with { $0.flags |= DNSResponse.validated } }

  private static func code(_ code: Int) -> Answer { { DNSResponse(to: $0).with { $0.flags |= code } } }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let answer: Answer
  }

  static let faults = [
    Fault(testDescription: "SERVFAIL", answer: code(2)), Fault(testDescription: "REFUSED", answer: code(5)),
    Fault(testDescription: "FORMERR", answer: code(1)), Fault(testDescription: "NOTIMP", answer: code(4)),
    Fault(testDescription: "NOTAUTH", answer: code(9)),
    Fault(testDescription: "fewer records than it says") { right($0)?.with { $0.claimedAnswers = 3 } },
    Fault(testDescription: "truncated over TCP") { right($0)?.with { $0.flags |= DNSResponse.truncated } },
    Fault(testDescription: "only says whom else to ask") { DNSResponse(to: $0).with { $0.flags = 0x8100 } },
  ]

  private static let plan = ["10 mx.example unvalidated 192.0.2.1"]

  @Test(arguments: faults) func `the next is asked`(_ fault: Fault) throws {
    let resolvers = try Resolvers([fault.answer, fault.answer, FailoverTests.right])
    try resolvers.check(LookupCase("", "x.example", plan: FailoverTests.plan))
    #expect(resolvers.servers.map { $0.queries.contains { $0.type == .mx } } == [true, true, true])
  }

  @Test(arguments: faults) func `what all fail at has failed`(_ fault: Fault) throws {
    let resolvers = try Resolvers([fault.answer, fault.answer])
    try resolvers.check(LookupCase("", "x.example", report: LookupCase.lookupFailed))
  }

  @Test func `an answer is an answer, whatever the next would say`() throws {
    let resolvers = try Resolvers([FailoverTests.code(3), FailoverTests.right])
    try resolvers.check(LookupCase("", "x.example", report: LookupCase.noSuchHost("x.example")))
    #expect(resolvers.servers[1].queries.isEmpty)
  }

  @Test func `each question by itself`() throws {
    let resolvers = try Resolvers([
      { $0.type == .a ? FailoverTests.code(2)($0) : FailoverTests.right($0) }, FailoverTests.right,
    ])
    try resolvers.check(LookupCase("", "x.example", plan: FailoverTests.plan))
    #expect(resolvers.servers[1].queries.map(\.type) == [.a])
  }

  /// A resolver that doesn't validate must not make less of records than one that does and has failed.
  @Test func `records that one fails at are believed of another only if it has validated them`() throws {
    let first: Answer = { $0.type == .tlsa ? FailoverTests.code(2)($0) : FailoverTests.validating($0) }
    let rows: [(Answer, String)] = [
      (FailoverTests.code(2), "failed"), (FailoverTests.right, "failed"), ({ DNSResponse(to: $0) }, "failed"),
      (FailoverTests.code(3), "failed"), (FailoverTests.validating, "1"),
      ({ DNSResponse(to: $0).with { $0.flags |= DNSResponse.validated } }, "none"),
    ]
    for (second, records) in rows {
      let found = LookupCase("", "x.example", plan: ["10 mx.example validated 192.0.2.1 TLSA \(records)"])
      let failed = LookupCase("", "x.example", report: FailoverTests.recordsUnknown("the server failed (SERVFAIL)"))
      try Resolvers([first, second]).check(records == "failed" ? failed : found)
    }
  }

  private static func recordsUnknown(_ why: String) -> String {
    "ZSorry, I couldn't find TLSA RR for this host. (#4.1.2)\nmx.example: \(why)"
  }

  /// RFC 6891 section 7: whoever doesn't know the extension is asked without; then nobody has asked for DNSSEC.
  @Test(arguments: [1, 4]) func `without EDNS there is an answer, but no validation`(_ code: Int) throws {
    let old: Answer = { $0.bytes[11] > 0 ? FailoverTests.code(code)($0) : FailoverTests.validating($0) }
    let resolvers = try Resolvers([old, FailoverTests.code(2)])
    try resolvers.check(LookupCase("", "x.example", plan: FailoverTests.plan))
    #expect(resolvers.servers[1].queries.isEmpty)
    #expect(resolvers.servers[0].queries.map { $0.bytes[11] > 0 }.filter { $0 }.count == 3)
  }

  @Test func `records that are asked for without EDNS have failed`() throws {
    let old: Answer = { $0.type == .tlsa && $0.bytes[11] > 0 ? FailoverTests.code(1)($0) : FailoverTests.validating($0) }
    try Resolvers([old]).check(
      LookupCase("", "x.example", report: FailoverTests.recordsUnknown("DNS error code 1")))
  }

  @Test func `whoever is silent is asked twice and given up`() throws {
    let server = try HandmadeNameServer { _ in [] }
    let resolver = CAresResolver(
      servers: Array(server.resolver.utf8), clock: SystemClock(), firstWait: .milliseconds(50))
    let answers = resolver.answers(to: [DNSQuestion(Array("x.example".utf8), .mx)], by: .never)
    #expect(answers.count == 1 && answers.allSatisfy(\.isFailure))
    #expect(server.finish().count == 2)
  }

  /// RFC 2181 section 11: any bytes make a name.
  @Test(arguments: [true, false]) func `a name is asked for byte for byte`(_ hasAddress: Bool) throws {
    let label: [UInt8] = [4] + Array("a b\\".utf8) + [2, 0x2e, 0x01] + DNSWire.name("example")
    let cell = try DNSCell(hasTCP: false) { query in
      if query.type == .mx {
        return [(query, DNSResponse(to: query, [DNSWire.record(query.name, .mx, [0, 1] + label)]).bytes)]
      }
      // Name, type and class as they came.
      let question = Array(query.bytes[12..<(12 + label.count + 4)])
      let isRight = hasAddress && query.type == .a && question.starts(with: label)
      let record: [UInt8] = isRight ? [0xc0, 12] + question.suffix(4) + [0, 0, 14, 16, 0, 4, 192, 0, 2, 1] : []
      return [(query, query.bytes[..<2] + [0x81, 0x80, 0, 1, 0, isRight ? 1 : 0, 0, 0, 0, 0] + question + record)]
    }
    let found = LookupCase("", "x.example", plan: ["1 a\\032b\\092.\\046\\001.example unvalidated 192.0.2.1"])
    try (hasAddress ? found : LookupCase("", "x.example", report: LookupCase.noExchanger)).check(cell.explain(found))
  }
}
