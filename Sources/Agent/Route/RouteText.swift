// A route as programs and records tell it: what stands after the colon of a line of smtproutes, without user, password and edits.

extension RouteLine {
  /// Reads as the same relay, port, TLS, back-off and local address in every dialect; empty for the mail exchangers.
  package var textWithoutCredentials: Bytes {
    var text = relay?.text ?? []
    if penalty != nil || maxTolerance != nil {
      // The port is written out: without it an empty field would make an IPv6 address of some relays.
      text += ":\(port ?? RouteLine.smtpPort):\(penalty.map(String.init) ?? ""):\(maxTolerance.map(String.init) ?? "")"
    } else if let port {
      text += implicitTLS ? ";s\(port)" : ":\(port)"
    }
    if let localAddress { text += "||\(localAddress.text)" }
    return text
  }

  private static let smtpPort: UInt16 = 25
}
