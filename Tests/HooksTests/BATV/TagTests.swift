// Tags: the vectors that are known, a thousand senders against an independent computation, and what a check makes of tags that were
// made otherwise.
import Agent
import Foundation
import Support
import Testing

@testable import Hooks

private let key = Secret(bytes("1632203830"))
private let day = 18_891
private let draft = BATVFormat.expiresOn(keyNumber: 0)

@Suite struct BATVTagTests {
  /// The first was seen on the wire of indimail; its manual page batv(1) has it too.
  @Test(
    arguments: [
      (BATVFormat.madeOn, "test@example.com", "prvs=0891a9abd5=test@example.com"),
      (.madeOn, "Joe@Example.COM", "prvs=0891f63764=Joe@Example.COM"),
      (draft, "test@example.com", "prvs=089845144e=test@example.com"),
    ])
  func `known tags`(_ format: BATVFormat, _ address: String, _ expected: String) throws {
    #expect(try BATVTag(format, key: key, day: day).tagged(bytes(address)) == bytes(expected))
  }

  /// HMAC-SHA1 of "0891" and the address begins with 4f4d4b: on the day by whose end the tag is 7 days old, and with key 0.
  @Test func `a known tag of the draft`() throws {
    let tag = BATVTag(draft, key: key, day: day - BATVFormat.lifetime)
    #expect(try tag.tagged(bytes("test@example.com")) == bytes("prvs=08914f4d4b=test@example.com"))
  }

  /// Python computes the same from the same keys, days and addresses, all of them random.
  @Test func `a thousand random senders`() throws {
    let script = """
      import hashlib, hmac, sys
      for line in sys.stdin:
          key, day, address = [bytes.fromhex(word) for word in line.rstrip('\\n').split(',')]
          made = b'0%03d' % (int(day) % 1000)
          due = b'5%03d' % ((int(day) + 7) % 1000)
          for digits, digest in (
              (made, hashlib.md5(made + address + key)), (due, hmac.new(key, due + address, hashlib.sha1))):
              sys.stdout.buffer.write(b'prvs=' + digits + digest.hexdigest()[:6].encode() + b'=' + address + b'\\n')
      """
    var generator = SystemRandomNumberGenerator()
    let cases = (0..<1_000).map { _ in RandomCase(&generator) }
    var start = ProgramStart("python3", ["-c", script])
    start.environment = ["PATH": "/usr/bin:/bin"]
    start.input = .pipe(cases.flatMap { bytes("\($0.key.hex),\(bytes(String($0.day)).hex),\($0.address.hex)\n") })
    let computed = try SpawnedProcess(start).finish()
    #expect(computed.ending == .exited(0), "\(String(decoding: computed.errors, as: UTF8.self))")
    let expected = computed.output.split(separator: 10).map(Array.init)
    try #require(expected.count == 2_000)
    for (index, random) in cases.enumerated() {
      for (offset, format) in [BATVFormat.madeOn, .expiresOn(keyNumber: 5)].enumerated() {
        let tag = BATVTag(format, key: Secret(random.key), day: random.day)
        let tagged = try tag.tagged(random.address)
        #expect(tagged == expected[2 * index + offset], "\(random)")
        let isAmbiguous = format == .madeOn && random.localPart.contains(UInt8(ascii: "="))
        #expect(try isAmbiguous || tag.check(tagged) == .valid(original: random.address), "\(random)")
      }
    }
  }
}

/// A key, a day, and an address with any bytes that may stand in one.
private struct RandomCase {
  let key: [UInt8]
  let day: Int
  let localPart: [UInt8]
  let address: [UInt8]

  init(_ generator: inout SystemRandomNumberGenerator) {
    key = (0..<Int.random(in: 1...90, using: &generator)).map { _ in .random(in: 1...255, using: &generator) }
    day = .random(in: 0...40_000, using: &generator)
    let plain = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_+=!#$%&'*/?^`{|}~\" \u{e4}".utf8)
    func word(_ letters: [UInt8], _ limit: Int) -> [UInt8] {
      (0..<Int.random(in: 1...limit, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? 97 }
    }
    localPart = word(plain, 70)
    address = localPart + (Bool.random(using: &generator) ? [64] + word(Array(plain[..<64]), 100) : [])
  }
}

@Suite struct BATVCheckTests {
  private static let tagged = "prvs=0891a9abd5=test@example.com"
  private static let valid = BATVVerdict.valid(original: bytes("test@example.com"))

