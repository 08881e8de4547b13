// What is spoken where: a protocol and its port, and which of them an exchanger is asked for. Pure.

/// How and where mail is handed over.
struct Service: Equatable {
  let transport: Route.Transport
  let port: UInt16

  /// - Parameter port: nil for the usual one.
  init(_ transport: Route.Transport, port: UInt16? = nil) {
    self.transport = transport
    self.port = port ?? transport.port
  }

  init(_ route: Route?) { self.init(route?.transport ?? .smtp, port: route?.line.port) }

  /// The same, but for what a policy's port says: 6209 is QMTPS whatever was asked for (qmail-remote(8) of s/qmail).
  func revised(by policy: TLSPolicy) -> Service {
    guard let port = policy.port else { return self }
    return Service(port == Route.Transport.qmtp.implicitPort ? .qmtp : transport, port: port)
  }
}

extension Route.Transport {
  /// Where it is served, unless a route says otherwise.
  var port: UInt16 {
    switch self {
    case .smtp: 25
    case .qmtp: 209
    }
  }

  /// Where it is served under TLS from the first byte: RFC 8314 section 3.3, and s/qmail's QMTPS.
  var implicitPort: UInt16 {
    switch self {
    case .smtp: TLSPolicy.implicitPort
    case .qmtp: TLSPolicy.implicitQMTPPort
    }
  }
}

/// What exchangers are asked for.
struct ServiceRules {
  /// By the route, or SMTP.
  var usual = Service(.smtp)
  /// Preferences mean something by themselves.
  var preferencesCount = false

  /// The candidate that goes before one: an exchanger with a preference of 12801, 12817 and so on up to 13041 says by it that it takes QMTP too
  /// (MXPS). Not where mail must go under TLS, which QMTP has no way to begin, and not where a policy says what is spoken at which port.
  func overQMTP(_ candidate: Candidate) -> Candidate? {
    guard preferencesCount, (12_801...13_041).contains(candidate.preference), candidate.preference % 16 == 1,
      !candidate.tls.isMandatory, candidate.tls.port == nil
    else { return nil }
    return Candidate(
      exchanger: candidate.exchanger, preference: candidate.preference, address: candidate.address,
      port: Route.Transport.qmtp.port, transport: .qmtp, local: candidate.local, tls: .overPlainQMTP)
  }
}

extension CandidateOrder {
  /// - Throws: 4.3.5 when TLS is demanded of a candidate that QMTP is to be spoken with, and not from the first byte.
  func checkTransport(_ route: Route?) throws(DeliveryFailure) {
    let lacking = candidates.first { $0.transport == .qmtp && $0.tls.isMandatory && $0.tls.start != .implicit }
    guard let lacking else { return }
    throw .controlInvalid(
      route?.source ?? "QMTP", "QMTP has TLS from the first byte only, and \(lacking.tls.source) asks for TLS otherwise")
  }
}

extension TLSPolicy {
  /// Where there is no way to begin it.
  static let overPlainQMTP = TLSPolicy(.none, source: "QMTP has no STARTTLS")
}
