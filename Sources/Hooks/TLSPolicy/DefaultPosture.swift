// What a dialect does about TLS where no control file says anything (man page, DIALECTS).
public import Agent

/// The last source: it always has an opinion.
public struct DefaultPosture: TLSPolicySource {
  private let control: ControlDirectory
  private let dialect: Dialect

  public init(_ control: ControlDirectory, dialect: Dialect) {
    self.control = control
    self.dialect = dialect
  }

  public func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy? {
    switch dialect {
    case .stock, .sqmail: return TLSPolicy(.may, source: "the default of dialect \(dialect.rawValue)")
    case .skarnet: return TLSPolicy(.none, source: "no control/trustanchors")
    case .indimail:
      let file = CertificateFolder(control, environment).clientCertificate
      let isThere = try control.exists(path: file)
      return TLSPolicy(isThere ? .may : .none, source: isThere ? file.text : "no \(file.text)")
    }
  }
}
