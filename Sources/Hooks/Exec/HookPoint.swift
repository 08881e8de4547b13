// The points at which a program of the site is asked. What each is asked and may answer is in its adapter, and in qmail-remote-hooks(7).

/// A point; the raw value is the program's name in the folder of hooks.
package enum HookPoint: String, Sendable, CaseIterable {
  case route
  case environment
  case sender
  case candidates
  case tls
  case message
  case credentials
  case mechanism
  case trace
  case record

  /// For plans and reports. Not the path: a report may travel to a stranger.
  package var place: String { "hooks/\(rawValue)" }
}
