import Support
import Testing

@testable import Agent

private let zone = """
  three.example MX 10 first.example secure
  three.example MX 20 second.example
  first.example A 192.0.2.1 secure
  first.example AAAA 2001:db8::1 secure
  _25._tcp.first.example TLSA 3 1 1 abcd secure
  second.example A 192.0.2.2
  second.example AAAA NODATA
  _25._tcp.second.example TLSA SERVFAIL
  open.example MX 10 first.example
  alone.example MX NODATA secure
  alone.example A 192.0.2.4 secure
  alone.example AAAA NODATA secure
  _25._tcp.alone.example TLSA NODATA secure
  alias.example CNAME Real.Example
  real.example MX 10 first.example
  Real.Example CNAME NODATA
  chain0.example CNAME chain1.example
  chain1.example CNAME chain2.example
  chain2.example CNAME NODATA
  loop1.example CNAME loop2.example
  loop2.example CNAME loop1.example
  broken.example CNAME SERVFAIL
  broken.example MX 10 first.example
  relay.example A 192.0.2.5 secure
  relay.example AAAA NODATA secure
  _26._tcp.relay.example TLSA 3 1 1 ef secure
  xn--bcher-kva.example MX 10 first.example
  xn--bcher-kva.example CNAME NODATA
  """

@Suite struct LookupTests {
  private func lookUp(
    _ target: LookupTarget, aliasesOf recipients: [String] = [], tlsaPort: UInt16? = 25, believes: Bool = true
  ) throws -> (LookupResult, FakeResolver) {
    let resolver = FakeResolver(zone: zone, believesValidation: believes)
    let limits = LookupLimits(round: nil, overall: .never, clock: TestClock())
    let lookup = ExchangerLookup(resolver: resolver, limits: limits, seed: 1) { _ in tlsaPort }
    return (try lookup.lookUp(target, aliasesOf: recipients.map { Address(bytes($0)) }), resolver)
  }

  private func host(_ name: String) -> LookupTarget { .host(Domain(bytes(name))) }

  @Test("TLSA is asked along with the addresses, if the way there is validated and somebody wants to know")
  func tlsa() throws {
    let (found, resolver) = try lookUp(host("three.example"))
    #expect(found.exchangers.map(\.isSecure) == [true, false])
    let record = TLSARecord(usage: 3, selector: 1, matching: 1, association: [0xab, 0xcd])
    #expect(found.exchangers[0].tlsa?.answer == .records([.tlsa(record)], isSecure: true))
    #expect(found.exchangers[1].tlsa?.answer == .failure("SERVFAIL"))
    #expect(resolver.rounds.map(\.count) == [1, 6])

    for (target, port, believes) in [("three.example", nil, true), ("three.example", 25, false), ("open.example", 25, true)]
      as [(String, UInt16?, Bool)]
    {
      let (found, _) = try lookUp(host(target), tlsaPort: port, believes: believes)
      #expect(found.exchangers.allSatisfy { $0.tlsa == nil })
    }
    #expect(try lookUp(host("open.example")).0.exchangers[0].isSecure == false)
  }

  @Test("a host that is its own exchanger, and a relay with its port")
  func hostAndRelay() throws {
    let (own, resolver) = try lookUp(host("alone.example"))
    #expect(own.exchangers[0].isSecure && own.exchangers[0].tlsa?.answer == .noData(isSecure: true))
    #expect(resolver.rounds.map(\.count) == [1, 3])
    let (relay, rounds) = try lookUp(.relay(Domain(bytes("relay.example"))), tlsaPort: 26)
    #expect(relay.exchangers[0].isSecure && relay.exchangers[0].tlsa?.answer.records.count == 1)
    #expect(rounds.rounds.map(\.count) == [3])
    let (literal, none) = try lookUp(.relay(Domain(bytes("[192.0.2.7]"))))
    #expect(literal.exchangers[0].tlsa == nil && none.rounds.isEmpty)
  }

