// What a site allows of authentication: variables and control files, decided in the plan. Knows no mechanism but by its profile.

/// The rules of one delivery. They hold in every mode: for a mechanism that is named as for one that is chosen.
public struct AuthenticationRules: Equatable, Sendable {
  /// A mechanism that may be used.
  public struct Allowed: Equatable, Sendable {
    public enum Condition: Sendable {
      case none, overTLS
    }

    public let name: String
    public let condition: Condition
  }

  /// A mechanism, and the variable that turns it off.
  public struct Disabled: Equatable, Sendable {
    public let name: String
    public let variable: String
  }

  /// The one to be preferred first.
  public let allowed: [Allowed]
  /// AUTH_SMTP names the one.
  public let isNamed: Bool
  /// Those that variables turn off.
  public let disabled: [Disabled]
  /// Who says that the mail must not go without authentication; nil when it may.
  public let requiredBy: String?
  public let realm: Bytes?
  /// SALTED_PASSWORD: secrets are what SCRAM derives from a password.
  public let areSecretsSalted: Bool

  static let choiceVariable = "AUTH_SMTP"
  static let clearTextVariable = "SECURE_AUTH"
  static let saltVariable = "SALTED_PASSWORD"
  static let requirementVariable = "AUTH_REQUIRED"

  /// - Throws: 4.3.5 when AUTH_SMTP names no mechanism, 4.3.0 for a file that can't be read.
  init(
    _ profiles: [MechanismProfile], _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) {
    var candidates = profiles.filter { $0.choice == .automatic }
    let name = environment.value(AuthenticationRules.choiceVariable) ?? []
    isNamed = !name.isEmpty
    if isNamed {
      candidates = profiles.filter { $0.name.utf8.equalsIgnoringCase(name) }
      guard !candidates.isEmpty else {
        throw .controlInvalid(
          "the variable \(AuthenticationRules.choiceVariable)", "no mechanism is called \(name.prefix(40).printable.text)")
      }
    }
    let disabled = profiles.compactMap { profile in
      profile.disabledBy.flatMap { environment.value($0) == nil ? nil : Disabled(name: profile.name, variable: $0) }
    }
    self.disabled = disabled
    let hidesSecrets = environment.value(AuthenticationRules.clearTextVariable) != nil
    allowed = candidates.filter { profile in !disabled.contains { $0.name == profile.name } }.map { profile in
      Allowed(name: profile.name, condition: hidesSecrets && profile.exposure == .secret ? .overTLS : .none)
    }
    requiredBy = try AuthenticationRules.requirement(control, environment)
    let realm = try control.file("realm")?.firstLine ?? []
    self.realm = realm.isEmpty ? nil : Bytes(realm)
    areSecretsSalted = environment.value(AuthenticationRules.saltVariable) != nil
  }

  /// Set means yes, and `0` no: then an edit for one route can lift what the file says for all.
  static func requirement(
    _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) -> String? {
    if let value = environment.value(requirementVariable) {
      return value.elementsEqual("0".utf8) ? nil : "the variable \(requirementVariable)"
    }
    guard let file = try control.file("authrequired"), !file.firstLine.elementsEqual("0".utf8) else { return nil }
    return file.place
  }

  /// The mechanisms that may be used on a connection.
  func usable(_ mechanisms: [any Mechanism], on channel: AuthenticationChannel) -> [any Mechanism] {
    mechanisms.filter { mechanism in
      let profile = mechanism.profile
      guard let rule = allowed.first(where: { $0.name == profile.name }) else { return false }
      return channel.offered.contains(profile.name) && profile.fits(channel)
        && (rule.condition == .none || channel.isSecured)
    }
  }

  /// The credentials with the kind of their secret, as far as only the site can know it.
  /// - Throws: 4.3.5 for a secret that should be salted and isn't: tried as a password, it would be given away.
  func classified(_ credentials: Credentials) throws(DeliveryFailure) -> Credentials {
    guard areSecretsSalted, credentials.kind == .password else { return credentials }
    var digits = credentials.secret.bytes
    defer { digits.wipe() }
    let isHexadecimal = digits.allSatisfy { $0.isDigit || $0.lowered >= UInt8(ascii: "a") && $0.lowered <= UInt8(ascii: "f") }
    let kind: SecretKind? = isHexadecimal ? [40: .saltedSHA1, 64: .saltedSHA256][digits.count] : nil
    guard let kind else {
      throw .controlInvalid(
        "the variable \(AuthenticationRules.saltVariable)", "the secret is not one of 40 or 64 hexadecimal digits")
    }
    return Credentials(user: credentials.user, secret: credentials.secret, kind: kind, mechanism: credentials.mechanism)
  }
}
