// The server's side of mechanisms, as libgsasl has it.
import CGSASLServer
import Foundation

@testable import Agent

/// One run of a mechanism on the server.
final class GSASLServer {
  /// What the server knows.
  struct Knowledge {
    var password = "pencil"
    var realm: String?
    var binding: ChannelBindingData?
    var iterations = "4096"
    var salt = "QSXCR+Q6sek8bf92"
  }

  enum Answer: Equatable {
    /// There is more to say.
    case challenge(Bytes)
    /// 235, after a last challenge that may have no bytes.
    case accepted(Bytes)
    case refused(Int32)
  }

  private var context: OpaquePointer?
  private var session: OpaquePointer?
  private let password: UnsafeMutablePointer<CChar>?

  init(_ mechanism: String, _ knowledge: Knowledge = Knowledge()) {
    precondition(gsasl_init(&context) == 0)
    password = strdup(knowledge.password)
    gsasl_callback_set(context) { _, session, property in
      switch property {
      // Whoever has a certificate is welcome.
      case GSASL_VALIDATE_EXTERNAL: return 0
      case GSASL_VALIDATE_SIMPLE:
        guard let shown = gsasl_property_fast(session, GSASL_PASSWORD), let known = gsasl_session_hook_get(session),
          strcmp(shown, known.assumingMemoryBound(to: CChar.self)) == 0
        else { return Int32(GSASL_AUTHENTICATION_ERROR.rawValue) }
        return 0
      default: return Int32(GSASL_NO_CALLBACK.rawValue)
      }
    }
    precondition(gsasl_server_start(context, mechanism, &session) == 0)
    gsasl_session_hook_set(session, password)
    set(GSASL_PASSWORD, knowledge.password)
    set(GSASL_SERVICE, "smtp")
    set(GSASL_HOSTNAME, "mx.example")
    set(GSASL_SCRAM_ITER, knowledge.iterations)
    set(GSASL_SCRAM_SALT, knowledge.salt)
    if let realm = knowledge.realm { set(GSASL_REALM, realm) }
    switch knowledge.binding {
    case .tlsExporter(let bytes)?: set(GSASL_CB_TLS_EXPORTER, Base64.encode(bytes).text)
    case .tlsUnique(let bytes)?: set(GSASL_CB_TLS_UNIQUE, Base64.encode(bytes).text)
    case nil: break
    }
  }

  deinit {
    gsasl_finish(session)
    gsasl_done(context)
    free(password)
  }

  private func set(_ property: Gsasl_property, _ value: String) { gsasl_property_set(session, property, value) }

  /// Who the client says it is.
  var user: String? { gsasl_property_fast(session, GSASL_AUTHID).map { String(cString: $0) } }

  func step(_ input: Bytes) -> Answer {
    var output: UnsafeMutablePointer<CChar>?
    var count = 0
    let status = (input + [0]).withUnsafeBytes {
      gsasl_step(session, $0.bindMemory(to: CChar.self).baseAddress, input.count, &output, &count)
    }
    guard status == 0 || status == Int32(GSASL_NEEDS_MORE.rawValue) else { return .refused(status) }
    let bytes = Bytes(UnsafeRawBufferPointer(start: output, count: count))
    gsasl_free(output)
    return status == 0 ? .accepted(bytes) : .challenge(bytes)
  }
}

/// What came of a client and a server.
struct ExchangeRun {
  /// Both sides, in order, decoded.
  var said: [Bytes] = []
  /// The server's yes, and whether the client may believe it.
  var isAccepted = false
  var isComplete = false
  var fault: MechanismFault?
  var refusal: Int32?

  /// Runs an exchange as SMTP does: what the server has to say at its end comes as a challenge before the 235.
  init(_ exchange: any MechanismExchange, _ server: GSASLServer) {
    do throws(MechanismFault) {
      var message: Bytes
      if let initial = try exchange.initialResponse() {
        message = initial.bytes
        said.append(message)
      } else {
        message = []
      }
      for _ in 0..<10 {
        switch server.step(message) {
        case .challenge(let challenge):
          message = try answer(challenge, exchange)
        case .accepted(let last):
          if !last.isEmpty { _ = try answer(last, exchange) }
          isAccepted = true
          isComplete = exchange.isComplete
          return
        case .refused(let status):
          refusal = status
          return
        }
      }
    } catch {
      fault = error
    }
  }

  private mutating func answer(_ challenge: Bytes, _ exchange: any MechanismExchange) throws(MechanismFault) -> Bytes {
    let response = try exchange.response(to: challenge).bytes
    said += [challenge, response]
    return response
  }
}
