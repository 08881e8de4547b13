// What the manual pages say becomes of a delivery, from what is demanded, what the server is, and what it offers. It knows nothing of the
// program under test: the program has to agree with it, not the other way round.
import Support

/// What a site's files demand of a server, in the words of qmail-remote(8).
struct Demand: Sendable {
  enum Need: Sendable {
    /// STARTTLS is never sent.
    case never
    /// Refused or failed, the mail goes in clear, and the report says so.
    case optional
    /// Not in clear.
    case required
    /// The line can't be followed: the message is deferred before anybody is connected to.
    case impossible
  }

  enum Check: Sendable {
    case nothing, chain
    /// Chain, and the name to the letter.
    case name
    /// Chain, and the name or a wildcard for it.
    case wildcardName
    case fingerprintOfServer, fingerprintOfAnother
  }

  enum Authorities: Sendable {
    case none, ours, strangers
    /// Those of the machine, who know none of the test's.
    case system
  }

  var need: Need
  var check = Check.nothing
  var authorities = Authorities.none
  /// Intermediate certificates.
  var depth = Int.max
  /// A server without a certificate will do.
  var anonymous = false
  /// TLS from the first byte, whatever the route says.
  var implicit = false
  /// STARTTLS, whatever the route says.
  var explicit = false
  /// In clear only by a second connection, after every server was asked for TLS; the report then says so.
  var asksAll = false

  static let never = Demand(need: .never)
  static let optional = Demand(need: .optional)
  static let required = Demand(need: .required)
  static let impossible = Demand(need: .impossible)
  static func chain(_ authorities: Authorities, depth: Int = .max) -> Demand {
    Demand(need: .required, check: .chain, authorities: authorities, depth: depth)
  }
  static func name(_ authorities: Authorities, depth: Int = .max) -> Demand {
    Demand(need: .required, check: .name, authorities: authorities, depth: depth)
  }
  static func wildcardName(_ authorities: Authorities) -> Demand {
    Demand(need: .required, check: .wildcardName, authorities: authorities)
  }
  static func pin(_ check: Check) -> Demand { Demand(need: .required, check: check) }

  func with(_ change: (inout Demand) -> Void) -> Demand {
    var copy = self
    change(&copy)
    return copy
  }
}

/// What a server shows.
struct Shown: Sendable {
  enum Names: Sendable {
    case exact, wildcard, others
  }

  /// nil: no certificate at all.
  var certificate: TestPKI.Name?
  /// Whose root it leads to, by what is valid now and may be a server's; `none` for nobody's.
  var leads = Demand.Authorities.ours
  var intermediates = 1
  /// What it is for, where the server is called mx.example.com.
  var names = Names.exact

  static let anonymous = Shown(certificate: nil)

  /// Those that every server shows, in every way.
  static let usual: [Shown] = [
    Shown(certificate: .rsa), Shown(certificate: .ec), Shown(certificate: .expired, leads: .none),
    Shown(certificate: .wrongName, names: .others), Shown(certificate: .wildcard, names: .wildcard),
    // Without a common name.
    Shown(certificate: .sanOnly), Shown(certificate: .nullName, names: .others),
    Shown(certificate: .selfSigned, leads: .none, intermediates: 0),
  ]

  static let all =
    usual + [
      Shown(certificate: .byRoot, intermediates: 0), Shown(certificate: .nullCN, names: .others),
      Shown(certificate: .cnOnly),
      // RFC 6125 section 6.4.4: where there are DNS names, the common name doesn't count.
      Shown(certificate: .cnOverruled, names: .others), Shown(certificate: .nameless, names: .others),
      Shown(certificate: .untrusted, leads: .strangers, intermediates: 0), .anonymous,
    ]

  var isUsual: Bool { Shown.usual.contains { $0.certificate == certificate } }
}

/// How a server meets the client.
enum Offer: String, Sendable, CaseIterable {
  case nothing, startTLS
  /// STARTTLS is offered, and answered by 454.
  case refused
  /// STARTTLS is taken, and the handshake by an alert.
  case broken
  /// TLS from the first byte, which the route asks for.
  case implicit
  /// The route asks for TLS from the first byte, and the server greets in clear.
  case greeting

  var isByRoute: Bool { self == .implicit || self == .greeting }
}

/// What becomes of a delivery.
enum Expectation: Hashable, Sendable {
  enum Proof: Hashable, Sendable {
    case nothing, chain, name, wildcardName, fingerprint
  }

  enum Trouble: Hashable, Sendable {
    case notOffered, refused, handshake, chain, name, fingerprint, impossible
  }

  case secure(Proof)
  /// The report says why if the server wanted TLS and it came to nothing.
  case clear(toldWhy: Bool)
  case deferred(Trouble)

  init(_ demand: Demand, _ shown: Shown, _ offer: Offer) {
    guard demand.need != .impossible else {
      self = .deferred(.impossible)
      return
    }
    if demand.implicit || offer.isByRoute && !demand.explicit {
      // Never in clear then, whatever else is said.
      let works = offer == .implicit && Expectation.agreed(demand, shown)
      self = works ? Expectation.checked(demand, shown) : .deferred(.handshake)
      return
    }
    guard demand.need != .never else {
      self = .clear(toldWhy: false)
      return
    }
    let isRequired = demand.need == .required
    switch offer {
    case .nothing: self = isRequired ? .deferred(.notOffered) : .clear(toldWhy: demand.asksAll)
    case .refused: self = isRequired ? .deferred(.refused) : .clear(toldWhy: true)
    case .startTLS, .greeting:
      let works = Expectation.agreed(demand, shown)
      self = works ? Expectation.checked(demand, shown) : isRequired ? .deferred(.handshake) : .clear(toldWhy: true)
    case .broken, .implicit: self = isRequired ? .deferred(.handshake) : .clear(toldWhy: true)
    }
  }

  /// Without a certificate there are only ciphers that have to be asked for.
  private static func agreed(_ demand: Demand, _ shown: Shown) -> Bool { shown.certificate != nil || demand.anonymous }

  private static func checked(_ demand: Demand, _ shown: Shown) -> Expectation {
    let leads = chainLeads(demand, shown)
    switch demand.check {
    // An authority that isn't demanded is only told of.
    case .nothing: return .secure(leads ? .chain : .nothing)
    case .chain: return leads ? .secure(.chain) : .deferred(.chain)
    case .name, .wildcardName:
      guard leads else { return .deferred(.chain) }
      switch shown.names {
      case .exact: return .secure(.name)
      case .wildcard: return demand.check == .wildcardName ? .secure(.wildcardName) : .deferred(.name)
      case .others: return .deferred(.name)
      }
    case .fingerprintOfServer: return .secure(.fingerprint)
    case .fingerprintOfAnother: return .deferred(.fingerprint)
    }
  }

  private static func chainLeads(_ demand: Demand, _ shown: Shown) -> Bool {
    demand.authorities != .none && shown.certificate != nil && shown.leads == demand.authorities
      && shown.intermediates <= demand.depth
  }
}
