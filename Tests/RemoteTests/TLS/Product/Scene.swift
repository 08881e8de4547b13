// A cell of the product as a delivery: the policy's files with what their words in braces stand for, the route to the server, and the
// reports that have to come out.
import Foundation
import Support
import Testing

/// One policy, one server, one offer.
struct ProductCell: Sendable, CustomStringConvertible {
  let policy: ProductPolicy
  let shown: Shown
  let offer: Offer
  let number: Int

  var description: String { "\(policy.name), \(shown.certificate.map { "\($0)" } ?? "anonymous"), \(offer)" }
  var expectation: Expectation { Expectation(policy.demand, shown, offer) }
  /// In the message: which it is.
  var mark: String { "cell-\(number);" }

  /// All, but for what never meets: a server that shows no certificate is the same whichever it has, and where one side waits for a
  /// greeting and the other for a ClientHello, nothing happens but the end of a time limit. What isn't usual is shown after STARTTLS.
  /// - Parameter offers: what the servers can play.
  static func all(_ certificates: [Shown], _ offers: [Offer]) -> [ProductCell] {
    var cells: [ProductCell] = []
    for policy in ProductPolicy.all {
      for (index, shown) in certificates.enumerated() {
        for offer in offers where offer.shows(shown, index) && !(policy.demand.explicit && offer == .implicit) {
          cells.append(ProductCell(policy: policy, shown: shown, offer: offer, number: cells.count))
        }
      }
    }
    return cells
  }
}

extension Offer {
  /// - Parameter index: the certificate's place among those of the server.
  func shows(_ shown: Shown, _ index: Int) -> Bool {
    switch self {
    case .startTLS: true
    case .implicit: shown.isUsual || shown.certificate == nil
    case .nothing, .refused, .broken, .greeting: index == 0
    }
  }
}

/// What all deliveries have in common.
final class ProductScene: Sendable {
  let pki: TestPKI
  /// Where `example.com` has a relay with an address.
  private let names: TestNameServer
  private let folder: TemporaryFolder

  static let zone = "mx.example.com A 127.0.0.1\n"
  /// Nobody listens there.
  private static let closedPort: UInt16 = 9

  /// In the network of the calling thread.
  init() throws {
    pki = try TestPKI.shared.get()
    names = try TestNameServer(zone: ProductScene.zone)
    folder = try TemporaryFolder()
    for (index, policy) in ProductPolicy.all.enumerated() {
      try FileManager.default.createDirectory(atPath: "\(folder.path)/\(index)", withIntermediateDirectories: false)
      for (file, source) in policy.certificates {
        let path = fill(source, nil, 0)
        let content = path.isEmpty ? [] : [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        try folder.write("\(index)/\(file)", content)
      }
    }
  }

  deinit { names.finish() }

  /// - Parameter port: the server's.
  func remote(_ cell: ProductCell, port: UInt16) -> Remote {
    var remote = Remote()
    let policy = cell.policy
    let isByPolicy = policy.control.values.contains { $0.contains("{port}") }
    let separator = cell.offer.isByRoute ? ";s" : ":"
    remote.control["smtproutes"] = ":mx.example.com\(separator)\(isByPolicy ? ProductScene.closedPort : port)\n"
    for limit in ["timeoutconnect", "timeoutremote"] { remote.control[limit] = "20\n" }
    for (name, content) in policy.control { remote.control[name] = fill(content, cell.shown.certificate, port) }
    let index = ProductPolicy.all.firstIndex { $0.name == policy.name } ?? 0
    remote.environment = [
      "QMAILREMOTE_DIALECT": policy.dialect, "QMAILREMOTE_RESOLVER": names.resolver, "CERTDIR": "\(folder.path)/\(index)",
    ]
    // qmail-remote(8) of indimail: between sender and recipients are the queue's extra header and the size.
    if policy.dialect == "indimail" { remote.operands = [remote.host, remote.sender, "", "22"] + remote.recipients }
    remote.environment.merge(policy.environment) { $1 }
    remote.message = Array("Subject: \(cell.mark)\n\nhello\n".utf8)
    return remote
  }

  /// The words in braces.
  private func fill(_ text: String, _ certificate: TestPKI.Name?, _ port: UInt16) -> String {
    let server = pki[certificate ?? .ec]
    let other = pki[certificate == .rsa ? .ec : .rsa]
    var text = text
    for (word, value) in [
      ("roots", pki.roots), ("folder", pki.rootsFolder + "/"), ("stranger", pki[.stranger].certificate),
      ("client", pki[.client].keyAndChain), ("port", "\(port)"),
    ] {
      text = text.replacingOccurrences(of: "{\(word)}", with: value)
    }
    for digest in TestIdentity.Digest.allCases where text.contains("\(digest)}") {
      text = text.replacingOccurrences(of: "{\(digest)}", with: (try? server.fingerprint(digest)) ?? "no fingerprint")
      text = text.replacingOccurrences(of: "{other \(digest)}", with: (try? other.fingerprint(digest)) ?? "no fingerprint")
    }
    return text
  }
}

// MARK: the reports

extension ProductCell {
  private static let address = "127.0.0.1"
  private static let both = "mx.example.com for mx.example.com"

