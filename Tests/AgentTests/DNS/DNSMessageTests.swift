import Testing

@testable import Agent

/// Writes DNS responses by hand.
private struct Response {
  var bytes: [UInt8]

  init(flags: UInt16 = 0x8180, questions: UInt16 = 1, answers: UInt16) {
    bytes = [0x12, 0x34]
    for word in [flags, questions, answers, 0, 0] { append(word) }
  }

  mutating func append(_ word: UInt16) { bytes += [UInt8(word >> 8), UInt8(word & 0xff)] }

  mutating func name(_ name: String) {
    for label in name.split(separator: ".") { bytes += [UInt8(label.utf8.count)] + Array(label.utf8) }
    bytes.append(0)
  }

  mutating func question(_ text: String, _ type: UInt16) {
    name(text)
    append(type)
    append(1)
  }

  mutating func record(_ owner: String, _ type: UInt16, _ data: [UInt8], recordClass: UInt16 = 1) {
    name(owner)
    append(type)
    append(recordClass)
    bytes += [0, 0, 0, 60]
    append(UInt16(data.count))
    bytes += data
  }

  static func wireName(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }
}

@Suite struct DNSMessageTests {
  private func read(_ response: Response, _ name: String, _ type: RecordType, believesAD: Bool = false) -> DNSAnswer {
    DNSMessage.answer(in: response.bytes, to: DNSQuestion(bytes(name), type), believesAD: believesAD)
  }

  @Test("addresses, exchangers and aliases")
  func records() {
    var response = Response(answers: 2)
    response.question("x.test", 1)
    response.record("X.TEST", 1, [192, 0, 2, 1])
    response.record("x.test", 1, [192, 0, 2, 2])
    #expect(
      read(response, "x.test", .a)
        == .records([.address(address("192.0.2.1")), .address(address("192.0.2.2"))], isSecure: false))

    response = Response(answers: 2)
    response.question("x.test", 15)
    response.record("x.test", 15, [0, 10] + Response.wireName("mx.x.test"))
    response.record("x.test", 15, [0xff, 0xff, 0xc0, 12])
    let exchangers: [DNSRecord] = [
      .exchanger(preference: 10, name: bytes("mx.x.test")), .exchanger(preference: 65_535, name: bytes("x.test")),
    ]
    #expect(read(response, "x.test", .mx) == .records(exchangers, isSecure: false))

    response = Response(answers: 1)
    response.question("x.test", 15)
    response.record("x.test", 15, [0, 0, 0])
    #expect(read(response, "x.test", .mx) == .records([.exchanger(preference: 0, name: [])], isSecure: false))

