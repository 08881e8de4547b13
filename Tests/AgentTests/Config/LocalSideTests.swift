import Testing

@testable import Agent

@Suite struct LocalSideTests {
  /// Our side of a connection, as `address%interface name (source)`, or why there is none.
  private func side(
    _ remote: String, _ files: [String: String], sender: String = "s@x.example", host: String = "h.example",
    route: String? = nil,
    environment: [String: String] = [:], seconds: Int64 = 0
  ) -> String {
    do {
      let control = memoryControl(["me": "me.test"].merging(files) { $1 })
      let start = Environment(environment)
      let config = try Config(control, dialect: .stock, environment: start)
      let question = RouteQuestion(
        host: Domain(bytes(host)), sender: Address(bytes(sender)), recipients: [Address(bytes("r@h"))])
      let line = try route.map { Route(line: try RouteLine(bytes($0), dialect: .stock, place: "route"), source: "route") }
      let side = try config.localSide(question, line, seconds: seconds).side(for: address(remote))
      let from = side.address.map { $0.text + (side.interface.map { "%\($0)" } ?? "") } ?? "any"
      return "\(from) \(side.heloName.text)\(side.addressSource.map { " (\($0))" } ?? "")"
    } catch let failure as DeliveryFailure {
      return "\(failure.status) \(failure.words.text)"
    } catch let unusable as UnusableRemote {
      return "unusable: \(unusable.reason)"
    } catch {
      return "\(error)"
    }
  }

  private static let all = [
    "bindroutes": "10.:10.0.0.9\n192.0.2.7:192.0.2.70\n", "domainips": "x.example:192.0.2.10|ips.example\n",
    "domainbindings": "x.example:192.0.2.11\n", "outgoingip.h.example": "192.0.2.13\n", "outgoingip": "192.0.2.14\n",
  ]

  @Test(
    "each rule yields to those before it",
    arguments: [
      (
        ["bindroutes", "domainips", "domainbindings", "outgoingip.h.example", "outgoingip"],
        "10.0.0.9 ips.example (control/bindroutes:1)"
      ),
      (["domainips", "domainbindings", "outgoingip.h.example", "outgoingip"], "192.0.2.10 ips.example (control/domainips:1)"),
      (["domainbindings", "outgoingip.h.example", "outgoingip"], "192.0.2.11 x.example (control/domainbindings:1)"),
      (["outgoingip.h.example", "outgoingip"], "192.0.2.13 me.test (control/outgoingip.h.example:1)"),
      (["outgoingip"], "192.0.2.14 me.test (control/outgoingip:1)"), ([], "any me.test"),
    ])
  func precedence(_ names: [String], _ expected: String) {
    let files = Self.all.filter { names.contains($0.key) }
    #expect(side("10.1.2.3", files) == expected)
    #expect(side("10.1.2.3", files, route: "r||192.0.2.99").hasPrefix("192.0.2.99 "))
  }

