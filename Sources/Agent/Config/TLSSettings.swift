// What the control files say about every TLS connection of a delivery: versions, ciphers, and the certificate of our own. Read only if
// a candidate may get TLS; the files that certificates are in are read by nobody before a server wants to see them.

extension TLSSettings {
  /// - Throws: 4.3.0 for a file that can't be read, 4.3.5 for a line that can't be followed.
  init(
    _ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment, sender: Address
  ) throws(DeliveryFailure) {
    self.init()
    if let file = try control.file("tlsclientmethod"), !file.firstLine.isEmpty {
      try setVersions(file.firstLine, file.place(line: 1))
    }
    if let list = try CipherList("TLS_CIPHER_LIST", "clientcipherlist", control, environment) {
      ciphers = list.text
      ciphersSource = list.source
    }
    if let list = try CipherList("TLS_CIPHER_SUITE", "clientciphersuite", control, environment) {
      cipherSuites = list.text
      cipherSuitesSource = list.source
    }
    certificate = try ClientCertificate.configured(control, dialect, environment, sender: sender)
  }

  /// `maximum`, `minimum:maximum`, and either of them empty (qmail-remote(8) of indimail). What a site asks for may be older than what we
  /// would speak of ourselves.
  private mutating func setVersions(_ text: ArraySlice<UInt8>, _ place: String) throws(DeliveryFailure) {
    let words = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard words.count <= 2, let last = words.last else { throw .controlInvalid(place, "more than two versions") }
    let lowest = words.count == 2 ? try TLSSettings.version(words[0], place) : nil
    maximum = try TLSSettings.version(last, place)
    minimum = lowest ?? min(minimum, maximum ?? minimum)
    guard minimum <= maximum ?? minimum else { throw .controlInvalid(place, "the lowest version is above the highest") }
    versionsSource = place
  }

  /// nil for an empty word, and for the one that always meant any version.
  private static func version(_ word: ArraySlice<UInt8>, _ place: String) throws(DeliveryFailure) -> Version? {
    if word.isEmpty || word.elementsEqual("SSLv23".utf8) { return nil }
    guard let version = Version.allCases.first(where: { word.elementsEqual($0.word.utf8) }) else {
      let known = Version.allCases.map(\.word).joined(separator: ", ")
      throw .controlInvalid(place, "\(word.printable.text) is none of \(known)")
    }
    return version
  }
}

extension TLSSettings.Version {
  /// As tlsclientmethod has it.
  var word: String {
    switch self {
    case .version10: "TLSv1"
    case .version11: "TLSv1_1"
    case .version12: "TLSv1_2"
    case .version13: "TLSv1_3"
    }
  }
}

/// Ciphers from the variable, else from all lines of the file.
private struct CipherList {
  let text: Bytes
  let source: String

  init?(
    _ variable: String, _ name: String, _ control: ControlDirectory, _ environment: Environment
  ) throws(DeliveryFailure) {
    if let value = environment.value(variable), !value.isEmpty {
      text = value
      source = "the variable \(variable)"
      return
    }
    guard let file = try control.file(name) else { return nil }
    text = Bytes(file.lines.map(\.text).joined(separator: [UInt8(ascii: ":")]))
    source = file.place
    if text.isEmpty { return nil }
  }
}

extension ClientCertificate {
  /// The sender's (s/qmail), else skarnet's, else indimail's: what names a certificate before what lies in a folder.
  fileprivate static func configured(
    _ control: ControlDirectory, _ dialect: Dialect, _ environment: Environment, sender: Address
  ) throws(DeliveryFailure) -> ClientCertificate? {
    let questions = [DomainTable.Question.name(sender.domain.map(Bytes.init) ?? []), .key(Bytes("*"))]
    let entries = try control.table("domaincerts", keys: .dottedSuffixes)?.entries(for: questions) ?? []
    if let entry = entries.compactMap({ $0 }).first { return try ClientCertificate(domaincerts: entry, dialect) }
    if let file = try control.file("clientcert"), !file.firstLine.isEmpty {
      let path = dialect.path(file.firstLine)
      let key = try control.file("clientkey")?.firstLine ?? []
      return ClientCertificate(file: path, keyFile: key.isEmpty ? path : dialect.path(key), source: file.place(line: 1))
    }
    let path = CertificateFolder(control, environment).clientCertificate
    return try control.exists(path: path) ? ClientCertificate(file: path, keyFile: path, source: path.text) : nil
  }

  /// `certificate|keyfile|password`; without a certificate the sender's domain has none.
  private init?(domaincerts entry: DomainTable.Entry, _ dialect: Dialect) throws(DeliveryFailure) {
    let fields = entry.value.split(separator: UInt8(ascii: "|"), maxSplits: 2, omittingEmptySubsequences: false)
    guard let certificate = fields.first, !certificate.isEmpty else {
      guard fields.count < 2 else { throw .controlInvalid(entry.place, "no certificate") }
      return nil
    }
    let path = dialect.path(certificate)
    let key = fields.count > 1 && !fields[1].isEmpty ? dialect.path(fields[1]) : path
    let password = fields.count > 2 && !fields[2].isEmpty ? Secret(fields[2]) : nil
    self.init(file: path, keyFile: key, password: password, source: entry.place)
  }
}
