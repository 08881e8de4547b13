// Bounce address tag validation: the sender gets a tag that shows, when a bounce comes back to it, that the mail was ours. Knows which
// senders get one; BATVTag makes it.
public import Agent

/// Tags the sender of mail, if the site has a key.
public struct BATV: EnvelopeRewriter {
  private let control: ControlDirectory
  private let wallSeconds: Int64

  public init(_ control: ControlDirectory, _ circumstances: Circumstances) {
    self.control = control
    wallSeconds = circumstances.wallSeconds
  }

  /// A sender that begins so asks for no tag: it goes out without this.
  private static let untaggedMarker = Bytes("sb*-")
  static let secondsOfDay: Int64 = 86_400

  public func sender(
    _ sender: Address, for question: RouteQuestion, route: Route?, environment: Environment
  ) throws(DeliveryFailure) -> SenderDecision? {
    guard !sender.isNull, let settings = try BATVSettings(control, environment) else { return nil }
    if sender.raw.starts(with: BATV.untaggedMarker), sender.raw.count > BATV.untaggedMarker.count {
      return SenderDecision(
        Address(Bytes(sender.raw.dropFirst(BATV.untaggedMarker.count))), reason: "not tagged, as its beginning sb*- asked for")
    }
    if let reason = try reasonAgainst(sender, question, route, settings, environment) {
      return SenderDecision(sender, reason: "not tagged: \(reason)")
    }
    let tag = BATVTag(settings.format, key: settings.key, day: Int(wallSeconds / BATV.secondsOfDay))
    let tagged = Address(try tag.tagged(try BATV.sent(sender)))
    // Nothing is lost without a tag; a line that no server takes loses the mail.
    if let fault = tagged.fault(as: .sender) { return SenderDecision(sender, reason: "not tagged: with a tag it \(fault)") }
    return SenderDecision(tagged, reason: "tagged (\(settings.source))")
  }

  private func reasonAgainst(
    _ sender: Address, _ question: RouteQuestion, _ route: Route?, _ settings: BATVSettings, _ environment: Environment
  ) throws(DeliveryFailure) -> String? {
    if sender.raw.starts(with: BATVTag.marker) { return "it is tagged already" }
    // Every name by which the other side is known before DNS is asked, and not the first recipient's alone: a server that refuses tags
    // refuses the message for all.
    let remotes =
      question.recipients.compactMap(\.domain) + [question.host.text[...]] + (route?.line.relay.map { [$0.text[...]] } ?? [])
    if let place = try BATVSettings.place(ofAnyOf: remotes, in: "batvnosignremote", control, environment) {
      return "the remote host is in \(place)"
    }
    let locals = question.sender.domain.map { [$0] } ?? []
    if let place = try BATVSettings.place(ofAnyOf: locals, in: "batvnosignlocals", control, environment) {
      return "its domain is in \(place)"
    }
    // indimail's check takes what follows the last `=` for the original address: the bounce of a tagged SRS or VERP sender would be
    // refused by the site itself.
    if settings.format == .madeOn, sender.raw.dropLast(sender.domain.map(\.count) ?? 0).contains(UInt8(ascii: "=")) {
      return "its local part has a =, behind which its tag could not be checked"
    }
    return nil
  }

  /// What the tag is made of: the address without quotes, which is how a receiver reads it, and with the domain in the form that comes
  /// back. For almost all senders that is the address itself.
  private static func sent(_ sender: Address) throws(DeliveryFailure) -> Bytes {
    guard let domain = sender.domain else { return sender.raw }
    return Bytes(sender.raw.dropLast(domain.count)) + (try Domain.aLabel(of: domain))
  }
}
