// The folder of certificates of indimail (qmail-remote(8)), which CERTDIR moves. Knows which files are there, not what is in them.

/// The folder of certificates.
package struct CertificateFolder {
  package let path: Bytes
  private let control: ControlDirectory
  private let clientFile: Bytes

  package init(_ control: ControlDirectory, _ environment: Environment) {
    self.control = control
    let named = environment.value("CERTDIR") ?? []
    path = named.isEmpty ? Bytes("/etc/indimail/certs") : named
    clientFile = environment.fileName("CLIENTCERT").map { Bytes($0) } ?? Bytes("clientcert.pem")
  }

  /// Most sites have no such folder; then nothing in it has to be looked for.
  /// - Throws: 4.3.0 when nobody can tell.
  package var exists: Bool {
    get throws(DeliveryFailure) { try control.exists(path: path) }
  }

  /// Our own certificate with its key: `clientcert.pem`, or what CLIENTCERT names, in this folder or by a path.
  package var clientCertificate: Bytes {
    clientFile.first == UInt8(ascii: "/") ? clientFile : path + Bytes("/") + clientFile
  }

  /// The file of a name in a folder of this one, if there is one.
  /// - Parameters:
  ///   - name: from DNS or argv: one that would lead elsewhere names no file.
  ///   - ending: follows the name.
  /// - Throws: 4.3.0 when nobody can tell: acting as if it weren't there could send mail in clear.
  package func file(for name: Bytes, in folder: String, ending: String) throws(DeliveryFailure) -> Bytes? {
    guard !name.isEmpty, name != Bytes("."), name != Bytes(".."), name.count <= CertificateFolder.nameLimit,
      !name.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 })
    else { return nil }
    let lowered = name.map(\.lowered)
    // DNS gives a name in whatever case somebody asked for it.
    for name in lowered == name ? [name] : [lowered, name] {
      let file = path + Bytes("/\(folder)/") + name + Bytes(ending)
      if try control.exists(path: file) { return file }
    }
    return nil
  }

  /// No file system has longer ones, with the ending.
  private static let nameLimit = 250
}