    response = Response(answers: 1)
    response.question("x.test", 5)
    response.record("x.test", 5, Response.wireName("y.test"))
    #expect(read(response, "x.test", .cname) == .records([.alias(bytes("y.test"))], isSecure: false))
  }

  private func chain(_ length: Int) -> Response {
    var response = Response(answers: UInt16(length) + 1)
    response.question("a0.test", 1)
    // Backwards, because the order of records means nothing.
    response.record("a\(length).test", 1, [192, 0, 2, 1])
    for index in (0..<length).reversed() { response.record("a\(index).test", 5, Response.wireName("A\(index + 1).test")) }
    return response
  }

  @Test("aliases are followed, ten of them", arguments: [(0, true), (1, true), (10, true), (11, false)])
  func aliases(_ length: Int, _ found: Bool) {
    // Whose address it is comes before it.
    let alias: [DNSRecord] = length == 0 ? [] : [.alias(bytes("A\(length).test"))]
    let records = alias + [.address(address("192.0.2.1"))]
    #expect((read(chain(length), "a0.test", .a) == .records(records, isSecure: false)) == found)
    #expect(read(chain(length), "a0.test", .a).isFailure != found)
  }

  @Test("an alias that leads in a circle is a failure, never a loop")
  func circle() {
    var response = Response(answers: 2)
    response.question("a.test", 1)
    response.record("a.test", 5, Response.wireName("b.test"))
    response.record("b.test", 5, Response.wireName("a.test"))
    #expect(read(response, "a.test", .a).isFailure)
  }

  @Test("records of other names, types and classes don't count")
  func others() {
    var response = Response(answers: 3)
    response.question("x.test", 1)
    response.record("y.test", 1, [192, 0, 2, 1])
    response.record("x.test", 16, [1, 2])
    response.record("x.test", 1, [192, 0, 2, 1], recordClass: 3)
    #expect(read(response, "x.test", .a) == .noData(isSecure: false))
  }

  @Test(
    "response codes",
    arguments: [
      (0x8180, DNSAnswer.noData(isSecure: false)), (0x8183, .noName(isSecure: false)),
      (0x8182, .failure("the server failed (SERVFAIL)")),
      (0x8185, .failure("the server refused (REFUSED)")), (0x8181, .failure("DNS error code 1")),
      (0x8380, .failure("a truncated DNS response")),
      (0x0180, .failure("a malformed DNS response")),
    ] as [(UInt16, DNSAnswer)])
  func codes(_ flags: UInt16, _ expected: DNSAnswer) {
    var response = Response(flags: flags, answers: 0)
    response.question("x.test", 1)
    #expect(read(response, "x.test", .a) == expected)
  }

  @Test("a server that only says whom else to ask denies nothing", arguments: [0x8000, 0x8100, 0x8003, 0x8103] as [UInt16])
  func referral(_ flags: UInt16) {
    var response = Response(flags: flags, answers: 0)
    response.question("x.test", 1)
    #expect(read(response, "x.test", .a).isFailure)
    // Authoritative or recursive, it may.
    for may: UInt16 in [0x0400, 0x0080] {
      var denial = Response(flags: flags | may, answers: 0)
      denial.question("x.test", 1)
      #expect(!read(denial, "x.test", .a).isFailure)
    }
  }

  @Test("the AD bit counts only where it may be believed")
  func authenticated() {
    for (flags, believes, secure) in [(0x81a0, true, true), (0x81a0, false, false), (0x8180, true, false)]
      as [(UInt16, Bool, Bool)]
    {
      var response = Response(flags: flags, answers: 1)
      response.question("x.test", 1)
      response.record("x.test", 1, [192, 0, 2, 1])
      #expect(read(response, "x.test", .a, believesAD: believes).isSecure == secure)
      var none = Response(flags: flags | 3, answers: 0)
      none.question("x.test", 1)
      #expect(read(none, "x.test", .a, believesAD: believes) == .noName(isSecure: secure))
    }
  }

  @Test("an answer to another question is a failure")
  func otherQuestion() {
    for (name, type) in [("y.test", 1), ("x.test", 15), ("x.test.y", 1)] as [(String, UInt16)] {
      var response = Response(answers: 0)
      response.question(name, type)
      #expect(read(response, "x.test", .a).isFailure)
    }
  }

  @Test("bytes that would read as something else are escaped")
  func escapes() {
    var response = Response(answers: 1)
    response.question("x.test", 15)
    response.record("x.test", 15, [0, 1, 5, 97, 46, 92, 32, 200, 0])
    #expect(
      read(response, "x.test", .mx)
        == .records([.exchanger(preference: 1, name: bytes("a\\046\\092\\032\\200"))], isSecure: false))
  }

  @Test("a name with such bytes is recognised in its own answer")
  func oddQuestion() {
    var response = Response(flags: 0x8183, answers: 0)
    response.question("odd\u{7f} \u{e9}.test", 1)
    #expect(read(response, "ODD\u{7f} \u{e9}.test", .a) == .noName(isSecure: false))
    #expect(read(response, "odd.test", .a).isFailure)
  }

  @Test(
    "malformed data is a failure",
    arguments: [
      (1, [192, 0, 2]), (1, [192, 0, 2, 1, 5]), (15, [0]), (15, [0, 1]), (15, [0, 1, 63, 97]), (15, [0, 1, 0xc0, 0xff]),
      (15, [0, 1, 0x80, 0]), (15, [0, 1, 1, 97, 0, 9]),
    ] as [(UInt16, [UInt8])])
  func malformed(_ type: UInt16, _ data: [UInt8]) {
    var response = Response(answers: 1)
    response.question("x.test", type)
    response.record("x.test", type, data)
    #expect(read(response, "x.test", type == 1 ? .a : .mx).isFailure)
  }

  @Test("no cut and no flipped bit makes it trap", arguments: 0..<20)
  func damage(_ seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let whole = chain(3).bytes
    for _ in 0..<500 {
      var damaged = Array(whole.prefix(Int.random(in: 0...whole.count, using: &generator)))
      for _ in 0..<Int.random(in: 0..<4, using: &generator) where !damaged.isEmpty {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      for type in RecordType.allCases {
        _ = DNSMessage.answer(in: damaged, to: DNSQuestion(bytes("a0.test"), type), believesAD: true)
      }
    }
    let empty = DNSMessage.answer(in: Array(whole.prefix(seed)), to: DNSQuestion(bytes("a0.test"), .a), believesAD: true)
    #expect(empty.isFailure)
  }
}
