// A site that has an account with a relay, and the ways in which its administrator may have written that down.
import Foundation
import Support

struct RelaySite {
  /// Where the credentials stand.
  enum Way: String, Sendable, CaseIterable {
    case bars, blanks, database, sender, program
  }

  struct Account: Sendable {
    var user = "user"
    /// With what base64, XML and shells would stumble over.
    var secret = "pa55+w/o=<rd>&'x"
  }

  var remote = Remote()
  private let control: TemporaryFolder

  /// All mail to a server of `RealServer` on this machine.
  /// - Parameter mechanism: the only one that may be used; nil: what the program likes best.
  init(_ way: Way, _ account: Account, _ security: PythonClient.Security, _ mechanism: String? = nil) throws {
    control = try TemporaryFolder()
    let relay = security == .implicit ? "127.0.0.1;s\(RealServer.implicitPort)" : "127.0.0.1;\(RealServer.port)"
    try control.write("me", "me.example.net\n")
    if security == .clear { try control.write("tlsdestinations", "!127.0.0.1:\n") }
    remote.environment = ["CONTROLDIR": control.path, "PATH": "/usr/bin:/bin"]
    // The forms that need it need it even if it is empty.
    if let mechanism { remote.environment["AUTH_SMTP"] = mechanism }
    switch way {
    case .bars: try control.write("smtproutes", "example.com:\(relay)|\(account.user)|\(account.secret)\n")
    case .blanks:
      try control.write("smtproutes", "example.com:\(relay) \(account.user) \(account.secret)\n")
      remote.environment["AUTH_SMTP"] = mechanism ?? ""
    case .database:
      try control.write("smtproutes", "example.com:\(relay) /s\n")
      try control.write("remote_auth", "=sender@example.net:\(account.user) \(account.secret):\n.\n")
      try makeDatabase()
      remote.environment["AUTH_SMTP"] = mechanism ?? ""
    case .sender: try control.write("authsenders", "@example.net:\(relay)|\(account.user)|\(account.secret)\n")
    case .program:
      try control.write("smtproutes", "example.com:\(relay)\n")
      try control.write("secret", "user=\(account.user)\nsecret=\(account.secret)\n")
      try control.install("hooks/credentials", "#!/bin/sh\nexec cat \"$CONTROLDIR/secret\"\n")
    }
  }

  func run(on server: RealServer) throws -> FinishedProcess {
    try withExtendedLifetime(control) { try server.run(remote) }
  }

  /// Further control files.
  func write(_ name: String, _ content: String) throws { _ = try control.write(name, content) }

  func install(_ name: String, _ program: String) throws { _ = try control.install(name, program) }

  /// - Throws: when the program that makes it fails.
  private func makeDatabase() throws {
    var maker = ProgramStart(try Binary.path("cdb-database"), ["remote_auth"])
    maker.environment = ["CONTROLDIR": control.path]
    let made = try SpawnedProcess(maker).finish()
    guard made.ending == .exited(0) else { throw SpawnFault(description: "cdb-database: \(visible(made.errors))") }
  }
}

/// What a report calls a refused response, in the words of qmail-remote(8).
func refusedResponse(_ mechanism: String) -> String {
  switch mechanism {
  case "PLAIN": "plain"
  case "LOGIN": "password"
  case "XOAUTH2", "OAUTHBEARER": "oauth2"
  case _ where mechanism.hasPrefix("SCRAM"): "AUTH \(mechanism)"
  default: "username+digest"
  }
}
