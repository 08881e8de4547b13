// The settings of one delivery, read before the first packet. One file per topic beside this one; here they come together.

/// What the control files say, apart from routes.
public struct Config {
  private let control: ControlDirectory
  public let dialect: Dialect
  public let environment: Environment
  public let identity: Identity
  public let timeouts: Timeouts
  public let ownAddresses: OwnAddressRules
  public let lookups: LookupSettings
  let records: RecordRules
  /// SMTPUTF8 (RFC 6531) is used for mail that needs it.
  public let usesSMTPUTF8: Bool

  /// - Throws: 4.3.0 for a file that can't be read or a missing name, 4.3.5 for a line that can't be followed.
  public init(
    _ control: ControlDirectory, dialect: Dialect, environment: Environment = Environment()
  ) throws(DeliveryFailure) {
    self.control = control
    self.dialect = dialect
    self.environment = environment
    identity = try Identity(control, dialect)
    timeouts = try Timeouts(control, dialect: dialect)
    ownAddresses = try OwnAddressRules(control)
    lookups = try LookupSettings(control, dialect, environment)
    records = try RecordRules(control, dialect, environment)
    usesSMTPUTF8 = dialect.hasSMTPUTF8ByDefault || environment.value("SMTPUTF8") != nil
  }
}

extension Config {
  /// Our side of the connections of a delivery.
  /// - Throws: 4.3.0 for what should be an address and isn't.
  func localSide(_ question: RouteQuestion, _ route: Route?, seconds: Int64) throws(DeliveryFailure) -> LocalSideRules {
    try LocalSideRules(control, environment, identity, question, route, seconds: seconds)
  }

  /// What every TLS connection has in common; nothing is read where none will be.
  func tls(for candidates: [Candidate], sender: Address) throws(DeliveryFailure) -> TLSSettings {
    guard candidates.contains(where: { $0.tls.level != .none }) else { return TLSSettings() }
    return try TLSSettings(control, dialect, environment, sender: sender)
  }

  /// What exchangers are asked for, where no policy says otherwise.
  func services(_ route: Route?) -> ServiceRules {
    let mayChoose = route?.line.relay == nil && route?.line.port == nil && (route?.transport ?? .smtp) == .smtp
    return ServiceRules(
      usual: Service(route),
      preferencesCount: mayChoose && dialect.knowsMXPS && environment.value("DISABLE_MXPS") == nil)
  }

  /// Over which family a host is tried first.
  /// - Throws: 4.3.5 for a preference that doesn't exist.
  func family(for host: Domain) throws(DeliveryFailure) -> FamilyPreference {
    try FamilyPreference(for: host, control, dialect, environment)
  }
}

/// By what name we greet a server.
public struct Identity: Sendable {
  /// The operand of EHLO and HELO: control file `helohost`, else `me`.
  public let heloName: Bytes

  init(_ control: ControlDirectory, _ dialect: Dialect) throws(DeliveryFailure) {
    var file = try control.file("helohost")
    if file?.firstLine.isEmpty == true, dialect.emptyMeansUnset { file = nil }
    if file == nil { file = try control.file("me") }
    guard let file else {
      throw .noName
    }
    heloName = Bytes(file.firstLine)
    // A line end would be a command of its own; a carriage return is what an editor of another system leaves behind.
    // A server's refusal of no name, or of half of one, would bounce mail for our own mistake.
    guard Identity.isName(heloName) else {
      throw .controlInvalid(
        file.place(line: 1), heloName.isEmpty ? "no name" : "the name contains a blank or a control character")
    }
  }
}

extension Identity {
  /// Something to greet with: no blanks, no line ends.
  static func isName(_ name: some Collection<UInt8>) -> Bool {
    !name.isEmpty && !name.contains { $0 <= 32 || $0 == 127 }
  }
}

/// Limits of time.
public struct Timeouts: Equatable, Sendable {
  /// For a connection; nil for no limit. Control file `timeoutconnect`, seconds, 60 by default.
  public let connect: Duration?
  /// For one whole reply, and for each 64 kB of the message; nil for no limit. Control file `timeoutremote`, seconds, 1,200 by default.
  public let remote: Duration?
  /// For everything together: the queue tries again later, and a slot of its concurrency is not held for ever.
  public let delivery: Duration

  init(_ control: ControlDirectory, dialect: Dialect) throws(DeliveryFailure) {
    connect = try Timeouts.limit("timeoutconnect", default: 60, control, dialect)
    remote = try Timeouts.limit("timeoutremote", default: 1_200, control, dialect)
    delivery = .seconds(7_200)
  }

  private static func limit(
    _ name: String, default standard: Int, _ control: ControlDirectory, _ dialect: Dialect
  ) throws(DeliveryFailure) -> Duration? {
    guard let file = try control.file(name), let seconds = number(file.firstLine, dialect) else { return .seconds(standard) }
    guard seconds == 0 else { return .seconds(seconds) }
    return dialect.zeroMeansUnlimited ? nil : .seconds(standard)
  }

  /// Leading digits count (`60s` is 60); what has none is ignored, as qmail-control(5) has it.
  static func number(_ text: ArraySlice<UInt8>, _ dialect: Dialect) -> Int? {
    let digits = text.prefix(while: \.isDigit)
    guard dialect.numbersMayTrail || digits.count == text.count else { return nil }
    guard !digits.isEmpty else { return nil }
    // More digits than a number holds is "as long as possible".
    return min(digits.decimal ?? .max, Int(Int32.max))
  }
}
