// The one parser of all route grammars: what stands after the first colon of a line of smtproutes, whichever family wrote it (man
// page, ROUTES). Only the line that wins is parsed, and strictly: a route that can't be followed defers the mail and is named.

/// Where a route's user and password are.
public enum CredentialReference: Equatable, Sendable {
  /// In the line itself, after a `|`: always used.
  case pipe(user: Bytes, password: Secret)
  /// In the line itself, after a blank: used if AUTH_SMTP is set.
  case space(user: Bytes, password: Secret)
  /// `/s`: under the sender's address in remote_auth.cdb.
  case sender
  /// `/r`: under the first recipient's.
  case recipient
  /// `/token`: under that word.
  case token(Bytes)

  /// s/qmail's form needs no AUTH_SMTP.
  var isAlwaysUsed: Bool {
    guard case .pipe = self else { return false }
    return true
  }
}

/// A parsed route.
public struct RouteLine: Equatable, Sendable {
  /// Where to connect to; nil means the mail exchangers of the host.
  public internal(set) var relay: Domain?
  /// nil means the protocol's own.
  public internal(set) var port: UInt16?
  /// `;s`, port 465, and 6209 for QMTP: TLS from the first byte.
  public internal(set) var implicitTLS = false
  /// indimail's third and fourth field, seconds; nil means the default.
  public internal(set) var penalty: Int?
  public internal(set) var maxTolerance: Int?
  public internal(set) var credentials: CredentialReference?
  /// indimail's envstr, unparsed: edits of the environment.
  public internal(set) var environmentEdits: Bytes = []
  /// The address to connect from.
  public internal(set) var localAddress: IPAddress?
  /// What was read with indulgence.
  public internal(set) var warnings: [String] = []

  /// Nothing is said: the line only stops the search.
  public var isEmpty: Bool { self == RouteLine() }

  private init() {}

  /// - Parameters:
  ///   - value: what follows the key's colon.
  ///   - transport: what the file is about.
  ///   - place: where the line stands, for errors.
  /// - Throws: 4.3.5 when the line can't be followed.
  public init(
    _ value: some Collection<UInt8>, dialect: Dialect, transport: Route.Transport = .smtp, place: String
  ) throws(DeliveryFailure) {
    let value = Bytes(value)
    do {
      let headEnd = value.firstIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "|") } ?? value.endIndex
      try parseHead(value[..<headEnd], dialect)
      settlePort(transport)
      guard headEnd < value.endIndex else { return }
      let rest = value[(headEnd + 1)...]
      if value[headEnd] == UInt8(ascii: "|") { try parsePipeFields(rest) } else { try parseSpaceFields(rest) }
    } catch {
      throw .controlInvalid(place, error.words)
    }
  }

  private struct Fault: Error {
    let words: String
    init(_ words: String) { self.words = words }
  }
}

// MARK: relay, port and back-off

extension RouteLine {
  private mutating func parseHead(_ head: ArraySlice<UInt8>, _ dialect: Dialect) throws(Fault) {
    if head.first == UInt8(ascii: "[") {
      guard let bracket = head.firstIndex(of: UInt8(ascii: "]")) else { throw Fault("a bracket is not closed") }
      let relay = Domain(Bytes(head[...bracket]))
      guard relay.literal != nil else { throw Fault("no IP address in the brackets") }
      self.relay = relay
      return try parseAfterBracket(head[(bracket + 1)...])
    }
    if let semicolon = head.firstIndex(of: UInt8(ascii: ";")) {
      try setRelay(head[..<semicolon])
      return try parsePort(head[(semicolon + 1)...], mayBeImplicit: true)
    }
    let tokens = head.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard tokens.count > 2 else {
      try setRelay(tokens.first ?? [])
      if tokens.count == 2 { try parsePort(tokens[1], mayBeImplicit: false) }
      return
    }
    // `cafe::3600` is an IPv6 address to everyone but indimail, where it is a relay with a penalty.
    let indimailShape = tokens.count <= 4 && !tokens[0].isEmpty && tokens.dropFirst().allSatisfy { $0.allSatisfy(\.isDigit) }
    if IPAddress(v6: head) != nil, !(dialect == .indimail && indimailShape) {
      warnings.append("an IPv6 address without brackets")
      try setRelay(head)
      return
    }
    try setRelay(tokens[0])
    try parseBackOffFields(tokens.dropFirst())
  }

  private mutating func setRelay(_ text: ArraySlice<UInt8>) throws(Fault) {
    guard !text.isEmpty else { return }
    // A carriage return, say, from an editor of another system: no host has such a name, and looking it up would bounce the mail.
    guard !text.contains(where: { $0 < 32 || $0 == 127 }) else { throw Fault("a control character stands in the relay") }
    // A bare IPv6 address has no dialect of its own in DNS: it is kept in brackets, as everywhere else.
    relay = Domain(IPAddress(v6: text) == nil ? Bytes(text) : Bytes("[") + text + Bytes("]"))
  }

