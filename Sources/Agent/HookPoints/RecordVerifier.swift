// Hook point: somebody else's opinion about servers with TLSA records.

/// What a service says about an exchanger.
public enum RecordOpinion: Equatable, Sendable {
  /// Nothing against it: our own verdict counts, whatever else the words say.
  case unobjectionable(String)
  case distrusted(String)
}

/// Asks a service that DANE_VERIFICATION names. It can only take an exchanger away: what the certificate is worth is our own verdict.
public protocol RecordVerifier {
  /// - Parameter exchangers: whose records count.
  /// - Returns: one opinion for each.
  /// - Throws: 4.4.2 or 4.3.0 when the service can't be asked.
  func opinions(on exchangers: [Bytes], by service: RecordService) throws(DeliveryFailure) -> [RecordOpinion]
}
