// What answers of the program `tls` mean: a table, without a process.
import Testing

@testable import Agent
@testable import Hooks

@Suite struct TLSPolicyReviserTests {
  private static let keys =
    ["level", "cafile", "cadir", "ciphers", "depth", "fingerprint", "port", "implicit", "tlsa", "override"].map { HookKey($0) }
    + [HookKey("name", .anyNumber)]

  /// The revision in words, or the fault.
  private func revision(_ answer: String) -> String {
    do throws(HookFault) {
      let revision = try TLSRevision(
        try HookAnswer(bytes(answer), Self.keys), place: "hooks/tls", dialect: .sqmail)
      let policy = revision.policy
      var words = [policy.level.rawValue]
      switch policy.anchors {
      case .system: words.append("system")
      case .file(let path): words.append("file \(path.text)")
      case .directory(let path): words.append("folder \(path.text)")
      case nil: break
      }
      words += policy.names.map { "for \($0.text)" }
      if let pin = policy.pin { words.append("pin \(pin.count)") }
      if let ciphers = policy.ciphers { words.append("ciphers \(ciphers.text)") }
      if let depth = policy.depth { words.append("depth \(depth)") }
      if let port = policy.port { words.append("port \(port)") }
      if let start = revision.start { words.append(start.rawValue) }
      if let records = revision.records { words.append("records \(records)") }
      if revision.force == .overrides { words.append("by force") }
      #expect(policy.source == "hooks/tls")
      return words.joined(separator: ", ")
    } catch {
      return "fault: \(error.words)"
    }
  }

  private static let sha1 = String(repeating: "0a", count: 20)

  @Test(
    "answers",
    arguments: [
      ("level=none", "none"), ("level=may", "may"), ("level=encrypt\n", "encrypt"), ("level=dane", "dane, records always"),
      ("level=verify", "verify, system"), ("level=name", "name, system"),
      ("level=verify\ncafile=/ca.pem", "verify, file /ca.pem"), ("level=name\ncadir=ssl", "name, folder /var/qmail/ssl"),
      ("level=may\ncafile=/ca.pem", "may, file /ca.pem"),
      ("level=name\nname=a\nname=b", "name, system, for a, for b"),
      ("level=pin\nfingerprint=\(sha1)", "pin, pin 20"),
      ("level=pin\nfingerprint=\(String(repeating: "AB:", count: 31))AB", "pin, pin 32"),
      ("level=encrypt\nciphers=HIGH:!aNULL\ndepth=0", "encrypt, ciphers HIGH:!aNULL, depth 0"),
      ("level=encrypt\nciphers=", "encrypt"),
      ("level=encrypt\nport=587\nimplicit=0", "encrypt, port 587, startTLS"), ("level=may\nimplicit=1", "may, implicit"),
      ("level=may\ntlsa=use", "may, records always"), ("level=may\ntlsa=skip\noverride=1", "may, records skip, by force"),
      ("level=none\noverride=1", "none, by force"), ("level=none\noverride=0", "none"),
    ])
  func answers(_ answer: String, _ expected: String) { #expect(revision(answer) == expected) }

  @Test(
    "what is no answer",
    arguments: [
      ("tlsa=use", "its answer has no level"), ("level=", "its answer has the level "),
      ("level=secure", "its answer has the level secure"), ("level=May", "its answer has the level May"),
      ("level=may\nlevel=may", "has the key level more than once"), ("level=may\nhost=x", "has the unknown key host"),
      ("level=verify\ncafile=/a\ncadir=/b", "its answer has cafile and cadir"),
      ("level=verify\ncafile=", "its answer has authorities without a path"),
      ("level=verify\ncadir=", "its answer has authorities without a path"),
      ("level=name\nname=", "its answer has an empty name"),
      ("level=pin", "its answer has no fingerprint"), ("level=pin\nfingerprint=", "its answer has a fingerprint that is none"),
      ("level=pin\nfingerprint=xyz", "its answer has a fingerprint that is none"),
      ("level=pin\nfingerprint=\(String(repeating: "0", count: 41))", "its answer has a fingerprint that is none"),
      ("level=pin\nfingerprint=\(String(repeating: "0", count: 96))", "its answer has a fingerprint that is none"),
      ("level=name\nfingerprint=\(sha1)", "its answer has a fingerprint at level name"),
      ("level=may\nport=0", "its answer has port=0"), ("level=may\nport=65536", "its answer has port=65536"),
      ("level=may\nport=", "its answer has port="), ("level=may\ndepth=-1", "its answer has depth=-1"),
      ("level=may\ndepth=101", "its answer has depth=101"), ("level=may\nimplicit=yes", "its answer has implicit=yes"),
      ("level=may\noverride=true", "its answer has override=true"), ("level=may\ntlsa=no", "its answer has tlsa=no"),
      ("level=dane\ntlsa=skip", "its answer has level dane without TLSA"),
    ])
  func faults(_ answer: String, _ expected: String) { #expect(revision(answer) == "fault: \(expected)") }
}
