// The folder of tokens: what is kept, for whom and for how long, and how often the program is asked by many at once.
import Foundation
import Support
import Synchronization
import Testing

@testable import Agent
@testable import Hooks

private let key = TokenCache.Key(relay: bytes("relay.example"), sender: bytes("s@x"))

private func token(_ secret: String, lifetime: Int? = 3_600, kind: SecretKind = .token, mechanism: String? = nil) -> Token {
  Token(
    credentials: Credentials(user: bytes("user"), secret: Secret(bytes(secret)), kind: kind, mechanism: mechanism),
    lifetime: lifetime)
}

@Suite struct TokenCacheTests {
  let folder: TemporaryFolder
  var path: String { "\(folder.path)/tokens" }

  init() throws { folder = try TemporaryFolder() }

  private func cache(at seconds: Int64 = 1_700_000_000, clock: any MonotonicClock = SystemClock()) -> TokenCache {
    TokenCache(folder: bytes(path), Circumstances(clock: clock, wallSeconds: seconds, seed: 1, processID: 1))
  }

  /// The secret that a delivery gets, and whether the program was asked.
  private func ask(
    _ cache: TokenCache, _ answer: Token?, for key: TokenCache.Key = key, refused: String? = nil
  ) throws -> (secret: String?, wasAsked: Bool) {
    var wasAsked = false
    let found = try cache.token(for: key, refused: refused.map { Secret(bytes($0)) }, within: .seconds(30)) {
      () throws(DeliveryFailure) in
      wasAsked = true
      return answer
    }
    return (found?.credentials.secret.bytes.text, wasAsked)
  }

  private func expect(
    _ got: (secret: String?, wasAsked: Bool), _ secret: String?, asked: Bool, at location: SourceLocation = #_sourceLocation
  ) {
    #expect(got.secret == secret && got.wasAsked == asked, sourceLocation: location)
  }