  @Test(
    "recipients' domains become their canonical names, by CNAME questions that go along",
    arguments: [
      (["u@alias.example"], ["u@Real.Example"], [2, 4]), (["u@three.example"], ["u@three.example"], [2, 6]),
      (["u@three.example", "v@THREE.example", "w"], ["u@three.example", "v@THREE.example", "w"], [2, 6]),
      (["u@chain0.example"], ["u@chain2.example"], [2, 7, 1]), (["u@[192.0.2.1]"], ["u@[192.0.2.1]"], [1, 6]),
      (["u@alias.example", "v@chain0.example"], ["u@Real.Example", "v@chain2.example"], [3, 8, 1]),
      (["u@nowhere.example"], ["u@nowhere.example"], [2, 6]), (["u@three.example."], ["u@three.example"], [2, 6]),
      (["u@loop1.example"], ["u@loop1.example"], [2, 7, 1, 1, 1, 1, 1, 1, 1, 1]),
    ])
  func aliases(_ recipients: [String], _ expected: [String], _ rounds: [Int]) throws {
    let target = recipients == ["u@alias.example"] ? "open.example" : "three.example"
    let (found, resolver) = try lookUp(host(target), aliasesOf: recipients)
    #expect(found.recipients.map(\.raw.text) == expected)
    #expect(resolver.rounds.map(\.count) == (target == "open.example" ? [2, 3] : rounds))
    #expect(resolver.rounds.flatMap(\.self).allSatisfy { $0.type != .cname || $0.name != bytes("[192.0.2.1]") })
  }

  @Test("an alias that DNS doesn't tell defers, and says whose")
  func brokenAlias() {
    #expect { try lookUp(host("broken.example"), aliasesOf: ["u@broken.example"]) } throws: {
      ($0 as? DeliveryFailure)?.report.text.text == "CNAME lookup failed temporarily for: broken.example. (#4.4.3)\n"
    }
  }

  @Test("internationalised names are asked as A-labels")
  func aLabels() throws {
    let (found, resolver) = try lookUp(host("b\u{fc}cher.example"), aliasesOf: ["u@B\u{dc}CHER.example"])
    #expect(found.exchangers.map(\.name.text) == ["first.example"])
    #expect(resolver.rounds[0].map(\.name.text) == ["xn--bcher-kva.example", "xn--bcher-kva.example"])
  }
}

@Suite struct InternationalTests {
  @Test(
    "A-labels by IDNA2008",
    arguments: [
      ("example.org", "example.org"), ("b\u{fc}cher.example", "xn--bcher-kva.example"),
      ("BU\u{308}CHER.example", "xn--bcher-kva.example"),
      ("fa\u{df}.de", "xn--fa-hia.de"), ("\u{4f8b}\u{3048}.\u{30c6}\u{30b9}\u{30c8}", "xn--r8jz45g.xn--zckzah"), ("", ""),
    ])
  func aLabel(_ name: String, _ label: String) throws { #expect(try Domain(bytes(name)).aLabel().text == label) }

  @Test(
    "what has no A-label is a bounce that says so",
    arguments: [bytes("\u{2603}\u{fe0f}--.\u{200d}"), [0xe9, 0x2e, 0x65], bytes("-\u{fc}-.example")])
  func noALabel(_ name: [UInt8]) {
    #expect { try Domain(name).aLabel() } throws: {
      guard let failure = $0 as? DeliveryFailure else { return false }
      return failure.status.description == "5.1.2" && failure.words.text.contains("no valid internationalised domain")
    }
  }

  @Test(
    "addresses on the wire, without and with SMTPUTF8",
    arguments: [
      ("u@b\u{fc}cher.example", "u@xn--bcher-kva.example", "u@b\u{fc}cher.example", false), ("u@x", "u@x", "u@x", false),
      ("", "", "", false),
      ("j\u{f6}rg@x", "\"j\u{f6}rg\"@x", "j\u{f6}rg@x", true),
      ("j\u{f6} rg@b\u{fc}cher.example", "\"j\u{f6} rg\"@xn--bcher-kva.example", "\"j\u{f6} rg\"@b\u{fc}cher.example", true),
      ("j\u{f6}rg", "j\u{f6}rg", "j\u{f6}rg", true),
    ])
  func mailbox(_ raw: String, _ ascii: String, _ international: String, _ needs: Bool) throws {
    let address = try Address(bytes(raw)).withALabel()
    #expect(address.mailbox.text == ascii)
    #expect(address.internationalMailbox.text == international)
    #expect(address.needsSMTPUTF8 == needs)
    #expect(address.raw.text == raw)
  }

