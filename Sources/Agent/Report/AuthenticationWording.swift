// The texts of reports about authentication, as qmail-remote(8) of s/qmail and indimail list them. The letter is always Z: whether a
// password is wrong for good is for the administrator to say, and not for a server that can't reach its directory.

extension Wording {
  func unauthenticated(_ failure: AuthenticationFailure, _ address: IPAddress) -> Report {
    let start = "Connected to \(address.text) but"
    switch failure.cause {
    case .commandRefused(let reply): return deferral("\(start) authentication was rejected (AUTH \(failure.mechanism)).", reply)
    case .responseRefused(let reply, let name, let detail):
      return deferral("\(start) authentication was rejected (\(name)).", reply, detail)
    case .undecodable(let reply): return deferral("\(start) unable to base64decode challenge.", reply)
    case .noChallenge(let reply): return deferral("\(start) got no challenge.", reply)
    case .tooLong(let name):
      return deferral("\(start) unable to base64encode \(Wording.encoded(name)): it is too long for a line.", nil)
    case .fault(let words, let reply): return deferral("\(start) authentication failed: \(words).", reply)
    case .lacking(let lack, let requirement):
      return deferral("\(start) \(lack.words), and \(requirement) asks for authentication. (#4.7.0)", nil)
    }
  }

  /// The manuals call the same thing by two names.
  private static func encoded(_ name: String) -> String {
    switch name {
    case "username": "user"
    case "password": "pass"
    case "username+digest": name
    default: "(\(name))"
    }
  }

  private func deferral(_ words: String, _ reply: Reply?, _ detail: Bytes = []) -> Report {
    var text = Bytes("\(words)\n")
    if let reply { text += remote(reply.shown) }
    if !detail.isEmpty { text += Bytes("It added: ") + Reply(code: 400, text: detail).shown }
    return Report(.deferral, text)
  }
}

extension AuthenticationResult {
  /// For reports.
  var notice: String? {
    switch self {
    case .notWanted, .authenticated: nil
    case .without(let lack): lack.notice
    }
  }
}
