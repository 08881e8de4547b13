// The only writer of descriptor 1.
internal import CSystem

public enum ReportWriter {
  /// Writes the reports to descriptor 1, all of them at once and after everything else is decided. They are made the last words
  /// first, so that a crash on the way continues where this got to. A failure to write is not reported: there is nowhere to.
  public static func write(_ reports: Reports) {
    ProcessLastWords().prepare(reports.wire)
    _ = csys_last_words_speak()
  }
}
