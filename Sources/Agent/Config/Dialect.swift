// The four families of qmail-remote, and how one delivery finds out which it stands in for (man page, DIALECTS).

/// How the operands are laid out.
public enum ArgumentConvention: Sendable, CaseIterable {
  /// `host sender recip…`
  case stock
  /// `host sender qqeh size recip…`
  case indimail

  /// Five operands and a fourth of digits only is indimail's form; recipients of digits only don't come from a spawner, which
  /// sends addresses with a host.
  package init(operands: [Bytes]) {
    self = operands.count >= 5 && isAllDigits(operands[3]) ? .indimail : .stock
  }

  /// Where the control files are, unless CONTROLDIR says otherwise.
  fileprivate var controlPath: Bytes { Bytes(self == .indimail ? "/etc/indimail/control" : "/var/qmail/control") }
}

/// Digits, and at least one.
func isAllDigits(_ bytes: some Collection<UInt8>) -> Bool { !bytes.isEmpty && bytes.allSatisfy(\.isDigit) }

/// Whatever the families define differently. A dialect never switches a feature off that costs nothing to have.
public enum Dialect: String, Sendable, CaseIterable {
  case stock, sqmail, indimail, skarnet

  /// A name that is none of the four is an error that says where it stands.
  init(name: some Collection<UInt8>, from place: String) throws(DeliveryFailure) {
    guard let dialect = Dialect(rawValue: name.text) else {
      throw .controlInvalid(place, "no dialect is called \(name.printable.text); there are stock, sqmail, indimail, skarnet")
    }
    self = dialect
  }

  /// Where the family's programs and its queue live.
  public var home: Bytes { Bytes(self == .indimail ? "/var/indimail" : "/var/qmail") }

  /// A path as a control file names it: what doesn't start with a slash starts from the family's home, where its programs run.
  package func path(_ named: some Collection<UInt8>) -> Bytes {
    named.first == UInt8(ascii: "/") ? Bytes(named) : home + Bytes("/") + Bytes(named)
  }

  /// Keys of skarnet's smtproutes are bare domains that cover their subdomains, and case counts.
  var routeKeys: RouteKeys { self == .skarnet ? .bareDomains : .dottedSuffixes }

  /// A time limit of 0 is no limit at skarnet's; elsewhere it would give up at once, which nobody can want.
  var zeroMeansUnlimited: Bool { self == .skarnet }

  /// s/qmail and indimail write a recipient's domain as its canonical name.
  var rewritesRecipients: Bool { self == .sqmail || self == .indimail }

  /// Servers that offer TLS get it, though no control file asks for it.
  var hasTLSByDefault: Bool { self == .stock || self == .sqmail }

  /// indimail takes some preferences for an offer of QMTP (MXPS).
  var knowsMXPS: Bool { self == .indimail }

  /// s/qmail uses SMTPUTF8 wherever a message needs it; the others only if the variable SMTPUTF8 is set.
  var hasSMTPUTF8ByDefault: Bool { self == .sqmail }

  /// An empty file is as good as none at skarnet's.
  var emptyMeansUnset: Bool { self == .skarnet }

  /// skarnet takes a number only if the whole file is one.
  var numbersMayTrail: Bool { self != .skarnet }
}

/// The choice of convention, directory and dialect, which must not go round in a circle: the convention chooses the directory, the
/// directory the dialect.
public struct DialectChoice {
  public let convention: ArgumentConvention
  public let dialect: Dialect
  public let control: ControlDirectory

  /// The variable that decides before anything else does.
  static let variable = "QMAILREMOTE_DIALECT"

  /// - Parameter open: opens the control directory at a path.
  /// - Throws: 4.3.5 for a dialect that doesn't exist, 4.3.0 for an unreadable control file.
  public init(
    operands: [Bytes], environment: Environment, open: (Bytes) -> ControlDirectory
  ) throws(DeliveryFailure) {
    var named: Dialect?
    if let value = environment.value(DialectChoice.variable), !value.isEmpty {
      named = try Dialect(name: value, from: "the variable \(DialectChoice.variable)")
    }
    convention =
      switch named {
      case nil: ArgumentConvention(operands: operands)
      case .indimail: .indimail
      case .stock, .sqmail, .skarnet: .stock
      }
    control = open(DialectChoice.path(environment, convention))
    if let named {
      dialect = named
    } else if let file = try control.file("dialect"), !file.firstLine.isEmpty {
      dialect = try Dialect(name: file.firstLine, from: file.place(line: 1))
    } else {
      dialect = DialectChoice.guess(convention, control)
    }
    control.indexes = TableIndexes(control: control.path, dialect: dialect, RunDirectory(dialect, environment))
  }

  /// For what comes after a choice that failed: as if nobody had named a dialect.
  init(without operands: [Bytes], environment: Environment, open: (Bytes) -> ControlDirectory) {
    convention = ArgumentConvention(operands: operands)
    control = open(DialectChoice.path(environment, convention))
    dialect = DialectChoice.guess(convention, control)
  }

  /// CONTROLDIR, else where the convention has it.
  package static func path(_ environment: Environment, _ convention: ArgumentConvention) -> Bytes {
    let path = environment.value("CONTROLDIR") ?? []
    return path.isEmpty ? convention.controlPath : path
  }

  private static func guess(_ convention: ArgumentConvention, _ control: ControlDirectory) -> Dialect {
    if convention == .indimail { return .indimail }
    if ["tlsdestinations", "authsenders", "domaincerts", "domainips"].contains(where: control.has) { return .sqmail }
    if ["trustanchors", "tlsstrictness", "clientcert", "clientkey"].contains(where: control.has) { return .skarnet }
    return .stock
  }
}
