// The report that is written if the process crashes: kept in C, where a signal handler can reach it.
internal import CSystem

/// What a crash would report. Replaced as the delivery goes on; see `csys_last_words` for the handler.
public protocol LastWords {
  /// From now on a crash reports this.
  func prepare(_ wire: Bytes)
  /// From now on it only reports that there was one, as in the beginning.
  func forget()
}

/// The process's own last words, on descriptor 1.
public struct ProcessLastWords: LastWords {
  public init() {}

  public func prepare(_ wire: Bytes) {
    unsafe wire.withUnsafeBytes { unsafe csys_last_words($0.baseAddress, $0.count) }
  }

  public func forget() { csys_forget_last_words() }
}
