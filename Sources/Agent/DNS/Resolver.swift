// What a delivery asks of DNS, as values. Who asks, and over which sockets, is behind the protocol.

/// A record type the agent asks for (RFC 1035 section 3.2.2, RFC 3596, RFC 6698).
public enum RecordType: UInt16, Sendable, CaseIterable {
  case a = 1
  case cname = 5
  case mx = 15
  case aaaa = 28
  case tlsa = 52
}

public struct DNSQuestion: Hashable, Sendable {
  /// In presentation form, without the root's dot.
  public let name: Bytes
  public let type: RecordType

  public init(_ name: Bytes, _ type: RecordType) {
    self.name = name
    self.type = type
  }
}

/// The data of one record.
public enum DNSRecord: Equatable, Sendable {
  case address(IPAddress)
  case exchanger(preference: Int, name: Bytes)
  /// The answer to a question for it; before other records, the name that the aliases of the question's led to.
  case alias(Bytes)
  case tlsa(TLSARecord)

  var isAlias: Bool {
    guard case .alias = self else { return false }
    return true
  }
}

/// What came of a question. A failure is never the same as "there is none": one is asked again, the other is final.
public enum DNSAnswer: Equatable, Sendable {
  /// At least one record.
  case records([DNSRecord], isSecure: Bool)
  /// The name exists, without records of this type.
  case noData(isSecure: Bool)
  /// The name doesn't exist (NXDOMAIN).
  case noName(isSecure: Bool)
  /// No answer, or none that can be believed: SERVFAIL, refusal, time-out, nonsense.
  case failure(String)

  var records: [DNSRecord] {
    guard case .records(let records, _) = self else { return [] }
    return records
  }

  /// The name that aliases led to.
  var alias: Bytes? {
    guard case .alias(let name)? = records.first else { return nil }
    return name
  }

  var isFailure: Bool {
    guard case .failure = self else { return false }
    return true
  }

  /// Validated by DNSSEC, absence included.
  var isSecure: Bool {
    switch self {
    case .records(_, let isSecure), .noData(let isSecure), .noName(let isSecure): isSecure
    case .failure: false
    }
  }
}

/// Answers questions.
public protocol Resolver: AnyObject {
  /// Whether answers may say that they were validated (D4). Without that, nothing that needs validation has to be asked.
  var believesValidation: Bool { get }

  /// Asks all questions at once.
  /// - Returns: one answer for each question, in their order; failures included, never thrown.
  func answers(to questions: [DNSQuestion], by deadline: Deadline) -> [DNSAnswer]
}
