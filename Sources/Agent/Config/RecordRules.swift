// Whether TLSA records count, and for which exchangers (D4): the variable DANE_VERIFICATION and control file tlsadomains of indimail.

/// The rules about TLSA records.
public struct RecordRules {
  /// The dialect has TLS without being asked for it, or DANE_VERIFICATION is set.
  let areOn: Bool
  /// A service that is asked for its opinion too.
  let service: RecordService?
  private let hosts: ControlFile?
  private let database: ConstantDatabase?

  private static let variable = "DANE_VERIFICATION"

  /// - Throws: 4.3.0 for a file that can't be read, 4.3.5 for a service whose address is none.
  init(_ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment) throws(DeliveryFailure) {
    let verification = environment.value(RecordRules.variable)
    areOn = dialect.hasTLSByDefault || verification != nil
    service = try verification.flatMap { value throws(DeliveryFailure) in try RecordService(value, environment) }
    let name = environment.fileName("TLSADOMAINS") ?? "tlsadomains"
    hosts = areOn ? try control.file(name) : nil
    database = areOn ? try control.database("\(name).cdb") : nil
  }

  /// Whether the records of an exchanger count: all do unless there is a list, in the file or in the database.
  /// - Throws: 4.3.0 when the database is damaged.
  func count(for exchanger: Bytes) throws(DeliveryFailure) -> Bool {
    guard areOn else { return false }
    guard hosts != nil || database != nil else { return true }
    var isListed = false
    hosts?.forEachLine { _, line in isListed = isListed || line.equalsIgnoringCase(exchanger) }
    if isListed { return true }
    return try database?.value(exchanger.map(\.lowered)) != nil
  }
}

/// qmail-daned(8): where it is, and how long it has.
public struct RecordService: Equatable, Sendable {
  public let address: IPAddress
  public let port: UInt16
  /// For one answer.
  public let limit: Duration
  /// `127.0.0.1@1998`, as the variable has it.
  public let text: Bytes

  private static let defaultPort: UInt16 = 1_998
  /// Seconds.
  private static let defaultLimit = 10

  /// - Parameter value: `host@port`, where `@` alone is this machine; nil without `@`.
  /// - Throws: 4.3.5 for what is no address or port.
  init?(_ value: Bytes, _ environment: Environment) throws(DeliveryFailure) {
    guard let at = value.lastIndex(of: UInt8(ascii: "@")) else { return nil }
    guard let address = RecordService.address(value[..<at]) else {
      throw .controlInvalid("the variable DANE_VERIFICATION", "\(value[..<at].printable.text) is no IP address")
    }
    let digits = value[(at + 1)...]
    guard let port = digits.isEmpty ? RecordService.defaultPort : digits.decimal.flatMap({ UInt16(exactly: $0) }), port > 0
    else {
      throw .controlInvalid("the variable DANE_VERIFICATION", "\(digits.printable.text) is no port")
    }
    self.address = address
    self.port = port
    text = value
    let seconds = environment.value("DANETIMEOUT")?.prefix(while: \.isDigit).decimal ?? 0
    limit = .seconds(seconds == 0 ? RecordService.defaultLimit : min(seconds, Int(Int32.max)))
  }

  private static func address(_ host: ArraySlice<UInt8>) -> IPAddress? {
    if host.isEmpty || host.elementsEqual("localhost".utf8) { return IPAddress(Bytes("127.0.0.1")) }
    if host.elementsEqual("0".utf8) { return IPAddress(Bytes("0.0.0.0")) }
    return Domain(Bytes(host)).literal ?? IPAddress(host)
  }
}
