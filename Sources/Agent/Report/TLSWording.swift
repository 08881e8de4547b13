// The texts of reports about TLS. s/qmail's man page has them for its own dialect, and they do for stock and skarnet, which have none;
// indimail has others. Decides nothing, and shows no password: setup problems don't hold any.

extension Wording {
  /// The words of a conversation's reports.
  init(_ plan: DeliveryPlan, with candidate: Candidate, under tls: TLSFacts?) {
    self.init(plan)
    self.tls = tls
    notices = candidate.tlsTrouble.map { [Bytes("Sent in clear: ") + $0.words] } ?? []
  }

  /// What follows the address in the report of an accepted message. Log readers look for these words.
  var acceptance: String {
    switch dialect {
    case .stock, .skarnet: "accepted message"
    case .indimail: "accepted message - Protocol \(tls == nil ? "SMTP" : "SMTPS")"
    case .sqmail: tls.map { "TLS\(Wording.shown($0.proof)) transmitted message accepted" } ?? "accepted message"
    }
  }

  private static func shown(_ proof: TLSFacts.Proof) -> String {
    switch proof {
    case .pin: " (CERT pinning)"
    case .record: " (TLSA validated)"
    case .name: " (verified CA+DN)"
    case .partialName: " (verified CA+DN*)"
    case .chain: " (verified CA)"
    case .none: ""
    }
  }

  /// TLS came to nothing, and the policy wants it.
  func failed(_ trouble: TLSTrouble, with candidate: Candidate) -> Report {
    switch (trouble, dialect) {
    case (.setup(let problem), .indimail): indimailReport(problem, candidate)
    case (.setup(let problem), _): setupReport(problem, candidate)
    case (_, .indimail): indimailReport(trouble, candidate)
    case (.refused(let reply), _):
      Report(.deferral, Bytes("Connected to \(candidate.address.text) but STARTTLS was rejected.\n") + remote(reply.shown))
    default: deferral(words(trouble, candidate), detail: trouble.words)
    }
  }

  private func deferral(_ words: Bytes, detail: Bytes) -> Report {
    DeliveryFailure(.init(.temporary, 4, 1), words + Bytes("."), detail: detail + Bytes(".")).report
  }

  // MARK: s/qmail

  private func words(_ trouble: TLSTrouble, _ candidate: Candidate) -> Bytes {
    let exchanger = candidate.exchanger.printable
    let host = target.printable
    let both = exchanger + Bytes(" for ") + host
    switch trouble {
    case .notOffered: return Bytes("I wasn't able to negotiate a StartTLS connection with: ") + both
    case .refused, .earlyBytes, .broken, .setup: return Bytes("TLS connection/protocol error with host: ") + both
    case .noCertificate: return Bytes("Unable to obtain X.500 certificate from: ") + both
    case .chain: return Bytes("Unable to verify X.500 certificate from: ") + both
    case .name: return Bytes("Unable to validate X.500 certificate Subject for: ") + host + Bytes(" at ") + exchanger
    case .pinMismatch: return mismatch(both, candidate.tls.pin ?? [])
    case .unknownDigest: return Bytes("Received X.500 certificate from: ") + both + Bytes(" posses an unknown digest method")
    case .certificateNotInRecords:
      return mismatch(both, candidate.tls.tlsa.first { $0.usage == 3 }?.association ?? [])
    case .authorityNotInChain: return Bytes("TLSA X.509 cert required but missing from: ") + both
    }
  }

  private func mismatch(_ both: Bytes, _ hash: Bytes) -> Bytes {
    // A record may hold a whole certificate.
    let shown = hash.prefix(64).flatMap { Bytes(String($0 >> 4, radix: 16)) + Bytes(String($0 & 15, radix: 16)) }
    return Bytes("Received X.500 certificate from: ") + both + Bytes(" does not match provided fingerprint: ") + shown
  }

