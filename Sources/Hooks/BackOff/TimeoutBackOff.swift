// Back-off as qmail has always had it: addresses that keep failing are kept in a table on disk that all deliveries share, and are left
// alone for an hour or so (qmail-remote(8), BACK-OFF). Events in, table edits out; the rules are in the files beside this one.
public import Agent

/// Remembers failing addresses in the file of the dialect.
public final class TimeoutBackOff: BackOff {
  private let dialect: Dialect
  private let circumstances: Circumstances
  private let start: Instant
  /// `tcpto`, and skarnet's file for IPv6 where `tcpto` has no room for it.
  private let main: TableFile
  private let other: TableFile?
  /// Addresses that had a record when they were asked for: only such a record is cleared, and most deliveries have nothing to write.
  private var known: Set<IPAddress> = []

  /// Nothing is opened before the first address is asked for.
  public convenience init(_ dialect: Dialect, _ environment: Environment, _ circumstances: Circumstances) {
    self.init(
      dialect, queue: TimeoutBackOff.queue(dialect, environment), run: RunDirectory(dialect, environment).path, circumstances)
  }

  static func queue(_ dialect: Dialect, _ environment: Environment) -> Bytes {
    let named = environment.value("QUEUEDIR") ?? []
    return named.isEmpty ? dialect.home + Bytes("/queue") : named
  }

  init(
    _ dialect: Dialect, queue: Bytes, run: Bytes, _ circumstances: Circumstances, patience: Int = TableFile.patience
  ) {
    self.dialect = dialect
    self.circumstances = circumstances
    start = circumstances.clock.now()
    main = TableFile(path: queue + Bytes("/lock/tcpto"), patience: patience) { size in
      RecordLayout(size: size, dialect: dialect)
    }
    other =
      switch dialect {
      case .stock, .skarnet:
        TableFile(path: run + Bytes("/tcpto6"), patience: patience) { _ in .sorted }
      case .sqmail, .indimail: nil
      }
  }

  public func isAvoided(_ candidate: Candidate, _ limits: BackOffLimits) -> Bool {
    guard limits.penalty.seconds > 0 else { return false }
    let address = candidate.address
    guard let record = file(for: address).look({ $0.record(of: address) }) ?? nil else { return false }
    known.insert(address)
    return record.isAvoided(now: now, penalty: limits.penalty.seconds, processID: circumstances.processID)
  }

  public func record(_ event: BackOffEvent, _ limits: BackOffLimits) {
    guard limits.penalty.seconds > 0 else { return }
    let (candidate, finding) = FailureRules(dialect: dialect).finding(event, limits)
    let address = candidate.address
    switch finding {
    case .nothing: break
    case .failure:
      let tolerance = limits.maxTolerance.seconds
      file(for: address).change { $0.afterFailure(of: address, now: now, tolerance: tolerance) }
    case .success:
      if known.contains(address) { file(for: address).change { $0.afterSuccess(of: address) } }
    }
  }

  private func file(for address: IPAddress) -> TableFile { address.isV6 ? other ?? main : main }

  /// By the monotonic clock from the start on: a failure may come a minute after it.
  private var now: Int64 {
    max(circumstances.wallSeconds, 0) + start.duration(to: circumstances.clock.now()).components.seconds
  }
}
