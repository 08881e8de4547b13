// The table of DANE, row by row: the program, and posttls-finger(1) beside it.
import Foundation
import Support
import Testing

@Suite struct DaneTableTests {
  @Test(arguments: DaneTable.rows) func `what RFC 7672 says`(_ row: DaneRow) throws {
    let played = try DaneStage.shared.get().play(row)
    let told: Comment = "\(played.report) \(played.tool ?? "")"
    let messages = played.sessions.map { $0.flatMap { session in session.messages } }
    let last = played.addresses.count - 1
    switch row.verdict {
    case .validated:
      expectDelivery(played, "TLS (TLSA validated) transmitted message accepted", isSecure: true)
    case .encrypted: expectDelivery(played, "TLS transmitted message accepted", isSecure: true)
    case .pinned: expectDelivery(played, "TLS (CERT pinning) transmitted message accepted", isSecure: true)
    case .clear: expectDelivery(played, "accepted message", isSecure: false)
    case .deferred(let reason):
      #expect(played.report.hasPrefix("Z") && played.report.contains(reason.rawValue), told)
      #expect(messages.allSatisfy { $0.isEmpty }, told)
    }
    // No byte of a message goes to a server that has not proved itself.
    if last > 0 { #expect(messages[0].isEmpty, told) }
    if row.isLeftAlone { #expect(played.sessions[0].isEmpty, told) }
    if let name = played.expectedName {
      #expect(Set(played.sessions[0].map { $0.hello?.name }) == [name], told)
    }
    try compare(row, played)
  }

  private func expectDelivery(_ played: DaneStage.Played, _ words: String, isSecure: Bool) {
    let told: Comment = "\(played.report)"
    #expect(played.report.contains("K\(played.addresses.last ?? "") \(words)"), told)
    #expect(played.sessions.last?.flatMap { $0.messages.map(\.isSecure) } == [isSecure], told)
  }

  private static let verified = "Verified TLS connection established to"
  private static let untrusted = "Untrusted TLS connection established to"

  private func compare(_ row: DaneRow, _ played: DaneStage.Played) throws {
    guard let tool = played.tool else { return }
    let wanted: String?
    switch (row.tool, row.verdict) {
    case (.says(let words, _), _): wanted = words
    case (.isSilent, _): wanted = nil
    case (_, .validated): wanted = DaneTableTests.verified
    case (_, .encrypted), (_, .pinned), (_, .deferred(.otherCertificate)), (_, .deferred(.noAuthority)),
      (_, .deferred(.otherName)), (_, .deferred(.chain)):
      wanted = DaneTableTests.untrusted
    case (_, .deferred(.noAnswer)): wanted = "TLSA lookup error"
    default: wanted = "STARTTLS"
    }
    if let wanted { #expect(tool.contains(wanted), "\(tool)") }
    #expect(tool.contains(DaneTableTests.verified) == (wanted == DaneTableTests.verified), "\(tool)")
    if wanted == nil { #expect(!tool.contains("TLS connection established"), "\(tool)") }
    // Both ask for the same name where the name is what the row is about.
    if let name = played.expectedName { #expect(Set(played.fingered.map { $0.hello?.name }) == [name], "\(tool)") }
  }
}