  @Test("the variable goes before the files, and is not asked when a binding is there")
  func variable() {
    #expect(
      side("10.1.2.3", ["outgoingip": "192.0.2.14"], environment: ["OUTGOINGIP": "192.0.2.12"])
        == "192.0.2.12 me.test (the variable OUTGOINGIP)")
    #expect(side("10.1.2.3", Self.all, environment: ["OUTGOINGIP": "192.0.2.12"]).hasPrefix("10.0.0.9"))
    #expect(side("10.1.2.3", ["outgoingip": "192.0.2.14"], environment: ["OUTGOINGIP": ""]).hasPrefix("192.0.2.14"))
    #expect(side("10.1.2.3", [:], environment: ["OUTGOINGIP": "x"]) == "4.3.0 invalid ipaddr in OUTGOINGIP.")
  }

  @Test("an address of one family never stands in the way of the other")
  func families() {
    let files = ["domainips": "x.example:2001:db8::10\n", "outgoingip": "192.0.2.14\n2001:db8::14\n"]
    #expect(side("10.1.2.3", files) == "192.0.2.14 me.test (control/outgoingip:1)")
    #expect(side("2001:db8::1", files) == "2001:db8::10 me.test (control/domainips:1)")
    #expect(side("2001:db8::1", Self.all) == "any ips.example")
    #expect(side("2001:db8::1", ["outgoingip": "192.0.2.14\n"], route: "r||192.0.2.99") == "any me.test")
  }

  @Test("an unspecified address is the system's choice, and ends the search", arguments: ["0.0.0.0", "::"])
  func unspecified(_ none: String) {
    #expect(side("10.1.2.3", ["bindroutes": ":\(none)\n", "outgoingip": "192.0.2.14\n"]) == "any me.test")
    #expect(side("10.1.2.3", ["domainips": "x.example:\(none)\n", "outgoingip": "192.0.2.14\n"]) == "any me.test")
    #expect(side("10.1.2.3", ["outgoingip.h.example": "\(none)\n", "outgoingip": "192.0.2.14\n"]) == "any me.test")
    #expect(
      side("10.1.2.3", ["outgoingip": "192.0.2.14\n"], route: "r||\(none)") == "192.0.2.14 me.test (control/outgoingip:1)")
  }

  @Test(
    "bindroutes by prefix, and as a way to shut a host out",
    arguments: [
      ("10.1.2.3", "10.1.2.3:1.0.0.1\n10.1.2.:1.0.0.2\n10.:1.0.0.3\n:1.0.0.4", "1.0.0.1 me.test (control/bindroutes:1)"),
      ("10.1.2.9", "10.1.2.3:1.0.0.1\n10.1.2.:1.0.0.2\n10.:1.0.0.3\n:1.0.0.4", "1.0.0.2 me.test (control/bindroutes:2)"),
      ("10.9.9.9", "10.1.2.3:1.0.0.1\n10.1.2.:1.0.0.2\n10.:1.0.0.3\n:1.0.0.4", "1.0.0.3 me.test (control/bindroutes:3)"),
      ("192.0.2.1", "10.:1.0.0.3\n:1.0.0.4", "1.0.0.4 me.test (control/bindroutes:2)"),
      ("100.0.0.1", "10.:1.0.0.3\n", "any me.test"),
      ("10.1.2.3", "10.1.2.3:this-isnt-an-ip-address\n", "unusable: control/bindroutes:1 has no address to connect from"),
      ("10.1.2.3", "10.:\n", "any me.test"),
      ("2001:db8::1", "[2001:db8::1]:2001:db8::9\n", "2001:db8::9 me.test (control/bindroutes:1)"),
      ("2001:db8::1", ":2001:db8::9\n", "2001:db8::9 me.test (control/bindroutes:1)"),
      ("10.1.2.3", ":301.32.1.1", "unusable: control/bindroutes:1 has no address to connect from"),
    ])
  func bindroutes(_ remote: String, _ content: String, _ expected: String) {
    #expect(side(remote, ["bindroutes": content]) == expected)
  }

  @Test(
    "domainips by the sender's domain",
    arguments: [
      ("s@a.x.example", ".x.example:1.0.0.1%lo|n\n", "1.0.0.1%lo n (control/domainips:1)"),
      ("s@y", "*:1.0.0.2\n", "1.0.0.2 me.test (control/domainips:1)"),
      ("s@y", ":1.0.0.3\n*:1.0.0.2\n", "1.0.0.3 me.test (control/domainips:1)"),
      ("", "*:1.0.0.2|n\n", "1.0.0.2 n (control/domainips:1)"),
      ("s@y", "y:|n\n", "any n"), ("s@y", "y:1.0.0\n", "4.3.0 Invalid ipaddr in control/domainips."),
      ("s@y", "y:1.0.0.1|a b\n", "4.3.5 Unable to use control/domainips:1: the name to greet with is none."),
    ])
  func domainips(_ sender: String, _ content: String, _ expected: String) {
    #expect(side("10.1.2.3", ["domainips": content], sender: sender) == expected)
  }

  @Test(
    "domainbindings by the sender",
    arguments: [
      ("user1@example.com", "6.5.4.3 example.com (control/domainbindings:1)"),
      ("user2@example.com", "5.6.7.8 example.com (control/domainbindings:2)"),
      ("u@a.example.com", "5.6.7.9 a.example.com (control/domainbindings:3)"),
      ("u@heaven.af.mil", "1.2.3.4 heaven.af.mil (control/domainbindings:4)"),
      ("u@other", "1.2.3.5 other (control/domainbindings:5)"), ("", "9.9.9.9 me.test (control/outgoingip:1)"),
      ("u@none.example", "9.9.9.9 me.test (control/outgoingip:1)"),
    ])
  func domainbindings(_ sender: String, _ expected: String) {
    let content =
      "user1@example.com:6.5.4.3\nexample.com:5.6.7.8\n.example.com:5.6.7.9\nheaven.af.mil:1.2.3.4\n:1.2.3.5\nnone.example:\n"
    #expect(side("10.1.2.3", ["domainbindings": content, "outgoingip": "9.9.9.9"], sender: sender) == expected)
    #expect(
      side("10.1.2.3", ["db": content, "outgoingip": "9.9.9.9"], sender: sender, environment: ["DOMAINBINDINGS": "db"])
        == expected.replacing("domainbindings", with: "db"))
  }

  @Test("several lines take turns by the clock, comments not among them")
  func rotation() {
    let content = "# a\n192.0.2.1\n\n192.0.2.2\n2001:db8::1\n192.0.2.3\n"
    let seen = (0..<6).map { side("10.1.2.3", ["outgoingip": content], seconds: Int64($0)).prefix(9) }
    #expect(seen == ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1", "192.0.2.2", "192.0.2.3"])
    #expect(side("10.1.2.3", ["outgoingip": ""]) == "any me.test")
    #expect(side("10.1.2.3", ["outgoingip": "x\n"]) == "4.3.0 invalid ipaddr in control/outgoingip.")
    #expect(side("10.1.2.3", ["outgoingip": "192.0.2.1\n"], seconds: -5).hasPrefix("192.0.2.1"))
  }

  @Test("the name may follow the address")
  func heloByAddress() {
    let files = [
      "helohostbyip": "192.0.2.14:fourteen.example\n[2001:db8::14]:six.example\n192.0.2.15:\n",
      "outgoingip": "192.0.2.14\n2001:db8::14\n",
    ]
    #expect(side("10.1.2.3", files) == "192.0.2.14 fourteen.example (control/outgoingip:1)")
    #expect(side("2001:db8::1", files) == "2001:db8::14 six.example (control/outgoingip:2)")
    #expect(
      side("10.1.2.3", files.merging(["domainips": "x.example:192.0.2.14|n\n"]) { $1 })
        == "192.0.2.14 fourteen.example (control/domainips:1)")
    #expect(side("10.1.2.3", files.merging(["outgoingip": "192.0.2.15"]) { $1 }) == "192.0.2.15 me.test (control/outgoingip:1)")
    #expect(
      side("10.1.2.3", ["hh": "192.0.2.14:h.example", "outgoingip": "192.0.2.14"], environment: ["HELOHOSTBYIP": "hh"])
        .hasPrefix("192.0.2.14 h.example"))
  }
}
