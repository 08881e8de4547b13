// Deliveries with secrets in every place that may hold one, good and bad ends, and a search for the secrets in all that comes of them:
// reports, explanations, what programs of the site get on every way, and what /proc shows of the process.
import Foundation
import Support
import Testing

@Suite struct SecretsTests {
  private static let secret = "Tr0ub4dor-and-3"

  /// The secret, and what mechanisms make of it on the wire.
  private static let forms: [String] = {
    let texts = [secret, "\0user\0\(secret)", "user=user\u{1}auth=Bearer \(secret)\u{1}\u{1}"]
    // Within longer texts base64 has it in three ways.
    let shifted = (0..<3).map { shift in
      let text = Data((String(repeating: "x", count: shift) + secret).utf8).base64EncodedString()
      return String(text.dropFirst(4).dropLast(4))
    }
    return [secret] + texts.map { Data($0.utf8).base64EncodedString() } + shifted + [hex(secret)]
  }()

  private static func hex(_ text: String) -> String { text.utf8.map { String($0, radix: 16) }.joined() }

  /// Whether a report has no form of another secret.
  static func isFree(_ report: String, of secret: String) -> Bool {
    let encoded = Data(secret.utf8).base64EncodedString()
    let response = Data("\0user\0\(secret)".utf8).base64EncodedString()
    return [secret, encoded, response, hex(secret)].allSatisfy { !report.contains($0) }
  }

