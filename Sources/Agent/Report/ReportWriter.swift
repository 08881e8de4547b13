// The only writer of descriptor 1.
internal import CSystem

public enum ReportWriter {
  /// Writes the reports to descriptor 1, all of them at once and after everything else is decided. From here on no signal ends the process:
  /// killed, it would be a deferral for qmail-rspawn, whatever it wrote. A crash ends it with status 0. A failure to write is not reported:
  /// there is nowhere to.
  public static func write(_ reports: Reports) {
    ProcessLastWords().prepare(reports.wire)
    csys_last_words_speak()
  }
}
