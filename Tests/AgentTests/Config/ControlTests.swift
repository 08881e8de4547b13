import Testing

@testable import Agent

@Suite struct ControlFileTests {
  @Test("lines by qmail's rules")
  func lines() {
    let file = ControlFile(name: "x", bytes: bytes("# no\n\n  lead \t\n\t \nlast:a b\r\n#\nnul\0split\nend"))
    #expect(file.lines.map { "\($0.number):\($0.text.text)" } == ["3:  lead", "5:last:a b\r", "7:nul", "7:split", "8:end"])
  }

  @Test(
    "the first line",
    arguments: [("a \t\nb", "a"), ("", ""), ("\nb", ""), ("#x\n", "#x"), (" a", " a"), ("a", "a"), ("a\r\n", "a\r")])
  func firstLine(_ content: String, _ line: String) {
    #expect(ControlFile(name: "x", bytes: bytes(content)).firstLine.text == line)
  }
}

@Suite struct ConfigTests {
  private func config(_ files: [String: String], _ dialect: Dialect = .stock) throws(DeliveryFailure) -> Config {
    try Config(memoryControl(files), dialect: dialect)
  }

  @Test("helohost goes before me; an empty file is a name too")
  func identity() throws {
    #expect(try config(["me": "me.test\nx"]).identity.heloName.text == "me.test")
    #expect(try config(["me": "me.test", "helohost": "h.test "]).identity.heloName.text == "h.test")
    #expect(try config(["helohost": "h.test"]).identity.heloName.text == "h.test")
  }

  @Test(
    "without a name, or with a line end in it, nothing is sent",
    arguments: [[:], ["me": "me.test\r\n"], ["me": "a\u{1}"], ["helohost": "", "me": "m"], ["me": "a b"]])
  func noIdentity(_ files: [String: String]) {
    #expect { try config(files) } throws: { ($0 as? DeliveryFailure)?.status.disposition == .temporary }
  }

  @Test(
    "time limits",
    arguments: [
      (nil, .stock, 60), ("5", .stock, 5), ("60s", .stock, 60), ("abc", .stock, 60), (" 5", .stock, 60), ("", .stock, 60),
      ("-5", .stock, 60), ("0", .stock, 60), ("0", .skarnet, nil), ("60s", .skarnet, 60), ("7", .skarnet, 7),
      ("70s", .skarnet, 60), ("99999999999999999999999", .stock, Int(Int32.max)), ("5\n6", .indimail, 5),
    ] as [(String?, Dialect, Int?)])
  func timeouts(_ content: String?, _ dialect: Dialect, _ seconds: Int?) throws {
    var files = ["me": "m"]
    files["timeoutconnect"] = content
    #expect(try config(files, dialect).timeouts.connect == seconds.map { .seconds($0) })
    #expect(try config(files, dialect).timeouts.remote == .seconds(1_200))
  }

  @Test("no number of seconds is too large", arguments: ["4611686018427387904", "9223372036854775807", "99999999999999999999"])
  func hugeTimeouts(_ seconds: String) throws {
    let files = ["me": "m", "timeoutdns": seconds, "timeoutconnect": seconds, "timeoutremote": seconds]
    let config = try config(files)
    let limits = LookupLimits(round: config.lookups.timeout, overall: .never, clock: SystemClock())
    #expect(!limits.deadline.hasPassed(at: SystemClock().now()))
    #expect(config.timeouts.connect == .seconds(Int(Int32.max)))
  }

  @Test("own addresses: interfaces, loopback and files, minus notipme")
  func ownAddresses() throws {
    let rules = try config([
      "me": "m", "ipme": "198.51.100.7\n# x\n", "moreipme": "2001:db8:1::/48\n", "notipme": "127.0.0.0/8\n203.0.113.5\n",
    ]).ownAddresses
    let interfaces: Set = [address("203.0.113.5"), address("203.0.113.6")]
    let own = ["198.51.100.7", "2001:db8:1:2::3", "203.0.113.6", "::ffff:203.0.113.6", "0.0.0.0", "::", "::1"]
    for text in own { #expect(rules.isOwn(address(text), interfaces: interfaces), "\(text)") }
    for text in ["203.0.113.5", "127.0.0.1", "127.9.9.9", "192.0.2.1", "::ffff:127.0.0.1"] {
      #expect(!rules.isOwn(address(text), interfaces: interfaces), "\(text)")
    }
  }

  @Test("a line that is no address is named", arguments: ["ipme", "moreipme", "notipme"])
  func badAddress(_ name: String) {
    #expect { try config(["me": "m", name: "192.0.2.1\n\nexample.org\n"]) } throws: {
      ($0 as? DeliveryFailure)?.words.text.contains("control/\(name):3") == true
    }
  }
}

@Suite struct DialectTests {
  private func choice(
    _ operands: [String], _ environment: [String: String] = [:], _ files: [String: String] = [:]
  ) throws(DeliveryFailure) -> DialectChoice {
    try DialectChoice(operands: operands.map(bytes), environment: Environment(environment)) { _ in memoryControl(files) }
  }

