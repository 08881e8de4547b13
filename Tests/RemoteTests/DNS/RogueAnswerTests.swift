// Answers that nobody should give: to other questions, in pieces, of other kinds, cut short, or never.
import Support
import Testing

@testable import Agent

@Suite struct RogueAnswerTests {
  typealias Query = HandmadeNameServer.Query

  /// What a name server says when it is asked for the exchangers of `rogue.example`. The rest of its answers is in order.
  struct Rogue: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var hasTCP = true
    /// How the delivery's plan ends; nil when the exchanger is found after all.
    var report: String? = LookupCase.lookupFailed
    var plan = ["10 mx.rogue.example unvalidated 192.0.2.1"]
    /// Nothing that could be taken for an answer comes, so that only the limit ends it.
    var needsLimit = false
    let answers: @Sendable (Query) -> [[UInt8]]
  }

  private static func right(_ query: Query) -> DNSResponse {
    DNSResponse(to: query, [DNSWire.exchanger("rogue.example", 10, "mx.rogue.example")])
  }

  private static func bad(
    _ words: String, hasTCP: Bool = true, _ change: @escaping @Sendable (inout DNSResponse) -> Void
  ) -> Rogue {
    Rogue(testDescription: words, hasTCP: hasTCP) { [right($0).with(change).bytes] }
  }

  private static func harmless(_ words: String, _ answers: @escaping @Sendable (Query) -> [[UInt8]]) -> Rogue {
    Rogue(testDescription: words, report: nil, answers: answers)
  }

  private static func silent(_ words: String, _ answers: @escaping @Sendable (Query) -> [[UInt8]]) -> Rogue {
    Rogue(testDescription: words, needsLimit: true, answers: answers)
  }

  private static let evil = DNSWire.exchanger("rogue.example", 1, "evil.example")

  static let rogues =
    foreign + broken + [
      bad("SERVFAIL") { $0.flags |= 2 }, bad("REFUSED") { $0.flags |= 5 }, bad("NOTIMP") { $0.flags |= 4 },
      bad("FORMERR") { $0.flags |= 1 }, bad("a code that nobody knows") { $0.flags |= 15 },
      bad("truncated, and nobody listens for TCP", hasTCP: false) { $0.flags |= DNSResponse.truncated },
      bad("truncated even over TCP") { $0.flags |= DNSResponse.truncated },
      harmless("truncated, and whole over TCP") { query in
        [right(query).with { if !query.isTCP { $0.flags |= DNSResponse.truncated } }.bytes]
      },
      harmless("in capitals") { query in [right(query).with { $0.questions = [DNSWire.question("ROGUE.Example", .mx)] }.bytes]
      },
      silent("silence") { _ in [] },
    ]

  /// What belongs to another question must neither be taken nor end the wait for the right one.
  private static let foreign = [
    harmless("an answer to another name, then the right one") { query in
      [
        right(query).with {
          $0.questions = [DNSWire.question("other.example", .mx)]
          $0.answers = [evil]
        }.bytes, right(query).bytes,
      ]
    },
    harmless("an answer to another type, then the right one") { query in
      [right(query).with { $0.questions = [DNSWire.question("rogue.example", .a)] }.bytes, right(query).bytes]
    },
    harmless("an answer with another number, then the right one") { query in
      [
        right(query).with {
          $0.id[0] ^= 0x55
          $0.answers = [evil]
        }.bytes, right(query).bytes,
      ]
    },
    harmless("garbage, then the right answer") { query in
      [Array("GET / HTTP/1.1\r\n\r\n".utf8), [0], Array(query.bytes[..<2]), right(query).bytes]
    },
    harmless("the right answer twice, then another") { query in
      [right(query).bytes, right(query).bytes, right(query).with { $0.answers = [evil] }.bytes]
    },
    silent("only answers to another name") { query in
      [right(query).with { $0.questions = [DNSWire.question("other.example", .mx)] }.bytes]
    },
    silent("only garbage") { query in [Array(repeating: 0xff, count: 500), Array(query.bytes[..<2]) + [0x81]] },
    Rogue(testDescription: "records of another owner", report: LookupCase.noSuchHost("rogue.example")) { query in
      [right(query).with { $0.answers = [DNSWire.exchanger("other.example", 1, "evil.example")] }.bytes]
    },
    harmless("records of another owner, class and type beside the right one") { query in
      [
        right(query).with {
          $0.answers =
            [
              DNSWire.exchanger("other.example", 1, "evil.example"), DNSWire.address("rogue.example", "192.0.2.66"),
              DNSWire.record("rogue.example", .mx, DNSWire.word(1) + DNSWire.name("evil.example"), recordClass: 3),
            ] + $0.answers
        }.bytes
      ]
    },
    harmless("an alias behind what it leads to") { query in
      [
        right(query).with {
          $0.answers = [
            DNSWire.exchanger("real.example", 10, "mx.rogue.example"),
            DNSWire.record("rogue.example", .cname, DNSWire.name("real.example")),
          ]
        }.bytes
      ]
    },
  ]

  private static let broken = [
    bad("fewer records than it says") { $0.claimedAnswers = 2 },
    bad("65,535 records, it says") { $0.claimedAnswers = 65_535 },
    silent("two questions") { query in [right(query).with { $0.questions.append($0.questions[0]) }.bytes] },
    silent("no question") { query in [right(query).with { $0.questions = [] }.bytes] },
    bad("a name that points to itself") { $0.answers = [[0xc0, 31] + DNSWire.word(15) + DNSWire.word(1)] },
    bad("a name that points forwards") { $0.answers[0].replaceSubrange(0..<15, with: [0xc0, 200]) },
    bad("a label of an unknown kind") { $0.answers[0][0] = 0x80 },
    bad("a name that is too long") {
      let long = Array(repeating: String(repeating: "n", count: 60), count: 5).joined(separator: ".")
      $0.answers.append(DNSWire.exchanger("rogue.example", 1, long))
    },
    bad("an MX record without a name") { $0.answers.append(DNSWire.record("rogue.example", .mx, [0, 1])) },
    bad("an MX record with something behind the name") {
      $0.answers.append(DNSWire.record("rogue.example", .mx, DNSWire.word(1) + DNSWire.name("evil.example") + [0]))
    },
    bad("a record that is longer than the message") { $0.answers[0][24] = 0xff },
    bad("eleven aliases in a row") {
      $0.answers = (0..<11).map { number in
        DNSWire.record(number == 0 ? "rogue.example" : "a\(number)", .cname, DNSWire.name("a\(number + 1)"))
      }
    },
    bad("aliases in a circle") {
      $0.answers = [
        DNSWire.record("rogue.example", .cname, DNSWire.name("a.example")),
        DNSWire.record("a.example", .cname, DNSWire.name("rogue.example")),
      ]
    },
  ]

  private static func cell(_ rogue: Rogue) throws -> DNSCell {
    try DNSCell(hasTCP: rogue.hasTCP) { query in
      switch (query.name.lowercased(), query.type) {
      case ("rogue.example", .mx): rogue.answers(query).map { (query, $0) }
      case ("mx.rogue.example", .a): [(query, DNSResponse(to: query, [DNSWire.address(query.name, "192.0.2.1")]).bytes)]
      case ("evil.example", .a): [(query, DNSResponse(to: query, [DNSWire.address(query.name, "192.0.2.66")]).bytes)]
      default: [(query, DNSResponse(to: query).with { $0.flags |= query.name == "mx.rogue.example" ? 0 : 3 }.bytes)]
      }
    }
  }

  /// Without a limit of its own a delivery would wait for minutes where nothing comes; with one of a second it may not take ten.
  @Test(arguments: rogues)
  func `no answer is taken for what it isn't`(_ rogue: Rogue) throws {
    let cell = try RogueAnswerTests.cell(rogue)
    var row = LookupCase(rogue.testDescription, "rogue.example", plan: rogue.plan)
    if let report = rogue.report { row = LookupCase(rogue.testDescription, "rogue.example", report: report) }
    if rogue.needsLimit { row = row.control("timeoutdns", "1\n") }
    try row.check(cell.explain(row, within: 10))
  }

  @Test func `what comes within the limit is used, what doesn't is a failure`() throws {
    let cell = try DNSCell { query in
      switch (query.name, query.type) {
      case (_, .mx): DNSResponse(to: query, [10, 20].map { DNSWire.exchanger(query.name, $0, "mx\($0).example") })
      case ("mx20.example", .a): DNSResponse(to: query, [DNSWire.address(query.name, "192.0.2.2")])
      default: nil
      }
    }
    let row = LookupCase(
      "", "half.example", plan: ["10 mx10.example unvalidated failed", "20 mx20.example unvalidated 192.0.2.2"]
    ).control("timeoutdns", "1\n")
    try row.check(cell.explain(row, within: 10))
  }

  @Test func `nobody listens`() throws {
    let cell = try DNSCell { _ in nil }
    cell.server.finish()
    let row = LookupCase("", "rogue.example", report: LookupCase.lookupFailed)
    try row.check(cell.explain(row, within: 10))
  }

  /// The largest message that TCP carries, to the last byte.
  @Test func `65,535 bytes`() throws {
    let cell = try DNSCell { query in
      guard query.isTCP else { return DNSResponse(to: query).with { $0.flags |= DNSResponse.truncated } }
      let small = DNSResponse(to: query, (0..<1_000).map { DNSWire.exchanger(query.name, 7, "10.0.\($0 / 250).\($0 % 250)") })
      // A record of another type fills it up.
      let filling = 65_535 - small.bytes.count - DNSWire.record(query.name, .tlsa, []).count
      return small.with { $0.answers.append(DNSWire.record(query.name, .tlsa, [UInt8](repeating: 1, count: filling))) }
    }
    let addresses = (0..<1_000).map { "10.0.\($0 / 250).\($0 % 250)" }
    let row = LookupCase("", "rogue.example", plan: addresses.map { "7 \($0) unvalidated \($0)" })
    try row.check(cell.explain(row, within: 10))
  }

  @Test(arguments: [true, false])
  func `validation is what the AD bit says`(_ isSet: Bool) throws {
    let cell = try DNSCell { query in
      let answers = query.type == .mx ? [DNSWire.exchanger(query.name, 1, "mx.example")] : []
      let addresses = query.type == .a ? [DNSWire.address(query.name, "192.0.2.1")] : []
      return DNSResponse(to: query, answers + addresses).with { $0.flags |= isSet ? DNSResponse.validated : 0 }
    }
    let row = LookupCase(
      "", "x.example", plan: ["1 mx.example \(isSet ? "validated 192.0.2.1 TLSA none" : "unvalidated 192.0.2.1")"])
    try row.check(cell.explain(row))
    #expect(cell.server.queries.contains { $0.type == .tlsa } == isSet)
  }
}
