// The servers of the product: each started once, with a port for every certificate and offer that it can play.
import Foundation
import Support

/// Servers, and what came to them.
protocol ProductStage: Sendable {
  var certificates: [Shown] { get }
  var offers: [Offer] { get }

  /// Where a cell is delivered to.
  func port(of cell: ProductCell) -> UInt16?
  /// Calls `body` in the servers' network.
  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result
  /// Stops the servers.
  /// - Returns: what came, each with the subject and whatever tells whether it came by TLS.
  func finish() throws -> [ProductArrival]
}

struct ProductArrival: Sendable {
  let mark: String
  let isSecure: Bool

  /// - Parameter text: somewhere in it the message's subject.
  init?(_ text: String, isSecure: Bool) {
    guard let mark = text.range(of: "cell-[0-9]+;", options: .regularExpression) else { return nil }
    self.mark = String(text[mark])
    self.isSecure = isSecure
  }
}

extension ProductStage {
  var cells: [ProductCell] { ProductCell.all(certificates, offers) }
}

// MARK: openssl s_server

/// Everything there is: `openssl s_server` behind servers of the tests.
final class OpenSSLStage: ProductStage {
  let certificates = Shown.all
  let offers = Offer.allCases
  private let servers: [String: TLSServer]

  init() throws {
    let all = try TLSServers()
    var servers: [String: TLSServer] = [:]
    for (index, shown) in Shown.all.enumerated() {
      for offer in Offer.allCases where offer.shows(shown, index) {
        servers[OpenSSLStage.key(shown, offer)] = try all.start(try OpenSSLStage.behaviour(shown, offer))
      }
    }
    self.servers = servers
  }

  private static func key(_ shown: Shown, _ offer: Offer) -> String { "\(shown.certificate?.rawValue ?? "") \(offer)" }

  private static func behaviour(_ shown: Shown, _ offer: Offer) throws -> TLSBehaviour {
    let pki = try TestPKI.shared.get()
    var behaviour = TLSBehaviour()
    behaviour.engine = .openssl
    if let certificate = shown.certificate {
      behaviour.identities = [TLSBehaviour.Identity(pki[certificate])]
    } else {
      // TLS 1.3 has no such ciphers.
      behaviour.maximum = .tls12
      behaviour.ciphers = "aNULL:@SECLEVEL=0"
    }
    switch offer {
    case .nothing: behaviour.clearKeywords.removeAll { $0 == "STARTTLS" }
    case .startTLS, .greeting: break
    case .refused: behaviour.starttlsReply = "454 4.7.0 not now"
    case .broken: behaviour.handshake = .alert
    case .implicit: behaviour.implicit = true
    }
    return behaviour
  }

  func port(of cell: ProductCell) -> UInt16? { servers[OpenSSLStage.key(cell.shown, cell.offer)]?.port }

  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result { try body() }

  func finish() throws -> [ProductArrival] {
    try servers.values.flatMap { try $0.finish() }.flatMap(\.messages).compactMap {
      ProductArrival(String(decoding: $0.data, as: UTF8.self), isSecure: $0.isSecure)
    }
  }
}

// MARK: Postfix and Exim

/// What both have: the ports.
struct ProductPorts: Sendable {
  static let offers: [Offer] = [.nothing, .startTLS, .implicit, .greeting]
  static let clear: UInt16 = 3_999

  static func port(_ shown: Shown, _ offer: Offer) -> UInt16? {
    guard let index = Shown.usual.firstIndex(where: { $0.certificate == shown.certificate }) else { return nil }
    switch offer {
    case .nothing: return clear
    case .startTLS, .greeting: return 3_000 + UInt16(index)
    case .implicit: return 4_000 + UInt16(index)
    case .refused, .broken: return nil
    }
  }
}

final class PostfixStage: ProductStage {
  let certificates = Shown.usual
  let offers = ProductPorts.offers
  private let postfix: Postfix

  init() throws {
    let pki = try TestPKI.shared.get()
    var options = PostfixOptions(users: ["user"])
    options.tls = PostfixOptions.TLS(pki[.ec])
    options.lines = ["smtpd_sender_restrictions = check_sender_access static:HOLD"]
    options.listeners[ProductPorts.clear] = ["smtpd_tls_security_level=none"]
    for shown in certificates {
      guard let certificate = shown.certificate else { continue }
      let chain = "smtpd_tls_chain_files=\(pki[certificate].keyAndChain)"
      if let port = ProductPorts.port(shown, .startTLS) { options.listeners[port] = [chain] }
      if let port = ProductPorts.port(shown, .implicit) { options.listeners[port] = [chain, "smtpd_tls_wrappermode=yes"] }
    }
    postfix = try Postfix(options)
  }

  func port(of cell: ProductCell) -> UInt16? { ProductPorts.port(cell.shown, cell.offer) }

  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    try postfix.server.network.run(body)
  }

  func finish() throws -> [ProductArrival] {
    let kept = try postfix.held()
    try postfix.server.stop()
    return kept.compactMap {
      let text = String(decoding: $0, as: UTF8.self)
      return ProductArrival(text, isSecure: text.contains("(using TLSv1."))
    }
  }
}

final class EximStage: ProductStage {
  let certificates = Shown.usual
  let offers = ProductPorts.offers
  private let exim: Exim

  init() throws {
    let pki = try TestPKI.shared.get()
    var options = EximOptions(users: ["user"])
    var tls = EximOptions.TLS(pki[.ec])
    tls.clearPorts = [ProductPorts.clear]
    for shown in certificates {
      guard let certificate = shown.certificate else { continue }
      for offer in [Offer.startTLS, .implicit] {
        guard let port = ProductPorts.port(shown, offer) else { continue }
        tls.ports[port] = pki[certificate]
        if offer == .implicit { tls.implicitPorts.append(port) }
      }
    }
    options.tls = tls
    options.onlyQueues = true
    exim = try Exim(options)
  }

  func port(of cell: ProductCell) -> UInt16? { ProductPorts.port(cell.shown, cell.offer) }

  func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) throws -> Result {
    try exim.server.network.run(body)
  }

  func finish() throws -> [ProductArrival] {
    let kept = try exim.queued()
    try exim.server.stop()
    return kept.compactMap {
      let text = String(decoding: $0, as: UTF8.self)
      return ProductArrival(text, isSecure: text.contains("with esmtps "))
    }
  }
}