  private mutating func parseAfterBracket(_ rest: ArraySlice<UInt8>) throws(Fault) {
    switch rest.first {
    case nil: return
    case UInt8(ascii: ";"): try parsePort(rest.dropFirst(), mayBeImplicit: true)
    case UInt8(ascii: ":"):
      try parseBackOffFields(rest.dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)[...])
    default: throw Fault("something stands between the bracket and the port")
    }
  }

  private mutating func parseBackOffFields(_ fields: ArraySlice<ArraySlice<UInt8>>) throws(Fault) {
    let fields = Array(fields)
    guard fields.count <= 3 else { throw Fault("more than port, penalty and max_tolerance") }
    if fields.count > 0 { try parsePort(fields[0], mayBeImplicit: false) }
    if fields.count > 1 { penalty = try RouteLine.seconds(fields[1], "penalty") }
    if fields.count > 2 { maxTolerance = try RouteLine.seconds(fields[2], "max_tolerance") }
  }

  private static func seconds(_ text: ArraySlice<UInt8>, _ name: String) throws(Fault) -> Int? {
    guard !text.isEmpty else { return nil }
    guard isAllDigits(text) else { throw Fault("the \(name) is not a number of seconds") }
    return text.decimal ?? Int(Int32.max)
  }

  /// Empty means the default.
  private mutating func parsePort(_ text: ArraySlice<UInt8>, mayBeImplicit: Bool) throws(Fault) {
    var digits = text
    if mayBeImplicit, digits.first == UInt8(ascii: "s") {
      implicitTLS = true
      digits = digits.dropFirst()
    }
    guard !digits.isEmpty else { return }
    let leading = digits.prefix(while: \.isDigit)
    guard let number = leading.decimal, number > 0, let port = UInt16(exactly: number) else {
      throw Fault("\(digits.printable.text) is no port")
    }
    // The stock program reads the leading digits and nothing after them.
    if leading.count < digits.count { warnings.append("\(digits.printable.text) is read as port \(port)") }
    self.port = port
  }

  /// The port that means TLS from the first byte, and what has it without a port.
  private mutating func settlePort(_ transport: Route.Transport) {
    if implicitTLS, port == nil { port = transport.implicitPort }
    if port == transport.implicitPort { implicitTLS = true }
  }
}

// MARK: credentials and local address

extension RouteLine {
  /// `user|password`, `|localip`, `user|password|localip`: a password may contain `|` unless what follows its last one is an address.
  private mutating func parsePipeFields(_ text: ArraySlice<UInt8>) throws(Fault) {
    let fields = text.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
    let user = fields.first ?? []
    if user.isEmpty {
      guard fields.count <= 2 else { throw Fault("a password without a user") }
      return try setLocalAddress(fields.count == 2 ? fields[1] : [])
    }
    guard fields.count >= 2 else { throw Fault("a user without a password") }
    var password = text[(user.endIndex + 1)...]
    if fields.count > 2, let last = fields.last, last.isEmpty || IPAddress(last) != nil {
      try setLocalAddress(last)
      password = password[..<(last.startIndex - 1)]
    }
    guard !password.isEmpty else { throw Fault("a user without a password") }
    credentials = .pipe(user: Bytes(user), password: Secret(password))
  }

  private mutating func setLocalAddress(_ text: ArraySlice<UInt8>) throws(Fault) {
    guard !text.isEmpty else { return }
    // Not shown: in a line that is wrong, a password may stand here.
    guard let address = IPAddress(text) else { throw Fault("where the address to connect from should be is no IP address") }
    if !address.isUnspecified { localAddress = address }
  }

  /// `user password [envstr]`, or `/s`, `/r`, `/token` with `[envstr]`.
  private mutating func parseSpaceFields(_ text: ArraySlice<UInt8>) throws(Fault) {
    let blank = UInt8(ascii: " ")
    let first = text.prefix { $0 != blank }
    if first.first == UInt8(ascii: "/") {
      credentials =
        switch first.dropFirst().text {
        case "s": .sender
        case "r": .recipient
        case "": throw Fault("no word after the slash")
        default: .token(Bytes(first.dropFirst()))
        }
      environmentEdits = Bytes(text.dropFirst(first.count).drop { $0 == blank })
      return
    }
    guard !first.isEmpty else { throw Fault("a blank where the user should be") }
    let rest = text.dropFirst(first.count + 1)
    let password = rest.prefix { $0 != blank }
    guard !password.isEmpty else { throw Fault("a user without a password") }
    credentials = .space(user: Bytes(first), password: Secret(password))
    environmentEdits = Bytes(rest.dropFirst(password.count).drop { $0 == blank })
  }
}
