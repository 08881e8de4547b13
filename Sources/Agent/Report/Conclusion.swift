// What qmail-rspawn(8) will conclude from the reports: the truth for the queue, whatever else they say. Knows only the protocol of the
// reports, not how they came about.

extension Reports {
  /// The first report that is a `K`, `Z` or `D` is the result, and without one it is a failure; a first report that is an `s` or an `h`
  /// outweighs it. So a message whose only recipient is deferred is a deferral, though its own report is `DGiving up on…`.
  public var concluded: EnhancedStatus.Disposition {
    switch (recipients.first ?? message).kind {
    case .recipientDeferred: return .temporary
    case .recipientRejected: return .permanent
    case .recipientAccepted, .success, .deferral, .failure: break
    }
    for report in recipients {
      if let disposition = report.kind.ofMessage { return disposition }
    }
    return message.kind.ofMessage ?? .permanent
  }
}

extension Report.Kind {
  /// nil for a recipient's report.
  fileprivate var ofMessage: EnhancedStatus.Disposition? {
    switch self {
    case .success: .success
    case .deferral: .temporary
    case .failure: .permanent
    case .recipientAccepted, .recipientDeferred, .recipientRejected: nil
    }
  }
}
