// The built program logs in with servers that somebody else wrote: by every mechanism that they have, in clear and by TLS, with the right
// secret and a wrong one, from every place that may hold it. Who has logged in, and how, is read in the server's own record.
import Foundation
import Support
import Testing

@Suite struct RelayLoginTests {
  private static let account = RelaySite.Account()
  private static let wrong = RelaySite.Account(secret: "pa55+w/o=<rd>&'y")

  /// - Parameter words: the report's, which depend on the dialect.
  private func expectAccepted(
    _ finished: FinishedProcess, _ what: Comment, words: String = "accepted message",
    at location: SourceLocation = #_sourceLocation
  ) {
    let report = visible(finished.output)
    let start = "r^@K127.0.0.1 \(words).\\nRemote host said: 250"
    #expect(report.hasPrefix(start) && !report.contains("without authentication"), "\(report)", sourceLocation: location)
    #expect(finished.ending == .exited(0) && visible(finished.errors) == "", what, sourceLocation: location)
    for account in [Self.account, Self.wrong] {
      #expect(SecretsTests.isFree(report, of: account.secret), "\(report)", sourceLocation: location)
    }
  }

  private func expectRefused(
    _ finished: FinishedProcess, _ mechanism: String, _ what: Comment, at location: SourceLocation = #_sourceLocation
  ) {
    let report = visible(finished.output)
    let words = "authentication was rejected (\(refusedResponse(mechanism)))"
    #expect(
      report.hasPrefix("ZConnected to 127.0.0.1 but \(words).\\nRemote host said: 535 "), "\(report)", sourceLocation: location)
    #expect(finished.ending == .exited(0) && visible(finished.errors) == "", what, sourceLocation: location)
    for account in [Self.account, Self.wrong] {
      #expect(SecretsTests.isFree(report, of: account.secret), "\(report)", sourceLocation: location)
    }
  }

  /// The last line of a log that has some words; the log may come a little later than the reply to the message.
  private func line(_ words: String, _ ending: String, in log: () -> String) -> String {
    var found = ""
    _ = eventually {
      found = log().split(separator: "\n").map(String.init).last { $0.contains(words) } ?? ""
      return found.contains(ending)
    }
    return found
  }

  // MARK: Postfix with Cyrus SASL

  private func postfix() throws -> Postfix {
    let pki = try TestPKI.shared.get()
    var options = PostfixOptions(users: ["user"])
    options.tls = PostfixOptions.TLS(pki[.ec], pki[.rsa])
    options.sasl = PostfixOptions.SASL([Self.account.user: Self.account.secret])
    return try Postfix(options)
  }

  private func expectTaken(
    _ postfix: Postfix, _ security: PythonClient.Security, _ mechanism: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let mail = String(decoding: try #require(try postfix.messages(of: "user", count: 1).first), as: UTF8.self)
    #expect(mail.hasSuffix("\nhello\n"), sourceLocation: location)
    #expect(mail.contains("(Authenticated sender: user@mx.example.com)"), "\(mail)", sourceLocation: location)
    #expect(mail.contains("(using TLSv1.3 with cipher ") == (security != .clear), "\(mail)", sourceLocation: location)
    let login = "sasl_method=\(mechanism), sasl_username=user"
    let logged = line("sasl_method=", login) { postfix.log }
    #expect(logged.contains(login), "\(logged)", sourceLocation: location)
  }

  @Test(arguments: PythonClient.Security.allCases)
  func `Postfix, by every mechanism`(_ security: PythonClient.Security) throws {
    let postfix = try postfix()
    for mechanism in PostfixOptions.SASL.mechanisms {
      let right = try RelaySite(.bars, Self.account, security, mechanism)
      expectAccepted(try right.run(on: postfix.server), "\(mechanism)")
      try expectTaken(postfix, security, mechanism)
      let wrong = try RelaySite(.bars, Self.wrong, security, mechanism)
      expectRefused(try wrong.run(on: postfix.server), mechanism, "\(mechanism)")
    }
    #expect(try postfix.messages(of: "user", count: 0).isEmpty)
    try postfix.server.stop()
  }

  /// The mechanism is the first of the documented order.
  @Test func `Postfix, by every way to name credentials`() throws {
    let postfix = try postfix()
    for way in RelaySite.Way.allCases {
      for security in [PythonClient.Security.clear, .starttls] {
        // authsenders is s/qmail's, which has words for TLS.
        let isItsDialect = way == .sender && security == .starttls
        expectAccepted(
          try RelaySite(way, Self.account, security).run(on: postfix.server), "\(way)",
          words: isItsDialect ? "TLS transmitted message accepted" : "accepted message")
        try expectTaken(postfix, security, "SCRAM-SHA-256")
      }
      expectRefused(try RelaySite(way, Self.wrong, .starttls).run(on: postfix.server), "SCRAM-SHA-256", "\(way)")
    }
    // What isn't for use isn't used, and the server wants a login.
    for way in [RelaySite.Way.blanks, .database] {
      var site = try RelaySite(way, Self.account, .starttls)
      site.remote.environment["AUTH_SMTP"] = nil
      let report = visible(try site.run(on: postfix.server).output)
      #expect(report.hasPrefix("h127.0.0.1 does not like recipient.\\nRemote host said: 554 5.7.1 "), "\(report)")
    }
    #expect(try postfix.messages(of: "user", count: 0).isEmpty)
    try postfix.server.stop()
  }

  // MARK: Dovecot

  private func dovecot(_ change: (inout DovecotOptions) -> Void) throws -> Dovecot {
    var options = DovecotOptions(try TestPKI.shared.get()[.ec])
    change(&options)
    return try Dovecot(options)
  }

  @Test(arguments: PythonClient.Security.allCases)
  func `Dovecot, by every mechanism`(_ security: PythonClient.Security) throws {
    let dovecot = try dovecot {
      $0.accounts = [Self.account.user: Self.account.secret]
      $0.tokens = [Self.account.secret: Self.account.user]
    }
    for (index, mechanism) in DovecotOptions.mechanisms.enumerated() {
      let right = try RelaySite(.bars, Self.account, security, mechanism)
      expectAccepted(try right.run(on: dovecot.server), "\(mechanism)")
      let message = try #require(try dovecot.messages(count: index + 1).last)
      #expect(String(decoding: message.data, as: UTF8.self).hasSuffix("\r\n\r\nhello\r\n"))
      let login = "user=<user>, method=\(mechanism),"
      let logged = line("Login: ", login) { dovecot.log }
      #expect(logged.contains(login) && logged.contains(", TLS") == (security != .clear), "\(logged)")
      let wrong = try RelaySite(.bars, Self.wrong, security, mechanism)
      expectRefused(try wrong.run(on: dovecot.server), mechanism, "\(mechanism)")
    }
    #expect(try dovecot.messages(count: 0).count == DovecotOptions.mechanisms.count)
    try dovecot.server.stop()
  }

  /// The example in contrib/hooks: a refresh token, from which come access tokens until the server takes one.
  @Test func `Dovecot, with a program for tokens`() throws {
    let dovecot = try dovecot { $0.refresh = ["refresh token": "user"] }
    var site = try RelaySite(.program, Self.account, .starttls)
    let hook = (#filePath as NSString).deletingLastPathComponent + "/../../../contrib/hooks/oauth-token"
    try site.install("hooks/credentials", try String(contentsOfFile: hook, encoding: .utf8))
    try site.write(
      "oauth/127.0.0.1",
      "user=user\nurl=http://127.0.0.1:\(dovecot.tokens.port)/token\nclient_id=c\nrefresh_token=refresh token\n")
    let run = try TemporaryFolder()
    site.remote.environment["QMAILREMOTE_RUNDIR"] = run.path
    site.remote.environment["HOOKTIMEOUT"] = "60"
    for count in 1...2 {
      expectAccepted(try site.run(on: dovecot.server), "delivery \(count)")
      #expect(line("Login: ", "method=OAUTHBEARER,", in: { dovecot.log }).contains("user=<user>, method=OAUTHBEARER,"))
    }
    #expect(try dovecot.tokens.state().requests(to: "/token").count == 1)
    // The server takes it no longer: the program is asked once more, in the same delivery.
    try dovecot.tokens.setAccess([:])
    expectAccepted(try site.run(on: dovecot.server), "another token")
    #expect(try dovecot.tokens.state().requests(to: "/token").count == 2)
    #expect(try dovecot.messages(count: 3).count == 3)
    try dovecot.server.stop()
  }

  // MARK: Exim

  private func exim() throws -> Exim {
    try Exim(try .needingLogin([Self.account.user: Self.account.secret]))
  }

  private func expectTaken(
    _ exim: Exim, _ security: PythonClient.Security, _ login: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let mail = String(decoding: try #require(try exim.messages(of: "user", count: 1).first), as: UTF8.self)
    #expect(mail.hasPrefix("Return-path: <sender@example.net>\n") && mail.hasSuffix("\nhello\n"), sourceLocation: location)
    #expect(
      mail.contains(security == .clear ? " with esmtpa" : " with esmtpsa  (TLS1.3)"), "\(mail)", sourceLocation: location)
    let logged = line(" <= sender@example.net ", " A=\(login) ") { exim.log }
    #expect(logged.contains(" A=\(login) "), "\(logged)", sourceLocation: location)
  }

  @Test(arguments: PythonClient.Security.allCases)
  func `Exim, by every mechanism`(_ security: PythonClient.Security) throws {
    let exim = try exim()
    for mechanism in EximOptions.mechanisms where mechanism != "EXTERNAL" {
      expectAccepted(try RelaySite(.bars, Self.account, security, mechanism).run(on: exim.server), "\(mechanism)")
      try expectTaken(exim, security, "a\(mechanism.filter(\.isLetter).lowercased()):user")
      let wrong = try RelaySite(.bars, Self.wrong, security, mechanism)
      expectRefused(try wrong.run(on: exim.server), mechanism, "\(mechanism)")
    }
    #expect(try exim.messages(of: "user", count: 0).isEmpty)
    try exim.server.stop()
  }

  /// The certificate says who we are. Without one that the server knows it doesn't offer EXTERNAL.
  @Test func `Exim, EXTERNAL by a client certificate`() throws {
    let exim = try exim()
    let pki = try TestPKI.shared.get()
    let account = RelaySite.Account(user: "sender@example.net", secret: "-")
    for security in PythonClient.Security.allCases {
      for identity in [pki[.client], pki[.clientUntrusted], nil] {
        var site = try RelaySite(.bars, account, security, "EXTERNAL")
        site.remote.environment["CLIENTCERT"] = identity?.keyAndChain
        site.remote.environment["AUTH_REQUIRED"] = "1"
        let finished = try site.run(on: exim.server)
        if security != .clear, identity?.name == "client" {
          expectAccepted(finished, "\(security)")
          try expectTaken(exim, security, "aexternal:sender@example.net")
        } else {
          let words = "no supported AUTH method found, and the variable AUTH_REQUIRED asks for authentication. (#4.7.0)"
          expect(finished, "ZConnected to 127.0.0.1 but \(words)\n^@")
        }
      }
    }
    #expect(try exim.messages(of: "user", count: 0).isEmpty)
    try exim.server.stop()
  }

  // MARK: OpenSMTPD

  /// It offers AUTH in TLS only.
  @Test func `OpenSMTPD, by every mechanism`() throws {
    var options = OpenSMTPDOptions(users: ["user"])
    options.tls = OpenSMTPDOptions.TLS(try TestPKI.shared.get()[.rsa])
    options.accounts = [Self.account.user: Self.account.secret]
    options.needsLogin = true
    let server = try OpenSMTPD(options)
    for mechanism in OpenSMTPDOptions.mechanisms {
      for security in [PythonClient.Security.starttls, .implicit] {
        expectAccepted(try RelaySite(.bars, Self.account, security, mechanism).run(on: server.server), "\(mechanism)")
        let mail = String(decoding: try #require(try server.messages(of: "user", count: 1).first), as: UTF8.self)
        #expect(mail.hasPrefix("Return-Path: <sender@example.net>\n") && mail.hasSuffix("\nhello\n"))
        #expect(mail.contains(" with ESMTPSA id "), "\(mail)")
        // It says who, not how.
        let logged = line(" smtp authentication ", "result=ok") { server.log }
        #expect(logged.contains(" user=user ") && logged.contains("result=ok"), "\(logged)")
        let wrong = try RelaySite(.bars, Self.wrong, security, mechanism)
        expectRefused(try wrong.run(on: server.server), mechanism, "\(mechanism)")
      }
      var clear = try RelaySite(.bars, Self.account, .clear, mechanism)
      clear.remote.environment["AUTH_REQUIRED"] = ""
      let words = "no supported AUTH method found, and the variable AUTH_REQUIRED asks for authentication. (#4.7.0)"
      expect(try clear.run(on: server.server), "ZConnected to 127.0.0.1 but \(words)\n^@")
    }
    #expect(try server.messages(of: "user", count: 0).isEmpty)
    try server.server.stop()
  }
}
