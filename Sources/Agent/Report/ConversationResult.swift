// What came of a conversation with a server, in the terms of the protocol that was spoken.

/// The end of a conversation that had a result.
public enum ConversationResult: Equatable, Sendable {
  case transaction(TransactionResult)
  case package(PackageResult)

  var ending: Outcome.Ending {
    switch self {
    case .transaction(let result): .transaction(result)
    case .package(let result): .package(result)
    }
  }
}