  @Test(
    "the newest trace line tells",
    arguments: [
      ("Received: from a by b with UTF8SMTP id 1\nSubject: x\n\n", true),
      ("Received: from a by b\n\twith utf8ESMTPS id 1\n\n", true),
      ("Received: from a by b with ESMTP\nReceived: with UTF8SMTP\n\n", false),
      ("Subject: with UTF8SMTP\nReceived: with ESMTP\n\n", false),
      ("Subject: x\nreceived:\n by b with UTF8SMTPSA\n\n", true), ("Subject: x\n\nReceived: from a with UTF8SMTP\n", false),
      ("", false),
      ("Received: from a by b with\tUTF8SMTP\n", false), ("Received: by with-UTF8SMTP\r\n\r\n", false),
      ("Received: by b with UTF8SMTP\r\n\r\nx\r\n", true),
    ])
  func trace(_ message: String, _ expected: Bool) throws {
    let message = Message(MemorySource(bytes: bytes(message), isFile: true))
    try message.prepare()
    #expect(message.cameAsSMTPUTF8 == expected)
  }
}

@Suite struct ResolverTrustTests {
  @Test(
    "servers of the variable",
    arguments: [
      ("127.0.0.1", true), ("127.0.0.1:5300", true), ("::1", true), ("[::1]:5300", true), ("127.0.0.1, ::1", true),
      ("127.0.0.1,192.0.2.1", false),
      ("192.0.2.1:53", false), ("", false), ("x", false), (",", false), ("2001:db8::1", false),
    ])
  func servers(_ servers: String, _ expected: Bool) { #expect(ResolverTrust.isLocal(servers: bytes(servers)) == expected) }

  @Test(
    "resolv.conf",
    arguments: [
      ("", true), ("nameserver 127.0.0.1\n", true), ("nameserver\t127.0.0.53\r\nnameserver ::1\n", true),
      ("nameserver 192.0.2.1", false),
      ("nameserver 127.0.0.1\nnameserver 192.0.2.1\n", false), ("nameserver 192.0.2.1\noptions edns0 trust-ad\n", true),
      ("nameserver 192.0.2.1\noptions no-trust-ad\n", false), ("# nameserver 192.0.2.1\n;nameserver 192.0.2.1\n", true),
      ("nameserver\n", false),
      ("nameserver fe80::1%eth0", false),
    ])
  func resolvConf(_ content: String, _ expected: Bool) {
    #expect(ResolverTrust.isTrusted(resolvConf: bytes(content)) == expected)
  }
}

@Suite struct FamilyPreferenceTests {
  private func preference(_ host: String, _ content: String?, _ variable: String? = nil, _ dialect: Dialect = .stock) throws
    -> String
  {
    var environment: [String: String] = [:]
    environment["IPPREFER"] = variable
    let found = try FamilyPreference(
      for: Domain(bytes(host)), memoryControl(content.map { ["ipprefer": $0] } ?? [:]), dialect, Environment(environment))
    return "\(found.order.rawValue) \(found.source ?? "-")"
  }

  @Test(
    "the variable, the file with the keys of smtproutes, IPv6 first",
    arguments: [
      ("a.example", nil, nil, "6 -"), ("a.example", "a.example:4\n", nil, "4 control/ipprefer:1"),
      ("x.a.example", "a.example:4\n", nil, "6 -"),
      ("x.a.example", ".a.example:4only\n:6only", nil, "4only control/ipprefer:1"),
      ("y", ".a.example:4only\n:6only", nil, "6only control/ipprefer:2"),
      ("y", ":4", "6only", "6only the variable IPPREFER"), ("y", ":4", "", "4 control/ipprefer:1"),
    ] as [(String, String?, String?, String)])
  func preferences(_ host: String, _ content: String?, _ variable: String?, _ expected: String) throws {
    #expect(try preference(host, content, variable) == expected)
  }

  @Test("any other value is named", arguments: [(":x", nil), (":", nil), (":46", nil), (":4", "5")] as [(String, String?)])
  func faults(_ content: String, _ variable: String?) {
    #expect { try preference("h", content, variable) } throws: {
      guard let failure = $0 as? DeliveryFailure else { return false }
      return failure.status.description == "4.3.5"
        && failure.words.text.contains(variable == nil ? "control/ipprefer:1" : "IPPREFER")
    }
  }
}