  /// How the report of the message has to begin, by the man pages.
  var reportStart: String {
    let isIndimail = policy.dialect == "indimail"
    switch expectation {
    case .secure(let proof):
      if isIndimail { return "K\(ProductCell.address) accepted message - Protocol SMTPS.\nRemote host said: 250" }
      if policy.dialect != "sqmail" { return "K\(ProductCell.address) accepted message.\nRemote host said: 250" }
      return "K\(ProductCell.address) TLS\(ProductCell.words(proof)) transmitted message accepted.\nRemote host said: 250"
    case .clear(let toldWhy):
      let protocolWords = isIndimail ? " - Protocol SMTP" : ""
      let next = toldWhy ? "Sent in clear: " : "Remote host said: 250"
      return "K\(ProductCell.address) accepted message\(protocolWords).\n\(next)"
    case .deferred(.impossible): return "ZUnable to use control/"
    case .deferred(let trouble): return "Z" + (isIndimail ? indimail(trouble) : sqmail(trouble))
    }
  }

  /// indimail tells whose message it was.
  private var recipientReport: String {
    policy.dialect == "indimail" ? "rFrom: <sender@example.net> RCPT: <user@example.com> \0" : "r\0"
  }

  private static func words(_ proof: Expectation.Proof) -> String {
    switch proof {
    case .nothing: ""
    case .chain: " (verified CA)"
    case .name: " (verified CA+DN)"
    case .wildcardName: " (verified CA+DN*)"
    case .fingerprint: " (CERT pinning)"
    }
  }

  private func sqmail(_ trouble: Expectation.Trouble) -> String {
    let both = ProductCell.both
    return switch trouble {
    case .notOffered: "I wasn't able to negotiate a StartTLS connection with: \(both)."
    case .refused: "Connected to 127.0.0.1 but STARTTLS was rejected.\nRemote host said: 454 "
    case .handshake, .impossible: "TLS connection/protocol error with host: \(both)."
    case .chain: "Unable to verify X.500 certificate from: \(both)."
    case .name: "Unable to validate X.500 certificate Subject for: mx.example.com at mx.example.com."
    case .fingerprint: "Received X.500 certificate from: \(both) does not match provided fingerprint: "
    }
  }

  private func indimail(_ trouble: Expectation.Trouble) -> String {
    switch trouble {
    case .notOffered: "No TLS achieved while "
    case .refused: "STARTTLS rejected while "
    case .handshake, .impossible: "TLS connect failed: "
    case .chain: "TLS unable to verify server with "
    case .name, .fingerprint: "TLS unable to verify server mx.example.com: "
    }
  }

  /// What is wrong with a delivery, nothing if all is well.
  /// - Parameter arrival: whether the message came by TLS; nil: it didn't come.
  func faults(_ finished: FinishedProcess, arrival: Bool?) -> [String] {
    let (output, start) = (visible(finished.output), reportStart)
    let isDeferred = if case .deferred = expectation { true } else { false }
    var faults: [String] = []
    let wanted = visible(Array(((isDeferred ? "" : recipientReport) + start).utf8))
    if !output.hasPrefix(wanted) { faults.append("said \(output) instead of \(wanted)") }
    if expectation == .deferred(.impossible), policy.name.contains("={sha384}"), !output.contains("unknown digest method") {
      faults.append("said \(output)")
    }
    if finished.ending != .exited(0) || !finished.errors.isEmpty {
      faults.append("ended with \(finished.ending) \(visible(finished.errors))")
    }
    let letter = SpawnVerdict(output: finished.output, ending: finished.ending).letter
    if letter != (isDeferred ? "Z" : "K") { faults.append("is \(letter) to qmail-rspawn") }
    let came: Bool? =
      switch expectation {
      case .secure: true
      case .clear: false
      case .deferred: nil
      }
    if arrival != came { faults.append("the message came by TLS: \(arrival.map { "\($0)" } ?? "it didn't come")") }
    return faults.map { "\(self): \($0)" }
  }
}
