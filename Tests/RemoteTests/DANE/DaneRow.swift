// One row of the table of DANE: what is in DNS, what the server is like, and what RFC 7672 makes of both. Rows are written from the
// RFC; the program and posttls-finger(1) are both held against them.
import Foundation
import Support
import Testing

struct DaneRow: Sendable, CustomTestStringConvertible {
  /// What becomes of the mail. The words of reports are those of qmail-remote(8).
  enum Verdict: Sendable {
    /// Delivered, and a record has proved the server.
    case validated
    /// Delivered under TLS that proves nothing.
    case encrypted
    /// Delivered to the one that is known here.
    case pinned
    case clear
    /// Deferred, connected or not, for the reason that these words of the man page give.
    case deferred(Reason)
  }

  enum Reason: String, Sendable {
    case otherCertificate = "does not match provided fingerprint: "
    case noAuthority = "TLSA X.509 cert required but missing from: "
    case otherName = "Unable to validate X.500 certificate Subject for: "
    case chain = "Unable to verify X.500 certificate from: "
    case noAnswer = "Sorry, I couldn't find TLSA RR for this host. (#4.1.2)"
    case noSTARTTLS = "I wasn't able to negotiate a StartTLS connection with: "
    case refusedSTARTTLS = "but STARTTLS was rejected."
    case distrusted = " failed DANE validation. (#4.7.5)"
  }

  /// What posttls-finger says at level dane. Without usable records it goes on at level secure: no certificate of these tests is one
  /// that it knows, so that it calls the connection untrusted, as it does when none of the records matches.
  enum Tool: Sendable {
    /// What follows from the verdict.
    case agrees
    /// Something else, and why.
    case says(String, because: String)
    /// Nothing about a connection under TLS, and why.
    case isSilent(because: String)
    /// It has no way to be asked that.
    case mute(because: String)
  }

  /// Of RFC 7672, unless it says otherwise.
  let section: String
  let words: String
  /// The first label of its names; `signed.test` or another zone of LookupTable follows.
  let label: String
  var zone = "signed.test"
  /// Lines of a ZoneTable, see `DaneStage.filled`.
  let records: String
  let verdict: Verdict
  var tool = Tool.agrees

  var certificate = TestPKI.Name.ec
  /// The DNS names of a certificate of the row's own, in the place of `certificate`; none where they are not what it is about.
  var names: [String] = []
  /// Further settings of pki.sh for it.
  var settings: [String] = []
  /// Whether the server sends its root too.
  var sendsRoot = false
  /// The certificate goes only to those who ask for this name; others get one that nothing is known of.
  var certificateFor: String?
  /// There is a server at NEXT, with another certificate; the mail ends there.
  var hasNext = false
  var port: UInt16 = 25
  /// Nobody may have connected.
  var isLeftAlone = false
  /// What the server is asked for; nil for whatever.
  var serverName: String?
  var dialect = "sqmail"
  var control: [String: String] = [:]
  var environment: [String: String] = [:]
  /// What qmail-daned(8) says of every exchanger: 2 that it is right, 3 that it is wrong. nil: it isn't asked.
  var serviceState: UInt8?
  /// What is delivered to, and what posttls-finger looks at.
  var host = "HOST"
  var fingerHost: String?
  /// What qmail-daned at port 1998 says, if it runs.
  var behaviour: @Sendable (inout TLSBehaviour) -> Void = { _ in }

  var testDescription: String { "\(label): \(words) (\(section))" }

  init(
    _ section: String, _ label: String, _ words: String, _ records: String, _ verdict: Verdict,
    change: (inout DaneRow) -> Void = { _ in }
  ) {
    self.section = section
    self.label = label
    self.words = words
    self.records = records
    self.verdict = verdict
    change(&self)
  }

  var domain: String { "\(label).\(zone)" }

  /// An exchanger and its records.
  static func usual(_ records: String...) -> String {
    "HOST MX 10 mx.HOST\nmx.HOST A ADDRESS\n" + records.map { "_25._tcp.mx.HOST TLSA \($0)\n" }.joined()
  }
}
