// trustanchors and tlsstrictness, the demands of skarnet's qmail-remote: without trust anchors there is no TLS, and how strict it is
// counts only with them.
public import Agent

/// The control files trustanchors and tlsstrictness.
public struct TrustAnchors: TLSPolicySource {
  private let control: ControlDirectory

  private let dialect: Dialect

  public init(_ control: ControlDirectory, dialect: Dialect) {
    self.control = control
    self.dialect = dialect
  }

  public func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy? {
    let strictness = try strictness()
    guard let file = try control.file("trustanchors"), !file.firstLine.isEmpty else {
      // Without a word this would be mail in clear for somebody who asked for the strictest.
      if let strictness, strictness.value >= 2 {
        throw .unusable(strictness.place, "it asks for TLS, and control/trustanchors has none to trust")
      }
      return nil
    }
    let place = file.place(line: 1)
    guard let strictness, strictness.value > 0 else { return TLSPolicy(.may, source: place) }
    var policy = TLSPolicy(strictness.value == 1 ? .may : .name, source: strictness.place)
    // Its documented meaning: look for a server that has TLS, and give it to somebody in clear only if there is none.
    if strictness.value == 1 { policy.clear = .last } else { policy.anchors = anchors(dialect.path(file.firstLine)) }
    return policy
  }

  private func anchors(_ path: Bytes) -> TLSPolicy.Anchors {
    path.last == UInt8(ascii: "/") ? .directory(path) : .file(path)
  }

  private func strictness() throws(DeliveryFailure) -> (value: Int, place: String)? {
    guard let file = try control.file("tlsstrictness"), !file.firstLine.isEmpty else { return nil }
    let place = file.place(line: 1)
    // What isn't understood may have been meant strictly.
    guard let value = file.firstLine.decimal else {
      throw .unusable(place, "\(file.firstLine.printable.text) is none of 0, 1 and 2")
    }
    return (value, place)
  }
}
