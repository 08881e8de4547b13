// What a delivery does not use, it does not load: every library takes longer to load than a small message takes to go out.
import Foundation
import Support
import Testing

@Suite struct LoadingTests {
  /// All that are loaded on first use.
  static let libraries: Set<String> = ["libcares", "libcrypto", "libgsasl", "libidn2", "libssl"]

  /// Runs a delivery under strace(1).
  /// - Returns: the libraries among `libraries` that it loaded, and all other files that it opened.
  static func trace(_ remote: Remote) throws -> (finished: FinishedProcess, libraries: Set<String>, files: Set<String>) {
    let folder = try TemporaryFolder()
    let trace = "\(folder.path)/trace"
    var remote = remote
    remote.wrapper = ["/usr/bin/strace", "-f", "-qq", "-o", trace, "-e", "trace=open,openat"] + remote.wrapper
    try #require(FileManager.default.isExecutableFile(atPath: remote.wrapper[0]), "the package strace is missing")
    let finished = try remote.run()
    let opened = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").compactMap { line in
      line.contains(" = -1 ") ? nil : line.split(separator: "\"").dropFirst().first.map(String.init)
    }
    let names = opened.compactMap { $0.split(separator: "/").last?.split(separator: ".").first.map(String.init) }
    return (finished, libraries.intersection(names), Set(opened))
  }

  @Test func `a delivery to a relay by its address loads nothing`() throws {
    let server = try ScriptedServer(SMTPScript())
    let traced = try LoadingTests.trace(Remote(to: server))
    let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"
    expect(traced.finished, "r^@\(accepted)^@", verdict: accepted)
    #expect(traced.libraries == [])
    // The test looks at what is there: the control file was opened.
    #expect(traced.files.contains { $0.hasSuffix("smtproutes") })
    _ = server.finish()
  }

  @Test func `a name loads the DNS client, and nothing else`() throws {
    var remote = Remote(to: 25)
    remote.control["smtproutes"] = nil
    // Nobody listens there: the question fails at once.
    remote.environment["QMAILREMOTE_RESOLVER"] = "127.0.0.1:9"
    let traced = try LoadingTests.trace(remote)
    #expect(visible(traced.finished.output).hasPrefix("ZSorry, I couldn't find any host"))
    #expect(traced.libraries == ["libcares"])
  }
}
