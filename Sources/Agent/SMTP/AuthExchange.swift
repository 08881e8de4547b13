// One authentication as a machine (RFC 4954): the command, challenges and responses, the end. Takes replies, returns what to do; touches no
// socket, and leaves to the mechanism what the bytes mean.

/// Why an authentication came to nothing.
public struct AuthenticationFailure: Error, Equatable, Sendable {
  public enum Cause: Equatable, Sendable {
    /// The server refused the command, before it had got anything else.
    case commandRefused(Reply)
    /// It refused a response, which has this name; detail: what it told besides.
    case responseRefused(Reply, name: String, detail: Bytes)
    /// A challenge was none.
    case undecodable(Reply)
    /// Nothing in it could be answered.
    case noChallenge(Reply)
    /// In words that go on from "authentication failed:".
    case fault(String, Reply?)
    /// A response doesn't fit into a line.
    case tooLong(name: String)
    /// It can't be tried, and somebody insists.
    case lacking(AuthenticationLack, requiredBy: String)
  }

  /// In capitals; empty where there was none.
  public let mechanism: String
  public let cause: Cause

  public init(_ mechanism: String, _ cause: Cause) {
    self.mechanism = mechanism
    self.cause = cause
  }

  /// What the server said last; nil when it is our own word.
  public var reply: Reply? {
    switch cause {
    case .commandRefused(let reply), .responseRefused(let reply, _, _), .undecodable(let reply), .noChallenge(let reply): reply
    case .fault(_, let reply): reply
    case .tooLong, .lacking: nil
    }
  }

  /// The server knows the credentials now, and has said that they are wrong.
  var refusesCredentials: Reply? {
    guard case .responseRefused(let reply, _, _) = cause, reply.code == AuthExchange.invalidCredentials else { return nil }
    return reply
  }
}

/// The machine.
struct AuthExchange {
  enum Action {
    case send(Command)
    case authenticated
    case failed(AuthenticationFailure)
  }

  private enum State {
    case begun
    /// The command is out, without the response that could have gone with it.
    case command(unsent: Secret?)
    /// So many responses are out.
    case response(Int)
    /// We have given up, and the server has to say that it knows.
    case cancelling(AuthenticationFailure)
    case over
  }

  private let mechanism: MechanismProfile
  private let exchange: any MechanismExchange
  private var state = State.begun
  /// The first response is in the command.
  private var wentWithCommand = false
  /// What nobody must repeat: what has gone out, and what it was made from.
  private(set) var secrets: [Secret]

  /// RFC 5321 section 4.5.3.1.4, CRLF included.
  private static let commandLimit = 512
  /// RFC 4954 section 4, likewise.
  private static let lineLimit = 12_288
  /// No mechanism has more; a server that never has enough must not keep us.
  private static let roundLimit = 8
  /// RFC 4954 section 6.
  fileprivate static let invalidCredentials = 535
  /// What a server says of a command that it doesn't understand, know or allow. With an initial response, other codes are about that.
  private static let commandCodes = [500, 501, 502, 503, 504, 530, 538]

  /// - Parameter secret: the one that the exchange was made with.
  init(_ mechanism: MechanismProfile, _ exchange: any MechanismExchange, _ secret: Secret) {
    self.mechanism = mechanism
    self.exchange = exchange
    secrets = [secret]
  }

  mutating func begin() -> Action {
    do throws(MechanismFault) {
      guard let response = try exchange.initialResponse() else { return sendCommand(unsent: nil) }
      let text = Base64.encode(response)
      let command = Command.auth(mechanism.name, base64: text)
      guard mechanism.name.utf8.count + text.count + 8 <= AuthExchange.commandLimit else {
        return sendCommand(unsent: response)
      }
      return sendResponse(command, text, number: 1)
    } catch {
      state = .over
      return .failed(failure(.fault(error.words, nil)))
    }
  }

  /// - Parameter shown: the reply without our secrets, for failures.
  mutating func received(_ reply: Reply, shown: Reply) -> Action {
    switch (state, reply.code) {
    // The server had nothing to say yet; what it says all the same is no challenge to a mechanism in which we speak first.
    case (.command(let unsent?), 334): return respond(unsent, number: 1)
    case (.command(nil), 334): return answer(reply, shown, number: 1)
    case (.response(let count), 334): return answer(reply, shown, number: count + 1)
    case (.command, 235), (.response, 235):
      // A server that says yes before it has proved itself is not the one we know, or has lost the thread.
      guard exchange.isComplete else { return fail(.fault("the server accepts without having proved itself", shown)) }
      state = .over
      return .authenticated
    case (.command, _): return fail(.commandRefused(shown))
    case (.response(1), let code) where wentWithCommand && AuthExchange.commandCodes.contains(code):
      return fail(.commandRefused(shown))
    case (.response(let count), _):
      return fail(.responseRefused(shown, name: name(of: count), detail: exchange.refusalDetail.redacted(secrets)))
    case (.cancelling(let failure), _):
      state = .over
      return .failed(failure)
    case (.begun, _), (.over, _): return fail(.fault("a reply that nothing was asked for", shown))
    }
  }

  private mutating func sendCommand(unsent: Secret?) -> Action {
    state = .command(unsent: unsent)
    return .send(.auth(mechanism.name))
  }

  private mutating func sendResponse(_ command: Command, _ text: Secret, number: Int) -> Action {
    if case .begun = state { wentWithCommand = true }
    state = .response(number)
    secrets.append(text)
    return .send(command)
  }

  private mutating func answer(_ reply: Reply, _ shown: Reply, number: Int) -> Action {
    guard number <= AuthExchange.roundLimit else { return cancel(.fault("the server asks without end", shown)) }
    guard let challenge = AuthExchange.challenge(reply) else { return cancel(.undecodable(shown)) }
    do throws(MechanismFault) {
      return respond(try exchange.response(to: challenge), number: number)
    } catch {
      return cancel(error == .noChallenge ? .noChallenge(shown) : .fault(error.words, shown))
    }
  }

  private mutating func respond(_ response: Secret, number: Int) -> Action {
    let text = Base64.encode(response)
    guard text.count + 2 <= AuthExchange.lineLimit else { return cancel(.tooLong(name: name(of: number))) }
    return sendResponse(.response(base64: text), text, number: number)
  }

  /// One line of base64; blanks at its end are none of it.
  private static func challenge(_ reply: Reply) -> Bytes? {
    guard reply.lines.count <= 1 else { return nil }
    let text = (reply.lines.first ?? []).trimmedAtEnd
    return text.count + 6 <= lineLimit ? Base64.decode(text) : nil
  }

  private mutating func cancel(_ cause: AuthenticationFailure.Cause) -> Action {
    state = .cancelling(failure(cause))
    return .send(.cancel)
  }

  private mutating func fail(_ cause: AuthenticationFailure.Cause) -> Action {
    state = .over
    return .failed(failure(cause))
  }

  private func failure(_ cause: AuthenticationFailure.Cause) -> AuthenticationFailure {
    AuthenticationFailure(mechanism.name, cause)
  }

  private func name(of response: Int) -> String {
    let names = mechanism.responseNames
    return response <= names.count ? names[response - 1] : names.last ?? mechanism.name
  }
}

extension MechanismFault {
  var words: String {
    switch self {
    case .noChallenge: "there is nothing to answer in the challenge"
    case .failed(let words): words
    }
  }
}
