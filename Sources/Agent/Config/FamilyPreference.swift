// Which of IPv6 and IPv4 a destination is tried over first, or at all.

/// A preference, and who has it.
public struct FamilyPreference: Equatable, Sendable {
  public enum Order: String, Sendable, CaseIterable {
    case v6First = "6"
    case v4First = "4"
    case v6Only = "6only"
    case v4Only = "4only"

    func allows(_ address: IPAddress) -> Bool {
      switch self {
      case .v6First, .v4First: true
      case .v6Only: address.isV6
      case .v4Only: !address.isV6
      }
    }

    /// IPv6 stands first where IPv4 isn't asked for: that is what the world is moving to (RFC 6724, RFC 8305 section 4).
    var startsWithV6: Bool { self == .v6First || self == .v6Only }
  }

  public let order: Order
  /// The variable or `control/ipprefer:3`; nil for the default.
  public let source: String?

  /// The variable that decides before the control file does.
  static let variable = "IPPREFER"
  private static let fileName = "ipprefer"

  /// The preference for a host: lines `domain:6`, `4`, `6only` or `4only`, with the keys of smtproutes.
  /// - Throws: 4.3.5 for any other value.
  init(for host: Domain, _ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment) throws(DeliveryFailure) {
    if let value = environment.value(FamilyPreference.variable), !value.isEmpty {
      let source = "the variable \(FamilyPreference.variable)"
      self.init(order: try FamilyPreference.order(value[...], source), source: source)
      return
    }
    guard let entry = try control.table(FamilyPreference.fileName, keys: dialect.routeKeys)?.entry(for: host.text) else {
      self.init(order: .v6First, source: nil)
      return
    }
    self.init(order: try FamilyPreference.order(entry.value, entry.place), source: entry.place)
  }

  init(order: Order, source: String? = nil) {
    self.order = order
    self.source = source
  }

  private static func order(_ value: ArraySlice<UInt8>, _ source: String) throws(DeliveryFailure) -> Order {
    guard let order = Order(rawValue: value.text) else {
      throw .controlInvalid(source, "\(value.printable.text) is none of 6, 4, 6only and 4only")
    }
    return order
  }
}
