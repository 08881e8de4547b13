// libgsasl's sessions as exchanges. The only file that knows the library; it knows no mechanism but by name.
internal import Agent
internal import CGSASL

/// What a session of the library is told, besides the user.
enum GSASLProperty {
  case password(Secret)
  /// In hexadecimal digits.
  case saltedPassword(Secret)
  case service(Bytes)
  case host(Bytes)
  case realm(Bytes)
  case binding(ChannelBindingData)
}

/// A session of libgsasl. It owns the C side, and clears there what is secret.
@safe final class GSASLSession {
  private let handle: OpaquePointer
  /// The mechanism is through, the server's proof included.
  private(set) var isDone = false

  /// - Throws: 4.3.0 without the library, or when it has no such mechanism.
  init(_ mechanism: String, user: Bytes, _ properties: [GSASLProperty]) throws(DeliveryFailure) {
    var problem: UnsafePointer<CChar>?
    guard let handle = unsafe cgsasl_start(mechanism, &problem) else {
      throw .libraryMissing("\(unsafe GSASLSession.words(problem)) (\(mechanism))")
    }
    unsafe self.handle = handle
    try set(cgsasl_user, user)
    for property in properties { try set(property) }
  }

  deinit { unsafe cgsasl_finish(handle) }

  /// - Returns: what the server is to be told.
  func step(_ input: Bytes) throws(MechanismFault) -> Secret {
    var output: UnsafeMutablePointer<UInt8>?
    var count = 0
    var problem: UnsafePointer<CChar>?
    let result = unsafe input.withUnsafeBytes {
      unsafe cgsasl_step(handle, $0.baseAddress, $0.count, &output, &count, &problem)
    }
    defer { unsafe cgsasl_free(output, count) }
    isDone = result == cgsasl_done
    guard result != cgsasl_failed else { throw .failed(unsafe GSASLSession.words(problem)) }
    return unsafe Secret(UnsafeBufferPointer(start: output, count: count))
  }

  private func set(_ property: GSASLProperty) throws(DeliveryFailure) {
    switch property {
    case .password(let secret): try set(cgsasl_password, secret)
    case .saltedPassword(let secret):
      // The library reads small digits only.
      var digits = secret.bytes
      for index in digits.indices { digits[index] = digits[index].lowered }
      try set(cgsasl_salted_password, Secret(taking: &digits))
    case .service(let name): try set(cgsasl_service, name)
    case .host(let name): try set(cgsasl_host, name)
    case .realm(let name): try set(cgsasl_realm, name)
    case .binding(.tlsExporter(let bytes)): try set(cgsasl_tls_exporter, Base64.encode(bytes))
    case .binding(.tlsUnique(let bytes)): try set(cgsasl_tls_unique, Base64.encode(bytes))
    }
  }

  private func set(_ property: cgsasl_property, _ secret: Secret) throws(DeliveryFailure) {
    var bytes = secret.bytes
    defer { bytes.wipe() }
    try set(property, bytes)
  }

  private func set(_ property: cgsasl_property, _ bytes: Bytes) throws(DeliveryFailure) {
    // The library would take what stands before a null byte for all of it.
    guard !bytes.contains(0) else { throw .unusable("the credentials", "they hold a null byte") }
    let isSet = unsafe bytes.withUnsafeBytes { unsafe cgsasl_set(handle, property, $0.baseAddress, $0.count) }
    guard isSet != 0 else { throw .libraryMissing("libgsasl has no memory") }
  }

  @unsafe private static func words(_ text: UnsafePointer<CChar>?) -> String {
    unsafe text.map { unsafe String(cString: $0) } ?? "libgsasl"
  }
}

/// The hash functions of SCRAM that the library has.
enum ScramHash {
  case sha1, sha256

  var digest: Digest { self == .sha1 ? .sha1 : .sha256 }
  /// Of a key, in bytes.
  var size: Int { self == .sha1 ? 20 : 32 }
}

/// RFC 5802 section 3.
struct ScramKeys {
  let client: Secret
  let server: Secret
  let stored: Secret

  /// From a password, which is prepared as RFC 4013 has it, or from the hexadecimal digits of what a server's salt makes of it.
  init(_ hash: ScramHash, _ credentials: Credentials, _ server: ScramServerFirst) throws(MechanismFault) {
    var keys = cgsasl_keys()
    defer { unsafe withUnsafeMutableBytes(of: &keys) { bytes in for index in bytes.indices { unsafe bytes[index] = 0 } } }
    var secret = credentials.secret.bytes
    defer { secret.wipe() }
    var problem: UnsafePointer<CChar>?
    let number = hash == .sha1 ? cgsasl_sha1 : cgsasl_sha256
    let isMade: Int32
    if credentials.kind == .password {
      secret.append(0)
      isMade = unsafe secret.withUnsafeBytes { password in
        unsafe server.salt.withUnsafeBytes { salt in
          unsafe cgsasl_keys_from_password(
            number, password.bindMemory(to: CChar.self).baseAddress, UInt32(server.iterations), salt.baseAddress, salt.count,
            &keys, &problem)
        }
      }
    } else {
      var salted = Bytes(hexadecimal: secret) ?? []
      defer { salted.wipe() }
      guard salted.count == hash.size else { throw .failed("the salted password has another length") }
      isMade = unsafe salted.withUnsafeBytes { unsafe cgsasl_keys_from_salted(number, $0.baseAddress, &keys, &problem) }
    }
    guard isMade != 0 else { throw .failed(unsafe problem.map { unsafe String(cString: $0) } ?? "libgsasl") }
    let size = hash.size
    client = unsafe withUnsafeBytes(of: keys.client) { unsafe Secret($0.prefix(size)) }
    self.server = unsafe withUnsafeBytes(of: keys.server) { unsafe Secret($0.prefix(size)) }
    stored = unsafe withUnsafeBytes(of: keys.stored) { unsafe Secret($0.prefix(size)) }
  }
}

/// A mechanism that is the library's alone.
final class GSASLExchange: MechanismExchange {
  /// Who begins.
  enum Order {
    case client, server
  }

  private let session: GSASLSession
  private let order: Order

  init(_ session: GSASLSession, begins order: Order) {
    self.session = session
    self.order = order
  }

  func initialResponse() throws(MechanismFault) -> Secret? { order == .client ? try session.step([]) : nil }

  func response(to challenge: Bytes) throws(MechanismFault) -> Secret {
    // It has nothing more to say, and the server should know that.
    guard !session.isDone else { throw .failed("the server asks for more than there is") }
    return try session.step(challenge)
  }

  var isComplete: Bool { session.isDone }
}
