// The program `credentials` as a source of them: the only one whose answer is a secret, and goes into no argument and no environment.
internal import Agent

/// Asks the program when a relay offers authentication, and once more when the relay refuses what it said.
struct ExecCredentialSource: CredentialSource {
  let runner: HookRunner
  let program: HookProgram
  let cache: TokenCache

  private static let keys = ["user", "secret", "token", "mechanism", "expires"].map { HookKey($0) }

  /// Whether it knows any turns out when it is asked.
  func identity(
    for question: RouteQuestion, route: Route, environment: Environment
  ) throws(DeliveryFailure) -> CredentialIdentity? {
    CredentialIdentity(user: nil, source: program.point.place)
  }

  func credentials(
    for request: CredentialRequest, environment: Environment
  ) throws(DeliveryFailure) -> Credentials? {
    // What an earlier delivery was told has to be fit for this one too.
    let limit = HookRunner.limit(environment)
    let key = TokenCache.Key(relay: request.relay, sender: request.envelope.sender.raw)
    let found = try cache.token(for: key, refused: request.refused?.credentials.secret, within: limit) {
      () throws(DeliveryFailure) in
      try ask(request, environment)
    }
    guard let found else { return nil }
    if let mechanism = found.credentials.mechanism, !request.mechanisms.contains(mechanism) {
      throw .hookFailed(program.point.place, "its answer names \(mechanism), which can't be used here")
    }
    // The same again would be refused again.
    if let refused = request.refused?.credentials, refused.user == found.credentials.user,
      refused.secret == found.credentials.secret
    {
      return nil
    }
    return found.credentials
  }

  private func ask(_ request: CredentialRequest, _ environment: Environment) throws(DeliveryFailure) -> Token? {
    var asked = HookQuestion(request.envelope)
    asked.add("relay", request.relay)
    if let user = request.user { asked.add("user", user) }
    asked.add("mechanisms", Bytes(request.mechanisms.joined(separator: " ")))
    asked.add("refresh", Bytes(request.refused == nil ? "0" : "1"))
    asked.add("error", request.refused.map { ExecCredentialSource.line($0.reply) } ?? [])
    guard var answer = try runner.ask(program, asked, environment, keys: ExecCredentialSource.keys) else { return nil }
    defer { answer.wipe() }
    do throws(HookFault) {
      return try Token(answer, user: request.user)
    } catch {
      throw .hookFailed(program.point.place, error.words)
    }
  }

  /// A reply in one line.
  private static func line(_ reply: Reply) -> Bytes {
    reply.shown.trimmedAtEnd.prefix(errorLimit).map { $0 < 32 || $0 == 127 ? UInt8(ascii: " ") : $0 }
  }

  private static let errorLimit = 1_000
}

extension CredentialRequest {
  /// As the route names it.
  var relay: Bytes { route.line.relay?.text ?? [] }
}

/// Credentials, and for how long they are good.
struct Token {
  let credentials: Credentials
  /// Seconds from when they were given; nil for this delivery only.
  let lifetime: Int?

  init(credentials: Credentials, lifetime: Int?) {
    self.credentials = credentials
    self.lifetime = lifetime
  }

  /// - Parameter user: whom the route names.
  init(_ answer: HookAnswer, user: Bytes?) throws(HookFault) {
    guard let user = answer.value("user") ?? user, !user.isEmpty else { throw HookFault("its answer has no user") }
    let kind: SecretKind = answer.value("token") == nil ? .password : .token
    guard var secret = answer.value("secret") ?? answer.value("token"), !secret.isEmpty else {
      throw HookFault("its answer has neither secret nor token")
    }
    defer { secret.wipe() }
    guard answer.value("secret") == nil || kind == .password else { throw HookFault("its answer has both secret and token") }
    credentials = Credentials(
      user: user, secret: Secret(secret), kind: kind, mechanism: answer.value("mechanism").map { $0.text.uppercased() })
    guard let expires = answer.value("expires") else {
      lifetime = nil
      return
    }
    guard let seconds = expires.decimal else { throw HookFault("its answer's expires is no number of seconds") }
    lifetime = min(seconds, Token.longestLifetime)
  }

  /// Nothing that is kept is kept for ever.
  private static let longestLifetime = 30 * 86_400
}
