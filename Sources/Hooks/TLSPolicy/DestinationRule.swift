// What stands after the key of a line in tlsdestinations: `cafile|ciphers|verifydepth;[s]port|domain` (qmail-remote(8) of s/qmail), every
// part optional. Read strictly, for only the line that wins is read: one that can't be followed must not mean less than it says.
internal import Agent

/// The parsed value of a line.
struct DestinationRule {
  private(set) var anchors: TLSPolicy.Anchors?
  private(set) var pin: Bytes?
  private(set) var ciphers: Bytes?
  private(set) var depth: Int?
  private(set) var port: UInt16?
  private(set) var isImplicit = false

  struct Fault: Error {
    let words: String
    init(_ words: String) { self.words = words }
  }

  /// The domain of senders that a line is bound to; nil for all of them.
  static func senders(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let fields = fields(value)
    return fields.count > 3 && !fields[3].isEmpty ? fields[3] : nil
  }

  /// - Throws: in words that go on from "Unable to use control/tlsdestinations:3:".
  init(_ value: ArraySlice<UInt8>, _ dialect: Dialect) throws(Fault) {
    var fields = DestinationRule.fields(value)
    guard fields.count <= 4 else { throw Fault("more than four fields") }
    fields = Array(fields.prefix(3))
    // The port follows the last of the three that says something.
    if let last = fields.lastIndex(where: { !$0.isEmpty }), let semicolon = fields[last].lastIndex(of: UInt8(ascii: ";")) {
      try setPort(fields[last][(semicolon + 1)...])
      fields[last] = fields[last][..<semicolon]
    }
    let authority = fields[0]
    if authority.first == UInt8(ascii: "=") {
      pin = try DestinationRule.fingerprint(authority.dropFirst())
    } else if !authority.isEmpty {
      let path = dialect.path(authority)
      anchors = path.last == UInt8(ascii: "/") ? .directory(path) : .file(path)
    }
    if fields.count > 1, !fields[1].isEmpty { ciphers = Bytes(fields[1]) }
    if fields.count > 2, !fields[2].isEmpty { try setDepth(fields[2]) }
  }

  /// The man page's own example has ciphers where the depth should be, behind an empty field.
  private mutating func setDepth(_ text: ArraySlice<UInt8>) throws(Fault) {
    if ciphers == nil, let first = text.first, !first.isDigit {
      ciphers = Bytes(text)
      return
    }
    guard let depth = text.decimal, depth <= DestinationRule.depthLimit else {
      throw Fault("\(text.printable.text) is no depth")
    }
    self.depth = depth
  }

  private static func fields(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    value.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
  }

  /// OpenSSL's own; longer chains don't exist.
  private static let depthLimit = 100

  /// `port`, `s` for the usual port of implicit TLS, `sport`; nothing for the port of the route.
  private mutating func setPort(_ text: ArraySlice<UInt8>) throws(Fault) {
    isImplicit = text.first == UInt8(ascii: "s")
    let digits = isImplicit ? text.dropFirst() : text
    guard !digits.isEmpty else {
      if isImplicit { port = TLSPolicy.implicitPort }
      return
    }
    guard let number = digits.decimal, number > 0, let port = UInt16(exactly: number) else {
      throw Fault("\(text.printable.text) is no port")
    }
    self.port = port
    isImplicit = isImplicit || port == TLSPolicy.implicitPort || port == TLSPolicy.implicitQMTPPort
  }

  /// Hexadecimal digits, of which the length says the digest; colons between them are passed over.
  private static func fingerprint(_ text: ArraySlice<UInt8>) throws(Fault) -> Bytes {
    guard let digest = Bytes.hexadecimal(text.filter { $0 != UInt8(ascii: ":") }), !digest.isEmpty else {
      throw Fault("the fingerprint is not hexadecimal")
    }
    guard TLSPolicy.pinLengths.contains(digest.count) else {
      throw Fault("a fingerprint of \(digest.count) bytes has an unknown digest method")
    }
    return digest
  }
}

extension DestinationRule {
  /// What a line of a class demands.
  /// - Parameter names: what the certificate may be for, the name of the server first.
  func policy(_ kind: DestinationClass, names: [Bytes], place: String) throws(Fault) -> TLSPolicy {
    var policy = TLSPolicy(kind.level, source: place)
    policy.names = names
    policy.matching = kind.matching
    policy.records = kind.records
    policy.anonymous = kind.anonymous
    policy.anchors = anchors
    policy.depth = depth
    policy.ciphers = ciphers
    policy.port = port
    policy.start = isImplicit ? .implicit : .startTLS
    switch kind.level {
    case .none:
      guard !isImplicit else { throw Fault("it forbids TLS and asks for it from the first byte") }
      guard pin == nil else { throw Fault("it forbids TLS and has a fingerprint") }
    case .pin:
      guard pin != nil else { throw Fault("no fingerprint") }
    case .verify, .name:
      guard pin == nil else { throw Fault("a fingerprint where there should be an authority") }
      policy.anchors = anchors ?? .system
    case .may, .encrypt, .dane:
      // A rule without a mark asks for what it has.
      if kind.mark.isEmpty, anchors != nil { policy.level = .verify }
      guard pin != nil else { break }
      guard kind.mark.isEmpty else { throw Fault("a fingerprint for a rule that checks none") }
      policy.level = .pin
    }
    policy.pin = pin
    // A certificate that is known needs nobody's word.
    if policy.level == .pin { policy.records = .skip }
    return policy
  }
}
