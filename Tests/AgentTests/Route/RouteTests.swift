import Testing

@testable import Agent

@Suite struct DomainTableTests {
  private static let file = "a.example:r1\n.example:r2;26\n:r3\nb.example:\nA.EXAMPLE:r4\n"

  private func value(_ content: String, _ name: String, _ keys: RouteKeys) throws -> String? {
    let table = DomainTable(file: ControlFile(name: "smtproutes", bytes: bytes(content)), keys: keys)
    return try table.entry(for: bytes(name)).map {
      "\($0.place.drop { $0 != ":" }.dropFirst())=\($0.value.text)@\($0.position)"
    }
  }

  @Test(
    "dotted suffixes: the most specific key, the last of equals, case ignored",
    arguments: [
      ("a.example", "5=r4@0"), ("x.a.example", "2=r2;26@2"), ("b.example", "4=@0"), ("example", "3=r3@1"),
      ("c.b.example", "2=r2;26@2"),
      ("[192.0.2.9]", "3=r3@4"), ("", "3=r3@0"), ("A.Example", "5=r4@0"),
    ])
  func suffixes(_ name: String, _ expected: String) throws { #expect(try value(Self.file, name, .dottedSuffixes) == expected) }

  @Test(
    "bare domains cover subdomains, and case counts",
    arguments: [
      ("x.a.example", "1=r1@1"), ("q.example", "2=r2@1"), ("A.example", "2=r2@1"), ("a.example", "1=r1@0"), ("example.", nil),
      ("other", nil),
    ] as [(String, String?)])
  func bareDomains(_ name: String, _ expected: String?) throws {
    #expect(try value("a.example:r1\nexample:r2\n.example:never\n", name, .bareDomains) == expected)
  }

  @Test(
    "lines and keys",
    arguments: [
      ("no colon\n#x:1\nx:2", "x", "3=2@0"), ("[192.0.2.9]:r\n", "[192.0.2.9]", "1=r@0"),
      ("[2001:db8::9]:r\n", "[2001:db8::9]", "1=r@0"),
      ("[2001:db8::9:r\n", "[2001", "1=db8::9:r@0"), ("x.:a\n.:b\n", "y.", "2=b@1"), ("*:r\n", "x", nil), ("!@:b\n", "x", nil),
    ] as [(String, String, String?)])
  func lines(_ content: String, _ name: String, _ expected: String?) throws {
    #expect(try value(content, name, .dottedSuffixes) == expected)
  }

  @Test("a search in a long file takes one pass, whatever comes first")
  func long() throws {
    let lines = (0..<20_000).map { "host\($0).example:r\($0)\n" }.joined()
    #expect(try value(lines + ".example:s\n", "host19999.example", .dottedSuffixes) == "20000=r19999@0")
    #expect(try value(".example:s\n" + lines, "other.example", .dottedSuffixes) == "1=s@1")
  }
}

@Suite struct RouteLineTests {
  private func parse(_ value: String, _ dialect: Dialect = .stock) throws(DeliveryFailure) -> String {
    let line = try RouteLine(bytes(value), dialect: dialect, place: "control/smtproutes:1")
    var words = [line.relay?.text.text ?? "MX"]
    if let port = line.port { words.append("port \(port)") }
    if line.implicitTLS { words.append("tls") }
    if let penalty = line.penalty { words.append("penalty \(penalty)") }
    if let tolerance = line.maxTolerance { words.append("tolerance \(tolerance)") }
    switch line.credentials {
    case .pipe(let user, let password): words.append("pipe \(user.text) \(password.bytes.text)")
    case .space(let user, let password): words.append("space \(user.text) \(password.bytes.text)")
    case .sender: words.append("/s")
    case .recipient: words.append("/r")
    case .token(let token): words.append("/\(token.text)")
    case nil: break
    }
    if let local = line.localAddress { words.append("from \(local.text)") }
    if !line.environmentEdits.isEmpty { words.append("env \(line.environmentEdits.text)") }
    if !line.warnings.isEmpty { words.append("warned") }
    return words.joined(separator: ", ")
  }