  private var files: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  @Test func `kept until shortly before it expires`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    expect(try ask(cache(at: 1_700_003_589), token("second")), "first", asked: false)
    expect(try ask(cache(at: 1_700_003_590), token("second")), "second", asked: true)
    #expect(files.count == 1)
  }

  @Test func `nobody else may read it`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    func mode(_ path: String) throws -> Int {
      try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
    #expect(try mode(path) == 0o700 && mode("\(path)/\(files[0])") == 0o600)
    // Once somebody could, it isn't believed any more, and nothing is kept.
    #expect(chmod(path, 0o750) == 0)
    expect(try ask(cache(), token("second")), "second", asked: true)
    #expect(chmod(path, 0o700) == 0 && chmod("\(path)/\(files[0])", 0o640) == 0)
    expect(try ask(cache(), token("third")), "third", asked: true)
    #expect(chmod("\(path)/\(files[0])", 0o600) == 0)
    expect(try ask(cache(), token("fourth")), "first", asked: false)
  }

  @Test func `each relay and each sender for itself`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    for (relay, sender) in [("relay.example", "t@x"), ("relay2.example", "s@x"), ("relay.example", "")] {
      let other = TokenCache.Key(relay: bytes(relay), sender: bytes(sender))
      expect(try ask(cache(), token("\(relay) \(sender)"), for: other), "\(relay) \(sender)", asked: true)
      expect(try ask(cache(), nil, for: other), "\(relay) \(sender)", asked: false)
    }
    expect(try ask(cache(), nil), "first", asked: false)
  }

  @Test func `what somebody else's file says is not for us`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    let other = TokenCache.Key(relay: bytes("relay.example"), sender: bytes("t@x"))
    try FileManager.default.moveItem(atPath: "\(path)/\(key.fileName)", toPath: "\(path)/\(other.fileName)")
    expect(try ask(cache(), token("second"), for: other), "second", asked: true)
  }

  @Test("all that was answered comes back", arguments: [SecretKind.token, .password], [nil, "XOAUTH2"])
  func record(_ kind: SecretKind, _ mechanism: String?) throws {
    _ = try ask(cache(), token("a=b \u{e4}", kind: kind, mechanism: mechanism))
    let found = try cache().token(for: key, refused: nil, within: .seconds(1)) { () throws(DeliveryFailure) in nil }
    let credentials = try #require(found?.credentials)
    #expect(credentials.user == bytes("user") && credentials.secret == Secret(bytes("a=b \u{e4}")))
    #expect(credentials.kind == kind && credentials.mechanism == mechanism)
  }

  @Test("without an expiry nothing is kept, and nothing stays", arguments: [nil, 0])
  func notKept(_ lifetime: Int?) throws {
    expect(try ask(cache(), token("first", lifetime: lifetime)), "first", asked: true)
    expect(try ask(cache(), nil), nil, asked: true)
    #expect(files.isEmpty)
  }

  @Test func `a program that fails leaves nothing behind`() throws {
    #expect(throws: DeliveryFailure.self) {
      _ = try cache().token(for: key, refused: nil, within: .seconds(1)) { () throws(DeliveryFailure) in
        throw .hookFailed("hooks/credentials", "x")
      }
    }
    #expect(files.isEmpty)
  }

  @Test("half a record, and anything else, is none", arguments: 0..<12)
  func damaged(_ number: Int) throws {
    _ = try ask(cache(), token("first"))
    let file = "\(path)/\(key.fileName)"
    let whole = try #require(FileManager.default.contents(atPath: file))
    let text = String(decoding: whole, as: UTF8.self)
    let contents = [
      "", "x", "\n", String(text.dropLast()), String(text.dropLast(5)), String(text.prefix(text.count / 2)), text + "more=1\n",
      text.replacingOccurrences(of: "user=", with: "usr="), text.replacingOccurrences(of: "token=first", with: "token="),
      text.replacingOccurrences(of: "expires=", with: "expires=x"), text + text, String(repeating: "a", count: 200_000),
    ]
    try #require(FileManager.default.createFile(atPath: file, contents: nil))
    let handle = try FileHandle(forWritingTo: URL(filePath: file))
    try handle.write(contentsOf: Data(contents[number].utf8))
    try handle.close()
    #expect(chmod(file, 0o600) == 0)
    expect(try ask(cache(), token("second")), "second", asked: true)
    expect(try ask(cache(), nil), "second", asked: false)
  }

  @Test func `a link in the place of folder or file is none`() throws {
    let elsewhere = try TemporaryFolder(mode: 0o700)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: elsewhere.path)
    expect(try ask(cache(), token("first")), "first", asked: true)
    try FileManager.default.removeItem(atPath: path)
    _ = try ask(cache(), token("first"))
    try FileManager.default.moveItem(atPath: "\(path)/\(key.fileName)", toPath: "\(elsewhere.path)/file")
    try FileManager.default.createSymbolicLink(
      atPath: "\(path)/\(key.fileName)", withDestinationPath: "\(elsewhere.path)/file")
    expect(try ask(cache(), token("second")), "second", asked: true)
    expect(try ask(cache(), token("third")), "third", asked: true)
  }

  @Test func `no folder and no room for one`() throws {
    let cache = TokenCache(
      folder: bytes("\(folder.path)/none/tokens"),
      Circumstances(clock: SystemClock(), wallSeconds: 0, seed: 1, processID: 1))
    expect(try ask(cache, token("first")), "first", asked: true)
    expect(try ask(cache, token("second")), "second", asked: true)
  }

  // MARK: refused tokens

  @Test func `a refused token is asked for again, once`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    expect(try ask(cache(), token("second"), refused: "first"), "second", asked: true)
    // Somebody who still had the old one finds the new one.
    expect(try ask(cache(), token("third"), refused: "first"), "second", asked: false)
  }

  @Test func `refused, and nothing better: nobody gets it any more`() throws {
    expect(try ask(cache(), token("first")), "first", asked: true)
    expect(try ask(cache(), nil, refused: "first"), nil, asked: true)
    #expect(files.isEmpty)
  }

  // MARK: many at once

  /// Threads are as good as processes here: each opens the file for itself, and that is whom the kernel locks for.
  private func crowd(_ count: Int, refused: String?, _ answer: @escaping @Sendable (Int) -> Token?) -> (Int, [String?]) {
    let asked = Atomic(0)
    let secrets = Mutex<[String?]>([])
    DispatchQueue.concurrentPerform(iterations: count) { _ in
      let found = try? cache().token(for: key, refused: refused.map { Secret(bytes($0)) }, within: .seconds(30)) {
        () throws(DeliveryFailure) in
        answer(asked.add(1, ordering: .relaxed).newValue)
      }
      secrets.withLock { $0.append(found?.credentials.secret.bytes.text) }
    }
    return (asked.load(ordering: .relaxed), secrets.withLock { $0 })
  }

  @Test func `200 at once that find nothing ask once`() {
    let (asked, secrets) = crowd(200, refused: nil) { token("token \($0)") }
    #expect(asked == 1 && secrets == Array(repeating: "token 1", count: 200))
  }

  @Test func `200 at once whose token was refused ask once`() throws {
    _ = try ask(cache(), token("old"))
    let (asked, secrets) = crowd(200, refused: "old") { token("token \($0)") }
    #expect(asked == 1 && secrets == Array(repeating: "token 1", count: 200))
  }

  @Test func `answers that aren't kept don't queue behind one another`() {
    let (asked, secrets) = crowd(50, refused: nil) { token("token \($0)", lifetime: nil) }
    #expect(asked == 50 && Set(secrets).count == 50)
    #expect(files.isEmpty)
  }

  @Test func `whoever holds the lock for ever keeps nobody for ever`() throws {
    _ = try ask(cache(), token("first"))
    let descriptor = open("\(path)/\(key.fileName)", O_RDWR | O_CLOEXEC)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX) == 0)
    let clock = LeapingClock()
    #expect {
      try cache(clock: clock).token(for: key, refused: nil, within: .seconds(30)) { () throws(DeliveryFailure) in nil }
    } throws: {
      ($0 as? DeliveryFailure)?.status.description == "4.3.0"
    }
  }

  /// Every look at it is ten seconds later.
  private final class LeapingClock: MonotonicClock {
    private var seconds: Int64 = 0

    func now() -> Instant {
      seconds += 10
      return Instant(nanoseconds: seconds * 1_000_000_000)
    }
  }

  @Test func `what expired yesterday is removed by and by`() throws {
    _ = try ask(cache(), token("first"))
    let other = TokenCache.Key(relay: bytes("relay.example"), sender: bytes("t@x"))
    _ = try ask(cache(at: 1_700_003_600 + 86_400), token("second"), for: other)
    #expect(files.count == 2)
    let third = TokenCache.Key(relay: bytes("relay.example"), sender: bytes("u@x"))
    _ = try ask(cache(at: 1_700_003_600 + 86_401), token("second"), for: third)
    #expect(files == [other.fileName, third.fileName].sorted())
  }
}

