// The folder of certificates of indimail (qmail-remote(8)): a file in `tlshosts` demands TLS and has the authorities for one server, one in
// `notlshosts` forbids TLS with it. CERTDIR moves them all. Control file notlshosts does the same for a domain.
public import Agent

/// The files and folders `tlshosts` and `notlshosts`.
public struct HostCertificates: TLSPolicySource {
  private let control: ControlDirectory

  public init(_ control: ControlDirectory) { self.control = control }

  public func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy? {
    let folder = CertificateFolder(control, environment)
    let isThere = try folder.exists
    let exchanger = PolicyNames.withoutRoot(question.exchanger)
    if isThere, let file = try folder.file(for: exchanger, in: "tlshosts", ending: ".pem") {
      return demand(file, exchanger)
    }
    if let place = try listed(PolicyNames.forms(of: question.host), environment) { return forbidding(place) }
    guard isThere else { return nil }
    for name in [exchanger] + PolicyNames.forms(of: question.host) {
      if let file = try folder.file(for: name, in: "notlshosts", ending: "") { return forbidding(file.text) }
    }
    if let file = try folder.file(for: Bytes("exhaustivelist"), in: "tlshosts", ending: "") { return forbidding(file.text) }
    return nil
  }

  /// The chain has to end at an authority of the file, and the certificate has to be for the server.
  private func demand(_ file: Bytes, _ exchanger: Bytes) -> TLSPolicy {
    var policy = TLSPolicy(.name, source: file.text)
    policy.anchors = .file(file)
    policy.names = [exchanger]
    return policy
  }

  private func forbidding(_ place: String) -> TLSPolicy {
    var policy = TLSPolicy(.none, source: place)
    policy.records = .skip
    return policy
  }

  /// Where control file notlshosts has the host that the mail is for. The man page also spells it notlhosts.
  private func listed(_ hosts: [Bytes], _ environment: Environment) throws(DeliveryFailure) -> String? {
    for name in environment.fileName("NOTLSHOSTS").map({ [$0] }) ?? ["notlshosts", "notlhosts"] {
      guard let file = try control.file(name) else { continue }
      var place: String?
      file.forEachLine { number, line in
        guard place == nil, hosts.contains(where: { $0.equalsIgnoringCase(line) }) else { return }
        place = file.place(line: number)
      }
      if let place { return place }
    }
    return nil
  }
}
