// The example of notices (contrib/hooks/notify), in the place of all three outcome programs, with a stand-in for sendmail that keeps what
// it gets.
import Foundation
import Support
import Testing

@Suite struct NoticeHookTests {
  /// A site that is told of bounced and deferred mail.
  private struct Site {
    var site: ExampleSite
    private let folder: TemporaryFolder

    init(to server: ScriptedServer) throws {
      folder = try TemporaryFolder()
      let sendmail = try folder.install(
        "sendmail", "#!/bin/sh\nn=$(mktemp '\(folder.path)/notice.XXXXXX')\n{ printf '%s|' \"$@\"; echo; cat; } >\"$n\"\n")
      try folder.write("marks/.keep", "")
      site = try ExampleSite([:], ["notify": "postmaster@example.org\n\(folder.path)/marks\n\(sendmail)\n"], to: server)
      let program = try site.install("notify", as: "notify.program")
      for name in ["ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE"] { site.remote.environment[name] = program }
    }

    func deliver() throws -> Character {
      let finished = try site.remote.run()
      #expect(finished.ending == .exited(0))
      return SpawnVerdict(output: finished.output, ending: finished.ending).letter
    }

    func notices() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix("notice.") }.map {
        String(decoding: try folder.read($0), as: UTF8.self)
      }
    }

    func marks() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/marks").filter { $0 != ".keep" }
    }

    /// As if a day had gone by.
    func age() throws {
      for mark in try marks() {
        let day = Date(timeIntervalSinceNow: -90_000)
        try FileManager.default.setAttributes([.modificationDate: day], ofItemAtPath: "\(folder.path)/marks/\(mark)")
      }
    }
  }

  @Test func `bounced mail`() throws {
    let server = try ScriptedServer(SMTPScript(replies: [.message: "554-no\r\n554 \u{1b}never\r\n"]))
    let site = try Site(to: server)
    #expect(try site.deliver() == "D")
    server.finish()
    #expect(
      try site.notices() == [
        """
        -f||--|postmaster@example.org|
        From: <MAILER-DAEMON@example.org>
        To: <postmaster@example.org>
        Subject: Mail was bounced
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: 8bit

        Host: example.com
        Sender: sender@example.net
        Address: 127.0.0.1
        Code: 554

            554-no
            554 ?never

        """
      ])
  }

  @Test func `deferred mail, once a day until the host takes some`() throws {
    let busy = Shared(true)
    let server = try ScriptedServer { peer in
      try SMTPScript(replies: busy.value ? [.greeting: "421 busy\r\n"] : [:]).serve(peer)
    }
    let site = try Site(to: server)
    #expect(try [site.deliver(), site.deliver()] == ["Z", "Z"])
    #expect(try site.notices().count == 1 && site.notices()[0].contains("\nSubject: A host defers mail\n"))
    try site.age()
    #expect(try site.deliver() == "Z" && site.notices().count == 2)
    busy.change { $0 = false }
    #expect(try site.deliver() == "K" && site.notices().count == 2 && site.marks().isEmpty)
    busy.change { $0 = true }
    #expect(try site.deliver() == "Z" && site.notices().count == 3)
    server.finish()
  }

  @Test func `a bounce makes no notice`() throws {
    let server = try ScriptedServer(SMTPScript(replies: [.message: "554 no\r\n"]))
    var site = try Site(to: server)
    site.site.remote.sender = ""
    #expect(try site.deliver() == "D" && site.notices().isEmpty)
    server.finish()
  }

  @Test func `what others have written makes no headers`() throws {
    let server = try ScriptedServer(
      SMTPScript(replies: [.message: "554-x\r\n554-Subject: forged\r\n554 $(exit 1)`exit 1`\r\n"]))
    var site = try Site(to: server)
    site.site.remote.host = "a b\tforged;$(touch /none)"
    #expect(try site.deliver() == "D")
    server.finish()
    let notice = try #require(site.notices().first)
    let lines = notice.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.filter { $0.hasPrefix("Subject:") } == ["Subject: Mail was bounced"])
    #expect(lines.contains("Host: a b?forged;$(touch /none)") && lines.contains("    554-Subject: forged"), "\(notice)")
    #expect(lines.contains("    554 $(exit 1)`exit 1`"))
  }

  /// Whatever is missing, the mail is what it was.
  @Test func `no notice without settings, and no harm`() throws {
    let server = try ScriptedServer(SMTPScript())
    let site = try Site(to: server)
    for content in ["", "postmaster@example.org\n", "postmaster@example.org\n/none\n/none\n"] {
      try site.site.control.write("notify", content)
      #expect(try site.deliver() == "K")
    }
    try FileManager.default.removeItem(atPath: "\(site.site.control.path)/notify")
    #expect(try site.deliver() == "K" && site.notices().isEmpty)
    server.finish()
  }
}