  @Test(
    "convention from the operands",
    arguments: [
      (["h", "s", "r"], .stock), (["h", "s", "q", "1"], .stock), (["h", "s", "q", "12", "r"], .indimail),
      (["h", "s", "r@a", "r@b", "r@c"], .stock), (["h", "s", "", "", "r"], .stock), (["h", "s", "", "9x", "r"], .stock),
      (["h", "s", "", "99999999999999999999999", "r"], .indimail),
    ] as [([String], ArgumentConvention)])
  func convention(_ operands: [String], _ convention: ArgumentConvention) throws {
    #expect(try choice(operands).convention == convention)
  }

  private static let stockOperands = ["h", "s", "r"]
  private static let indimailOperands = ["h", "s", "q", "12", "r"]

  @Test(
    "dialect: the variable, the file, the convention, the files that only one family has",
    arguments: [
      (stockOperands, [:], [:], .stock), (indimailOperands, [:], [:], .indimail),
      (stockOperands, [:], ["tlsdestinations": ""], .sqmail), (stockOperands, [:], ["authsenders": ""], .sqmail),
      (stockOperands, [:], ["domaincerts": ""], .sqmail), (stockOperands, [:], ["domainips": ""], .sqmail),
      (stockOperands, [:], ["trustanchors": ""], .skarnet), (stockOperands, [:], ["tlsstrictness": ""], .skarnet),
      (stockOperands, [:], ["clientcert": ""], .skarnet), (stockOperands, [:], ["clientkey": ""], .skarnet),
      (stockOperands, [:], ["trustanchors": "", "domainips": ""], .sqmail),
      (stockOperands, [:], ["dialect": "indimail\n", "domainips": ""], .indimail),
      (indimailOperands, [:], ["dialect": "sqmail"], .sqmail), (stockOperands, [:], ["dialect": "\n"], .stock),
      (indimailOperands, ["QMAILREMOTE_DIALECT": "stock"], ["dialect": "sqmail"], .stock),
      (stockOperands, ["QMAILREMOTE_DIALECT": "indimail"], [:], .indimail),
      (stockOperands, ["QMAILREMOTE_DIALECT": ""], ["domainips": ""], .sqmail),
    ] as [([String], [String: String], [String: String], Dialect)])
  func dialect(_ operands: [String], _ environment: [String: String], _ files: [String: String], _ dialect: Dialect) throws {
    #expect(try choice(operands, environment, files).dialect == dialect)
  }

  @Test("the variable decides the convention too, the file never does")
  func conventionOfDialect() throws {
    let variable = ["QMAILREMOTE_DIALECT": "indimail"]
    #expect(try choice(["h", "s", "q", "", "r"], variable).convention == .indimail)
    #expect(try choice(Self.indimailOperands, ["QMAILREMOTE_DIALECT": "sqmail"]).convention == .stock)
    #expect(try choice(Self.stockOperands, [:], ["dialect": "indimail"]).convention == .stock)
  }

  @Test(
    "the directory follows the convention, unless CONTROLDIR is set",
    arguments: [
      (stockOperands, [:], "/var/qmail/control"), (indimailOperands, [:], "/etc/indimail/control"),
      (indimailOperands, ["CONTROLDIR": "/x"], "/x"),
      (stockOperands, ["QMAILREMOTE_DIALECT": "indimail"], "/etc/indimail/control"),
    ] as [([String], [String: String], String)])
  func directory(_ operands: [String], _ environment: [String: String], _ path: String) throws {
    var opened: String?
    _ = try DialectChoice(operands: operands.map(bytes), environment: Environment(environment)) {
      opened = $0.text
      return memoryControl([:])
    }
    #expect(opened == path)
  }

  @Test("an unknown dialect defers and says where it stands")
  func unknown() {
    #expect { try choice(Self.stockOperands, [:], ["dialect": "exim\n"]) } throws: {
      ($0 as? DeliveryFailure)?.report.text.text
        == "Unable to use control/dialect:1: no dialect is called exim; there are stock, sqmail, indimail, skarnet. (#4.3.5)\n"
    }
    #expect { try choice(Self.stockOperands, ["QMAILREMOTE_DIALECT": "x"]) } throws: {
      ($0 as? DeliveryFailure)?.words.text.contains("QMAILREMOTE_DIALECT") == true
    }
  }
}

@Suite struct EnvironmentTests {
  @Test("values by name")
  func values() {
    let environment = Environment([
      bytes("A=1"), bytes("AB=2"), bytes("A=3"), bytes("E="), bytes("odd"), bytes("=x"), bytes("B=a=b"),
    ])
    #expect(environment.value("A")?.text == "1")
    #expect(environment.value("AB")?.text == "2")
    #expect(environment.value("E")?.text == "")
    #expect(environment.value("B")?.text == "a=b")
    for name in ["C", "odd", "a"] { #expect(environment.value(name) == nil) }
  }
}