  @Test(
    "every grammar, one parser",
    arguments: [
      ("", "MX"), ("relay", "relay"), ("relay:26", "relay, port 26"), ("relay:", "relay"), (":26", "MX, port 26"),
      (";26", "MX, port 26"),
      ("10.0.0.1", "10.0.0.1"), ("[10.0.0.1]:26", "[10.0.0.1], port 26"), ("[10.0.0.1];26", "[10.0.0.1], port 26"),
      ("[2001:db8::1]", "[2001:db8::1]"), ("[2001:db8::1]:26", "[2001:db8::1], port 26"),
      ("[2001:db8::1];26", "[2001:db8::1], port 26"),
      ("2001:db8::1", "[2001:db8::1], warned"), ("2001:db8::1;26", "[2001:db8::1], port 26"), ("::1", "[::1], warned"),
      ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8], warned"), ("relay;26", "relay, port 26"), ("relay;s", "relay, port 465, tls"),
      ("relay;s587", "relay, port 587, tls"), ("relay;465", "relay, port 465, tls"), ("relay:465", "relay, port 465, tls"),
      ("relay;", "relay"),
      ("relay:25x", "relay, port 25, warned"), ("10.0.0.1:25:0", "10.0.0.1, port 25, penalty 0"),
      ("relay:26:3600:120", "relay, port 26, penalty 3600, tolerance 120"), ("relay::3600", "relay, penalty 3600"),
      ("relay:::", "relay"),
      ("relay:::60", "relay, tolerance 60"), ("[::1]:26:1:2", "[::1], port 26, penalty 1, tolerance 2"),
      ("cafe::3600", "[cafe::3600], warned"), ("relay|u|p", "relay, pipe u p"), ("relay;26|u|p", "relay, port 26, pipe u p"),
      ("relay||10.1.1.0", "relay, from 10.1.1.0"),
      ("partner.example;42||2001::fefe", "partner.example, port 42, from 2001::fefe"),
      ("relay|u|p|10.1.1.0", "relay, pipe u p, from 10.1.1.0"), ("relay|u|p|q", "relay, pipe u p|q"),
      ("relay|u|p|q|::1", "relay, pipe u p|q, from ::1"),
      ("relay|u|p;x:y z|", "relay, pipe u p;x:y z"), ("relay||", "relay"), ("relay|", "relay"),
      ("||10.1.1.0", "MX, from 10.1.1.0"),
      ("relay||0.0.0.0", "relay"), ("relay||::", "relay"), ("relay u p", "relay, space u p"),
      ("relay:587 u p A=1,B=", "relay, port 587, space u p, env A=1,B="), ("relay:587: /s", "relay, port 587, /s"),
      ("relay /r", "relay, /r"),
      ("smtp.gmail.com:587: /gmail AUTH_SMTP=login", "smtp.gmail.com, port 587, /gmail, env AUTH_SMTP=login"),
      ("relay:26:1:2 u p", "relay, port 26, penalty 1, tolerance 2, space u p"), ("relay u p|q", "relay, space u p|q"),
      ("relay:99999999999999:99999999999999999999", ""), ("relay::99999999999999999999", "relay, penalty 2147483647"),
    ])
  func grammar(_ value: String, _ expected: String) throws {
    guard !expected.isEmpty else {
      #expect(throws: DeliveryFailure.self) { try parse(value) }
      return
    }
    #expect(try parse(value) == expected)
  }

  @Test(
    "the collision of 5.2 is indimail's in its dialect only",
    arguments: [
      ("cafe::3600", "cafe, penalty 3600"), ("2001:db8::1", "[2001:db8::1], warned"), ("::1", "[::1], warned"),
      ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8], warned"),
    ])
  func collision(_ value: String, _ expected: String) throws { #expect(try parse(value, .indimail) == expected) }

  @Test(
    "what can't be followed defers the mail and names the place, never a password",
    arguments: [
      "relay:0", "relay:x", "relay:65536", "relay;x", "relay;sx", "relay:26:x", "relay:26:1:x", "relay:1:2:3:4", "[10.0.0.1",
      "[relay]", "[]",
      "[10.0.0.1]x", "relay|secret", "relay|secret|", "relay||secret", "relay|||", "relay||secret|x", "relay ", "relay secret",
      "relay  secret",
      "relay /", "relay:s26", "[::1]:26:1:2:3",
    ])
  func faults(_ value: String) {
    #expect { try parse(value) } throws: { error in
      guard let failure = error as? DeliveryFailure else { return false }
      let text = failure.report.text.text
      return failure.status.description == "4.3.5" && text.contains("control/smtproutes:1") && !text.contains("secret")
    }
  }

  @Test("a secret doesn't print")
  func secret() {
    let secret = Secret(bytes("hunter2"))
    #expect(
      !"\(secret)\(String(reflecting: secret))\(CredentialReference.pipe(user: [], password: secret))".contains("hunter2"))
    let line = try? RouteLine(bytes("r|u|hunter2"), dialect: .stock, place: "x")
    #expect(!String(describing: line).contains("hunter2"))
  }
}

@Suite struct RouteTableTests {
  private func route(_ content: String?, host: String, sender: String = "s@x", _ dialect: Dialect = .stock)
    throws(DeliveryFailure) -> Route?
  {
    let control = memoryControl(content.map { ["smtproutes": $0] } ?? [:])
    let question = RouteQuestion(host: Domain(bytes(host)), sender: Address(bytes(sender)), recipients: [])
    return try RouteTable(control, dialect: dialect, environment: Environment()).route(for: question)
  }

  @Test("a bounce takes its own route, unless that is empty")
  func bounces() throws {
    let content = "!@:bounces;26\n:relay\n"
    #expect(try route(content, host: "h", sender: "")?.line.relay?.text.text == "bounces")
    #expect(try route(content, host: "h")?.line.relay?.text.text == "relay")
    #expect(try route("!@:\n:relay\n", host: "h", sender: "")?.source == "control/smtproutes:2")
  }

  @Test("no file, no line and an empty route")
  func none() throws {
    #expect(try route(nil, host: "h") == nil)
    #expect(try route("x:y\n", host: "h") == nil)
    #expect(try route("h:\n:relay\n", host: "h")?.line.isEmpty == true)
  }

  @Test("only the line that wins has to be right")
  func strictness() throws {
    #expect(try route("bad:relay:0\nh:relay\n", host: "h")?.source == "control/smtproutes:2")
    #expect(throws: DeliveryFailure.self) { try route("bad:relay:0\nh:relay\n", host: "bad") }
  }
}