  private func setupReport(_ problem: TLSSetupProblem, _ candidate: Candidate) -> Report {
    let words: Bytes
    var detail = Bytes()
    switch problem {
    case .library(let reason): return DeliveryFailure.libraryMissing(reason).report
    case .context(let reason):
      words =
        Bytes("I wasn't able to create TLS context for: ") + target.printable + Bytes(" at ") + candidate.exchanger.printable
      detail = Bytes(reason)
    case .certificate(let file, let reason):
      words = Bytes("Can't load X.509 certificate: ") + file.printable
      detail = Bytes(reason)
    case .key(let file, let reason):
      words = Bytes("Can't load X.509 private key: ") + file.printable
      detail = Bytes(reason)
    case .keyMismatch(let file): words = Bytes("Keyfile does not match X.509 certificate: ") + file.printable
    case .ciphers(let list): words = Bytes("I wasn't able to process the TLS ciphers: ") + list.printable
    case .anchors(let anchors, let reason):
      let (file, directory) = if case .file(let file) = anchors { (file, Bytes()) } else { (Bytes(), anchors.path) }
      words =
        Bytes("I wasn't able to setup CAFILE: ") + file.printable + Bytes(" or CADIR: ") + directory.printable
        + Bytes(" for TLS")
      detail = Bytes(reason)
    }
    return DeliveryFailure(.init(.temporary, 3, 5), words + Bytes("."), detail: detail).report
  }

  // MARK: indimail

  private func indimailReport(_ trouble: TLSTrouble, _ candidate: Candidate) -> Report {
    let exchanger = candidate.exchanger.printable
    switch trouble {
    case .certificateNotInRecords, .authorityNotInChain:
      return Report(.deferral, "Connected to \(candidate.address.text) but recpient failed DANE validation.\n")
    case .notOffered where candidate.tls.level == .dane:
      return Report(.deferral, "Connected to \(candidate.address.text) but unable to intiate TLS for DANE.\n")
    case .refused(let reply) where candidate.tls.level == .dane:
      return Report(
        .deferral,
        Bytes("Connected to \(candidate.address.text) but unable to intiate TLS for DANE.\n") + remote(reply.shown))
    case .notOffered: return indimail(Bytes("No TLS achieved while ") + demand(candidate.tls), candidate)
    case .refused(let reply):
      let report = indimail(Bytes("STARTTLS rejected while ") + demand(candidate.tls), candidate)
      return Report(report.kind, report.text + remote(reply.shown))
    case .earlyBytes, .broken, .setup: return indimail(Bytes("TLS connect failed: ") + trouble.words, candidate)
    case .chain(let reason):
      let file = candidate.tls.anchors?.path.printable ?? []
      return indimail(Bytes("TLS unable to verify server with ") + file + Bytes(": \(reason)"), candidate)
    case .noCertificate: return indimail(unverified(exchanger, Bytes("no certificate provided")), candidate)
    case .name(let names) where names.isEmpty:
      return indimail(unverified(exchanger, Bytes("certificate contains no valid commonName")), candidate)
    case .name(let names):
      let list = Bytes(names.map(\.printable).joined(separator: Bytes(", ")))
      return indimail(unverified(exchanger, Bytes("received certificate for ") + list), candidate)
    case .pinMismatch, .unknownDigest: return indimail(unverified(exchanger, trouble.words), candidate)
    }
  }

  private func unverified(_ name: Bytes, _ reason: Bytes) -> Bytes {
    Bytes("TLS unable to verify server ") + name + Bytes(": ") + reason
  }

  /// What demands TLS: the file that does so by being there, as the texts have it, or whatever else does.
  private func demand(_ policy: TLSPolicy) -> Bytes {
    guard case .file(let file)? = policy.anchors else { return Bytes("\(policy.source) demands it") }
    return file.printable + Bytes(" exists")
  }

  private func indimail(_ words: Bytes, _ candidate: Candidate, while phase: String = "connected to") -> Report {
    Report(.deferral, words + Bytes("; \(phase) \(candidate.address.text).\n"))
  }

  private func indimailReport(_ problem: TLSSetupProblem, _ candidate: Candidate) -> Report {
    let words =
      switch problem {
      case .library(let reason), .context(let reason): Bytes("TLS error initializing ctx: \(reason)")
      case .certificate(let file, let reason), .key(let file, let reason):
        Bytes("TLS unable to load ") + file.printable + Bytes(": \(reason)")
      case .keyMismatch(let file): Bytes("TLS unable to load ") + file.printable + Bytes(": the key of another certificate")
      case .ciphers(let list): Bytes("TLS error setting cipherlist: ") + list.printable
      case .anchors(let anchors, let reason): Bytes("TLS unable to load ") + anchors.path.printable + Bytes(": \(reason)")
      }
    return indimail(words, candidate, while: "connecting to")
  }
}
