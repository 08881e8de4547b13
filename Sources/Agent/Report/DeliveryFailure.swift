// What ends a delivery before or without a mail server's word: bad operands, control files, DNS, our own machine. Each kind is made
// by a named constructor where the cause is known; becoming a report happens here, once.
internal import CSystem

/// Ends the delivery. The status says whether the mail is tried again (4) or bounced (5).
public struct DeliveryFailure: Error, Equatable, Sendable {
  public let status: EnhancedStatus
  /// For the person who reads the bounce; without the status code, with its full stop.
  public let words: Bytes
  /// A second line: the file and the line, or what the system said.
  public let detail: Bytes
  /// Recipients that the failure isn't about, because they take another route.
  var deferred: [DeferredRecipient] = []
  /// How far the delivery had come; nil when not even a route was decided.
  var decided: Decisions?
  /// What was to be delivered; nil when the operands were no envelope.
  var envelope: Envelope?

  public init(_ status: EnhancedStatus, _ words: Bytes, detail: Bytes = []) {
    self.status = status
    self.words = words
    self.detail = detail
  }

  init(_ status: EnhancedStatus, _ words: String, detail: String = "") {
    self.init(status, Bytes(words), detail: Bytes(detail))
  }

  /// All reports of a delivery that ends so.
  public var reports: Reports { Verdict.reports(report, deferred: deferred) }

  public var report: Report {
    var text = words + Bytes(" (#\(status))\n")
    if !detail.isEmpty { text += detail + [UInt8(ascii: "\n")] }
    return Report(Report.Kind(message: status.disposition), text)
  }
}

extension DeliveryFailure {
  static let improperInvocation = DeliveryFailure(.init(.permanent, 3, 5), "I (qmail-remote) was invoked improperly.")

  static func senderRefused(_ fault: String) -> DeliveryFailure {
    DeliveryFailure(.init(.permanent, 1, 7), "Sorry, the envelope sender \(fault).")
  }

  static func recipientRefused(_ fault: String) -> DeliveryFailure {
    DeliveryFailure(.init(.permanent, 1, 3), "Sorry, the recipient address \(fault).")
  }

  static func hostRefused(_ fault: String) -> DeliveryFailure {
    DeliveryFailure(.init(.permanent, 1, 3), "Sorry, the host \(fault).")
  }

