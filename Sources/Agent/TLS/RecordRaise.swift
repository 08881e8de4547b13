// What TLSA records make of a policy (RFC 7672 sections 2.2 and 3.1). Pure: a policy and an answer in, a policy or a reason against the
// server out. The certificate itself is judged by OpenSSL.

/// What records make of a policy.
enum RecordOutcome: Equatable {
  case policy(TLSPolicy)
  /// The server can't be used now.
  case unusable(DeliveryFailure, reason: String)
}

extension TLSPolicy {
  /// The policy with what DNS said of the records of an exchanger. They raise it and never lower it; without an answer nobody knows whether
  /// the server there is the right one, so that it is left alone.
  /// - Parameter names: validated ones of the domain that the exchanger is for.
  func raised(by lookup: TLSALookup?, of exchanger: Bytes, names: [Bytes]) -> RecordOutcome {
    guard records != .skip, level != .pin else { return .policy(self) }
    guard let lookup, lookup.counts else { return without("no validated TLSA records", exchanger) }
    if case .failure(let reason) = lookup.answer {
      return .unusable(.recordsUnknown(exchanger, reason), reason: "TLSA: \(reason)")
    }
    let found = lookup.answer.records.compactMap { record -> TLSARecord? in
      guard case .tlsa(let record) = record else { return nil }
      return record
    }
    guard lookup.answer.isSecure, !found.isEmpty else { return without("no validated TLSA records", exchanger) }
    let usable = found.filter(\.isUsable)
    var raised = self
    raised.floor = Level.encrypt.isAbove(level) || level == .dane ? .encrypt : level
    guard !usable.isEmpty else {
      if level == .dane { return without("no usable TLSA records", exchanger) }
      // Records are there, so TLS is; but they prove nothing (RFC 7672 section 2.2).
      raised.level = raised.floor
      return .policy(raised)
    }
    raised.level = .dane
    raised.tlsa = usable
    raised.tlsaBase = lookup.base
    raised.tlsaNames = names
    return .policy(raised)
  }

  /// Fine, unless records are what was asked for.
  private func without(_ reason: String, _ exchanger: Bytes) -> RecordOutcome {
    level == .dane ? .unusable(.recordsMissing(exchanger, source), reason: "\(reason), which \(source) demands") : .policy(self)
  }
}

extension TLSARecord {
  /// RFC 7672 section 3.1.3: an authority of the public lists proves nothing about a mail server, whose name nobody typed. The digests are
  /// those of RFC 6698 section 2.1.3; one of another length is none.
  var isUsable: Bool {
    guard usage == 2 || usage == 3, selector <= 1 else { return false }
    switch matching {
    case 0: return !association.isEmpty
    case 1: return association.count == 32
    case 2: return association.count == 64
    default: return false
    }
  }
}
