// Credentials that a program has given with an expiry, kept for the deliveries after this one. However many deliveries want the same at
// once, one of them asks the program, and the others wait for what it gets.
internal import Agent
internal import CSystem

/// The folder of tokens: one file for each relay and sender, which is its own lock.
struct TokenCache {
  /// What a token is for.
  struct Key: Equatable {
    let relay: Bytes
    let sender: Bytes

    /// FNV-1a: the file says for itself what it is for, so that two keys of one name only take turns.
    var fileName: String {
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in relay + [0] + sender { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      return String(hash, radix: 16)
    }
  }

  let folder: Bytes
  let clock: any MonotonicClock
  /// Seconds since 1970, at the start of the delivery, and when that was.
  let wallSeconds: Int64
  let start: Instant

  init(folder: Bytes, _ circumstances: Circumstances) {
    self.folder = folder
    clock = circumstances.clock
    wallSeconds = circumstances.wallSeconds
    start = circumstances.clock.now()
  }

  /// What is kept for a key, or else what `ask` gives.
  /// - Parameters:
  ///   - refused: a secret that is no good any more.
  ///   - limit: how long another delivery may take to ask.
  func token(
    for key: Key, refused: Secret?, within limit: Duration, _ ask: () throws(DeliveryFailure) -> Token?
  ) throws(DeliveryFailure) -> Token? {
    // Without a place for them there is nothing to keep; the program is asked each time.
    guard let file = TokenFile(folder, key.fileName) else { return try ask() }
    // Another delivery asks before it answers, and so does the one before that.
    let deadline = Deadline(limit + .seconds(5), after: clock.now())
    for kind in [TokenFile.Lock.shared, .exclusive] {
      // A file that was removed while we waited: its deliveries each ask for themselves.
      guard try lock(file, kind, deadline), !file.isRemoved else { return try ask() }
      // Whoever had the lock before us has asked for all of us.
      if let kept = usable(file, key, refused) { return kept }
    }
    return try keep(ask, key, file)
  }

  private func keep(
    _ ask: () throws(DeliveryFailure) -> Token?, _ key: Key, _ file: TokenFile
  ) throws(DeliveryFailure) -> Token? {
    let asked: Token?
    do throws(DeliveryFailure) {
      asked = try ask()
    } catch {
      file.remove()
      throw error
    }
    guard let asked, let lifetime = asked.lifetime, lifetime > 0 else {
      file.remove()
      return asked
    }
    let record = TokenRecord(key: key, credentials: asked.credentials, expires: now + Int64(lifetime))
    file.write(record.text, expires: record.expires)
    file.removeOthers(before: now - TokenCache.grace)
    return asked
  }

  /// How long files stay whose token has expired: whoever still works with one would only have to ask again.
  private static let grace: Int64 = 86_400

  /// - Returns: false when there are no locks here.
  /// - Throws: 4.3.0 when somebody holds it for too long.
  private func lock(_ file: TokenFile, _ kind: TokenFile.Lock, _ deadline: Deadline) throws(DeliveryFailure) -> Bool {
    while true {
      switch file.lock(kind) {
      case .held: return true
      case .unavailable: return false
      case .busy:
        guard !deadline.hasPassed(at: clock.now()) else {
          throw .hookFailed(HookPoint.credentials.place, "another delivery has been asking it for too long")
        }
        TokenFile.pause()
      }
    }
  }

  private func usable(_ file: TokenFile, _ key: Key, _ refused: Secret?) -> Token? {
    var text = file.read()
    defer { text.wipe() }
    guard let record = TokenRecord(text), record.key == key, record.expires > now + TokenCache.margin,
      record.credentials.secret != refused
    else { return nil }
    return Token(credentials: record.credentials, lifetime: nil)
  }

  /// It has to last until the server has looked at it.
  private static let margin: Int64 = 10

  private var now: Int64 { wallSeconds + start.duration(to: clock.now()).components.seconds }
}

/// What a file of the folder says.
struct TokenRecord {
  let key: TokenCache.Key
  let credentials: Credentials
  /// Seconds since 1970.
  let expires: Int64

  init(key: TokenCache.Key, credentials: Credentials, expires: Int64) {
    self.key = key
    self.credentials = credentials
    self.expires = expires
  }

  private static let keys = ["relay", "sender", "user", "secret", "token", "mechanism", "expires", "end"].map { HookKey($0) }

  /// To be wiped. The last line shows that it is whole.
  var text: Bytes {
    var text = Bytes()
    text.reserveCapacity(key.relay.count + key.sender.count + credentials.user.count + credentials.secret.count + 200)
    for (name, value) in [("relay", key.relay), ("sender", key.sender), ("user", credentials.user)] {
      text += "\(name)="
      text += value
      text += "\n"
    }
    text += credentials.kind == .token ? "token=" : "secret="
    credentials.secret.append(to: &text)
    if let mechanism = credentials.mechanism { text += "\nmechanism=\(mechanism)" }
    text += "\nexpires=\(expires)\nend=\n"
    return text
  }

  /// nil for anything else, half a record included.
  init?(_ text: Bytes) {
    var answer: HookAnswer
    do throws(HookFault) {
      answer = try HookAnswer(text, TokenRecord.keys)
    } catch {
      return nil
    }
    defer { answer.wipe() }
    guard text.last == UInt8(ascii: "\n"), answer.lines.last?.key == "end", let relay = answer.value("relay"),
      let sender = answer.value("sender"), let user = answer.value("user"), let expires = answer.value("expires")?.decimal,
      var secret = answer.value("token") ?? answer.value("secret"), !secret.isEmpty
    else { return nil }
    defer { secret.wipe() }
    key = TokenCache.Key(relay: relay, sender: sender)
    self.expires = Int64(expires)
    credentials = Credentials(
      user: user, secret: Secret(secret), kind: answer.value("token") == nil ? .password : .token,
      mechanism: answer.value("mechanism")?.text)
  }
}