  static func controlUnreadable(_ detail: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), "Unable to read control files.", detail: detail)
  }

  /// - Parameter name: of a control file.
  static func controlUnreadable(_ name: String, _ errorNumber: Int32) -> DeliveryFailure {
    .controlUnreadable("\(ControlFile.place(name)): \(unsafe String(cString: csys_error_text(errorNumber)))")
  }

  /// Neither `me` nor `helohost`.
  static let noName = DeliveryFailure.controlUnreadable("control/me: there is none, and no control/helohost")

  /// The same failure in the words that a dialect's log readers know.
  func worded(for dialect: Dialect) -> DeliveryFailure {
    guard dialect == .indimail, words == DeliveryFailure.noName.words else { return self }
    var worded = DeliveryFailure(
      status, Bytes("Unable to read control file."), detail: detail == DeliveryFailure.noName.detail ? [] : detail)
    worded.deferred = deferred
    worded.decided = decided
    worded.envelope = envelope
    return worded
  }

  /// A line that can't be followed. Deferring names it; guessing could send mail where nobody wanted it.
  static func controlInvalid(_ place: String, _ fault: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 5), "Unable to use \(place): \(fault).")
  }

  static func invalidLocalAddress(_ words: String, _ place: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), "\(words).", detail: place)
  }

  static func cannotBind(_ address: IPAddress) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), "System can't bind to local ip address: \(address.text).")
  }

  /// The next program of a chain.
  package static func unableToRun(_ program: Bytes, _ reason: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), Bytes("Unable to run ") + program.printable + Bytes(": \(reason)."))
  }

  /// As `controlInvalid`, for what stands at the doors of other modules.
  package static func unusable(_ place: String, _ fault: String) -> DeliveryFailure { .controlInvalid(place, fault) }

  static func systemResources(_ errorNumber: Int32) -> DeliveryFailure {
    let text = unsafe String(cString: csys_error_text(errorNumber))
    return DeliveryFailure(.init(.temporary, 3, 0), "System resources temporarily unavailable.", detail: text)
  }

  package static let messageUnreadable = DeliveryFailure(.init(.temporary, 3, 0), "Unable to read message.")

  static func messageUnwritable(_ errorNumber: Int32) -> DeliveryFailure {
    let text = unsafe String(cString: csys_error_text(errorNumber))
    return DeliveryFailure(.init(.temporary, 3, 0), "Unable to write message.", detail: text)
  }

  /// What the message was to be kept in while it is measured can't be had.
  static func cannotMeasure(_ reason: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), "Unable to measure a message from a pipe, as QMTP demands.", detail: reason)
  }

  static let partialLastLine = DeliveryFailure(
    .init(.permanent, 6, 2), "SMTP cannot transfer messages with partial final lines.")

  static let lookupFailed = DeliveryFailure(.init(.temporary, 1, 2), "Sorry, I couldn't find any host by that name.")

  /// RFC 7672 section 2.1: a server whose TLSA records may be hidden is left alone.
  static func recordsUnknown(_ exchanger: Bytes, _ reason: String) -> DeliveryFailure {
    let words = Bytes("Sorry, I couldn't find TLSA RR for this host.")
    return DeliveryFailure(.init(.temporary, 1, 2), words, detail: exchanger.printable + Bytes(": \(reason)"))
  }

  /// Somebody demands records of a server that has none.
  static func recordsMissing(_ exchanger: Bytes, _ place: String) -> DeliveryFailure {
    let words = Bytes("Sorry, there are no TLSA records for ") + exchanger.printable + Bytes(".")
    return DeliveryFailure(.init(.temporary, 7, 5), words, detail: Bytes("\(place) demands them"))
  }

  static func recordsDistrusted(_ exchanger: Bytes, _ opinion: String) -> DeliveryFailure {
    let words = Bytes("Sorry, ") + exchanger.printable + Bytes(" failed DANE validation.")
    return DeliveryFailure(.init(.temporary, 7, 5), words, detail: Bytes(opinion))
  }

  static func noSuchHost(_ host: Bytes) -> DeliveryFailure {
    let words = Bytes("Sorry, I couldn't find any host named ") + host.printable + Bytes(".")
    return DeliveryFailure(.init(.permanent, 1, 2), words)
  }

  /// RFC 5891 section 5: the name can't exist in DNS.
  static func noALabel(_ domain: Bytes, _ reason: String) -> DeliveryFailure {
    // UTF-8 is let through here: the name is what the reader has to recognise.
    let isUTF8 = String(validating: domain, as: UTF8.self) != nil
    let shown = isUTF8 ? domain.map { $0 < 33 || $0 == 127 ? UInt8(ascii: "?") : $0 } : domain.printable
    return DeliveryFailure(
      .init(.permanent, 1, 2), Bytes("Sorry, ") + shown + Bytes(" is no valid internationalised domain: \(reason)."))
  }

  /// Rules of our own leave nobody to connect to.
  static func nobodyLeft(_ family: FamilyPreference, _ leftOut: [LeftOut]) -> DeliveryFailure {
    // The last reason is that of the last address; with a rule for families it is usually that.
    let reason = leftOut.last { $0.address != nil }?.reason ?? "nothing"
    return DeliveryFailure(.init(.temporary, 4, 1), "Sorry, I wasn't able to establish an SMTP connection.", detail: reason)
  }

  package static func libraryMissing(_ detail: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), "System resources temporarily unavailable.", detail: detail)
  }

  static func aliasLookupFailed(_ domain: Bytes) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 4, 3), Bytes("CNAME lookup failed temporarily for: ") + domain.printable + Bytes("."))
  }

  static let noExchanger = DeliveryFailure(
    .init(.permanent, 4, 4), "Sorry, I couldn't find a mail exchanger or IP address.")

  /// RFC 7505 section 3.
  static func nullExchanger(_ host: Bytes) -> DeliveryFailure {
    DeliveryFailure(
      .init(.permanent, 1, 10), Bytes("Sorry, ") + host.printable + Bytes(" says by a null MX record that it takes no mail."))
  }

  static let bestExchangerIsSelf = DeliveryFailure(
    .init(.permanent, 4, 6),
    """
    Sorry. Although I'm listed as a best-preference MX or A for that host,
    it isn't in my control/locals file, so I don't treat it as local.
    """)

  static let noConnection = DeliveryFailure(
    .init(.temporary, 4, 1), "Sorry, I wasn't able to establish an SMTP connection.")

  static let noPackageConnection = DeliveryFailure(
    .init(.temporary, 4, 1), "Sorry, I wasn't able to establish an QMTP connection.")
}