  struct Place: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var control: [String: String] = [:]
    var environment: [String: String] = [:]
    var credentials: String?
    var needsDatabase = false
  }

  private static let places = [
    Place(testDescription: "a line with bars", control: ["smtproutes": ":RELAY|user|\(secret)\n"]),
    Place(
      testDescription: "a line with blanks", control: ["smtproutes": ":RELAY user \(secret) NAME=value\n"],
      environment: ["AUTH_SMTP": ""]),
    Place(testDescription: "authsenders", control: ["authsenders": ":RELAY|user|\(secret)\n"]),
    Place(testDescription: "SMTPROUTE", environment: ["SMTPROUTE": ":RELAY|user|\(secret)"]),
    Place(testDescription: "X-SMTPROUTES", environment: ["X-SMTPROUTES": ":RELAY user \(secret)", "AUTH_SMTP": ""]),
    Place(
      testDescription: "remote_auth.cdb", control: ["smtproutes": ":RELAY /s\n", "remote_auth": "+:user \(secret):\n.\n"],
      environment: ["AUTH_SMTP": ""], needsDatabase: true),
    Place(
      testDescription: "the program credentials", control: ["smtproutes": ":RELAY\n"],
      credentials: "echo user=user; echo secret=\(secret)"),
    Place(
      testDescription: "a token", control: ["smtproutes": ":RELAY\n"],
      credentials: "grep -qx refresh=1 && echo expires=60; echo user=user; echo token=\(secret)"),
    // Not used, and a mistake in the line.
    Place(testDescription: "a line without AUTH_SMTP", control: ["smtproutes": ":RELAY user \(secret)\n"]),
    Place(testDescription: "a line that can't be followed", control: ["smtproutes": ":RELAY:x:y:z user \(secret)\n"]),
    Place(
      testDescription: "an edit without a name", control: ["smtproutes": ":RELAY user p \(secret)\n"],
      environment: ["AUTH_SMTP": ""]),
    Place(
      testDescription: "no salted password", control: ["smtproutes": ":RELAY|user|\(secret)\n"],
      environment: ["SALTED_PASSWORD": ""]),
  ]

  enum End: String, Sendable, CaseIterable {
    case accepted, refused, repeated, closed, notOffered
  }

  private func server(_ end: End, _ offer: String) throws -> TLSServer {
    var behaviour = TLSBehaviour()
    behaviour.clearKeywords = end == .notOffered ? ["SIZE"] : ["AUTH \(offer)"]
    behaviour.accounts = ["user": Self.secret]
    switch end {
    case .accepted, .notOffered: break
    case .refused: behaviour.accounts = ["user": "another"]
    case .repeated:
      let response = Data("user=user\u{1}auth=Bearer \(Self.secret)\u{1}\u{1}".utf8).base64EncodedString()
      behaviour.clearKeywords = ["AUTH XOAUTH2"]
      behaviour.replies["AUTH"] = "501-5.5.2 what is \(response)\n501 5.5.2 and \(Self.secret)"
    case .closed: behaviour.replies["AUTH"] = "!close"
    }
    return try TLSServers.shared.get().start(behaviour)
  }

  /// Writes down all that a program gets, and all that it can see of qmail-remote.
  private static let dump = """
    exec 3>>"$ROOM/$HOOKPOINT.seen"
    tee /dev/fd/3 >"$ROOM/$HOOKPOINT.input"; env >&3
    printf '%s\\n' "$@" >&3
    parent=$PPID
    while [ "$parent" -gt 1 ] && grep -qE "^(qmail-remote|hook supervisor)" "/proc/$parent/comm"; do
      cat "/proc/$parent/environ" "/proc/$parent/cmdline" >&3
      parent=$(awk '{ print $4 }' "/proc/$parent/stat")
    done
    exec 3>&-
    """

  @Test("no secret is anywhere", arguments: places, End.allCases)
  func search(_ place: Place, _ end: End) throws { _ = try deliver(place, end, offer: "LOGIN XOAUTH2 CRAM-SHA256") }

  /// DIGEST-MD5 is looked for in the reports of deliveries to Postfix.
  @Test(
    "nor by any mechanism",
    arguments: AuthenticationTests.passwordMechanisms + ["SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"],
    [End.accepted, .refused])
  func mechanisms(_ mechanism: String, _ end: End) throws {
    let sessions = try deliver(Self.places[0], end, offer: mechanism)
    #expect(sessions.flatMap(\.logins).map(\.mechanism) == [mechanism])
    #expect(sessions.flatMap(\.logins).map(\.user) == [end == .accepted ? "user" : nil])
  }

  /// Searches all that comes of a delivery.
  private func deliver(_ place: Place, _ end: End, offer: String) throws -> [TLSSession] {
    let server = try server(end, offer)
    var programs: [String: String] = [:]
    for point in ["route", "environment", "sender", "candidates", "mechanism"] { programs[point] = Self.dump }
    programs["message"] = "HOOKPOINT=message\n\(Self.dump)\nexit 99"
    if let credentials = place.credentials {
      programs["credentials"] = "\(Self.dump)\n( \(credentials) ) <$ROOM/credentials.input"
    }
    var hooked = try HookedRemote(programs)
    let control = try TemporaryFolder()
    for (name, content) in place.control.merging(["me": "me.example.net\n"], uniquingKeysWith: { $1 }) {
      try control.write(name, content.replacingOccurrences(of: "RELAY", with: "127.0.0.1;\(server.port)"))
    }
    if place.needsDatabase {
      var maker = ProgramStart(try Binary.path("cdb-database"), ["remote_auth"])
      maker.environment = ["CONTROLDIR": control.path]
      #expect(try SpawnedProcess(maker).finish().ending == .exited(0))
    }
    hooked.remote.environment["CONTROLDIR"] = control.path
    for (name, value) in place.environment {
      hooked.remote.environment[name] = value.replacingOccurrences(of: "RELAY", with: "127.0.0.1;\(server.port)")
    }
    let outcome = try hooked.folder.install("outcome", "#!/bin/sh\nHOOKPOINT=outcome\n\(Self.dump)\n")
    for name in ["ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE"] { hooked.remote.environment[name] = outcome }
    hooked.remote.environment["HOOKRECORD"] = "1"

    let finished = try hooked.run()
    let explanation = try hooked.explain()
    #expect(!finished.output.isEmpty && !explanation.isEmpty)
    var artefacts = ["reports": Data(finished.output), "errors": Data(finished.errors)]
    artefacts["explanation"] = Data(explanation.joined(separator: "\n").utf8)
    for name in try FileManager.default.contentsOfDirectory(atPath: hooked.folder.path) where name.hasSuffix(".seen") {
      artefacts[name] = Data(try hooked.folder.read(name))
    }
    // A search that finds nothing because there is nothing would prove nothing.
    let route = try #require(artefacts["route.seen"])
    #expect(route.range(of: Data("CONTROLDIR=\(control.path)\0".utf8)) != nil)
    #expect(route.range(of: Data("sender@example.net\0user@example.com\0".utf8)) != nil)
    for (name, artefact) in artefacts {
      for form in Self.forms {
        #expect(artefact.range(of: Data(form.utf8)) == nil, "\(form) in \(name): \(visible(Array(artefact)))")
      }
    }
    return try server.finish()
  }

  @Test func `the search finds them where they are`() throws {
    let server = try server(.accepted, "LOGIN XOAUTH2 CRAM-SHA256")
    let places = [Self.places[0], Self.places[7]]
    for place in places {
      var hooked = try HookedRemote(place.credentials.map { ["credentials": $0] } ?? [:])
      hooked.remote.control["smtproutes"] = place.control["smtproutes"]?.replacingOccurrences(
        of: "RELAY", with: "127.0.0.1;\(server.port)")
      _ = try hooked.run()
    }
    let wire = try server.finish().flatMap { $0.commands.map(\.line) }.joined(separator: "\n")
    #expect(Self.forms.contains { wire.contains($0) })
  }
}