  /// What becomes of that tag so many days later, with a lifetime of 7 days. The three digits begin anew every 1,000 days.
  @Test(arguments: [
    (0, valid), (1, valid), (7, valid), (8, .expired(days: 8)), (500, .expired(days: 500)), (-1, .expired(days: 999)),
    (1_000, valid), (1_007, valid), (1_008, .expired(days: 8)),
  ])
  func `the day that it was made on`(_ later: Int, _ expected: BATVVerdict) throws {
    #expect(try BATVTag(.madeOn, key: key, day: day + later).check(bytes(BATVCheckTests.tagged)) == expected)
  }

  @Test(arguments: [890, 891, 897, 898, 899, 999, 1_000, 1_006])
  func `the day wraps`(_ made: Int) throws {
    let tagged = try BATVTag(.madeOn, key: key, day: made).tagged(bytes("a@b"))
    for later in 0...7 {
      #expect(try BATVTag(.madeOn, key: key, day: made + later).check(tagged) == .valid(original: bytes("a@b")))
    }
    #expect(try BATVTag(.madeOn, key: key, day: made + 8).check(tagged) == .expired(days: 8))
  }

  /// A tag of the draft names the day itself, so the one who checks only has to know that it isn't far away.
  @Test(arguments: [(0, nil), (7, nil), (8, 1), (100, 93), (-1, 992), (1_000, nil)] as [(Int, Int?)])
  func `the day that it expires on`(_ later: Int, _ days: Int?) throws {
    let tagged = try BATVTag(draft, key: key, day: day).tagged(bytes("SRS0=a=b=x.test=joe@b.test"))
    #expect(
      try BATVTag(draft, key: key, day: day + later).check(tagged)
        == days.map { .expired(days: $0) } ?? .valid(original: bytes("SRS0=a=b=x.test=joe@b.test")))
  }

  @Test(
    arguments: [
      (tagged, valid), ("prvs=0891A9ABD5=test@example.com", valid), ("", .missing), ("test@example.com", .missing),
      ("PRVS=0891a9abd5=test@example.com", .missing), ("prvs=0891a9abd5=", .missing), ("prvs=", .missing),
      ("prvs=0891a9abd5=Test@example.com", .wrong), ("prvs=0891a9abd5=test@example.org", .wrong),
      ("prvs=0891a9abd6=test@example.com", .wrong), ("prvs=1891a9abd5=test@example.com", .wrong),
      ("prvs=08x1a9abd5=test@example.com", .wrong), ("prvs=0881a9abd5=test@example.com", .expired(days: 10)),
      ("prvs=0891a9abd5test@example.com", .wrong), ("prvs=0891a9abd5xtest@exam=ple.com", .wrong),
      ("prvs=08914f4d4b=test@example.com", .wrong), ("sb*-test@example.com", .missing),
      ("prvs=0891a9abd5=@", .wrong), ("prvs=\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}=@", .wrong),
    ])
  func `whatever comes`(_ address: String, _ expected: BATVVerdict) throws {
    #expect(try BATVTag(.madeOn, key: key, day: day).check(bytes(address)) == expected)
  }

  /// No cut of a tag, and no other byte in it, is a trap or another sender.
  @Test(arguments: [BATVFormat.madeOn, draft])
  func `damaged tags`(_ format: BATVFormat) throws {
    let tag = BATVTag(format, key: key, day: day)
    let tagged = try tag.tagged(bytes("a@b"))
    for count in 0..<tagged.count {
      #expect(try tag.check(Array(tagged[..<count])) != .valid(original: bytes("a@b")))
      for byte in UInt8.min...UInt8.max where byte | 32 != tagged[count] | 32 {
        var damaged = tagged
        damaged[count] = byte
        if case .valid = try tag.check(damaged) { Issue.record("\(String(decoding: damaged, as: UTF8.self)) is valid") }
      }
    }
  }

  @Test(
    arguments: [
      ("md5", .madeOn), ("draft", draft), ("draft 0", draft), ("draft 7", .expiresOn(keyNumber: 7)), ("draft 10", nil),
      ("draft x", nil), ("draft 1 2", nil), ("MD5", nil), ("md5 1", nil), ("", nil), ("sha1", nil),
    ] as [(String, BATVFormat?)])
  func `names of formats`(_ name: String, _ expected: BATVFormat?) { #expect(BATVFormat(bytes(name)) == expected) }
}

extension [UInt8] {
  fileprivate var hex: String { map { String(format: "%02x", $0) }.joined() }
}
