// The point from which nothing may end the process but the delivery's own end.
internal import CSystem

enum Signals {
  /// Blocks TERM, HUP, INT and ALRM for good, from before the last byte of the message until the process ends. They are not let
  /// through after the report either: a process killed by a signal is a deferral for qmail-rspawn, whatever it wrote, and the
  /// message would be sent again.
  static func blockEndings() { csys_block_endings() }
}