@Suite struct TokenAnswerTests {
  /// The token in words, or the fault.
  private func read(_ answer: String, user: String? = nil) -> String {
    do throws(HookFault) {
      let keys = ["user", "secret", "token", "mechanism", "expires"].map { HookKey($0) }
      let token = try Token(try HookAnswer(bytes(answer), keys), user: user.map(bytes))
      let credentials = token.credentials
      return [
        credentials.user.text, credentials.secret.bytes.text, credentials.kind.rawValue, credentials.mechanism ?? "any",
        token.lifetime.map(String.init) ?? "once",
      ].joined(separator: " ")
    } catch {
      return error.words
    }
  }

  @Test(
    "answers",
    arguments: [
      ("user=u\nsecret=p\n", "u p password any once"), ("user=u\ntoken=t\nexpires=60\n", "u t token any 60"),
      ("user=u\ntoken=t\nmechanism=xoauth2", "u t token XOAUTH2 once"), ("secret=p", "its answer has no user"),
      ("user=\nsecret=p", "its answer has no user"), ("user=u", "its answer has neither secret nor token"),
      ("user=u\nsecret=", "its answer has neither secret nor token"),
      ("user=u\nsecret=p\ntoken=t", "its answer has both secret and token"),
      ("user=u\ntoken=t\nexpires=soon", "its answer's expires is no number of seconds"),
      ("user=u\ntoken=t\nexpires=-1", "its answer's expires is no number of seconds"),
      ("user=u\ntoken=t\nexpires=9999999999", "u t token any 2592000"),
      ("user=u\nuser=v\nsecret=p", "has the key user more than once"), ("password=p", "has the unknown key password"),
    ])
  func answers(_ answer: String, _ expected: String) { #expect(read(answer) == expected) }

  @Test func `the route's user is good enough`() {
    #expect(
      read("secret=p", user: "w") == "w p password any once" && read("user=u\nsecret=p", user: "w") == "u p password any once")
  }
}
