// What ends a delivery on account of a program of the site: its own word, or its failure to say one.
internal import Agent

extension DeliveryFailure {
  /// Whatever isn't an answer is tried again: a broken program must not bounce mail.
  static func hookFailed(_ place: String, _ words: String) -> DeliveryFailure {
    DeliveryFailure(.init(.temporary, 3, 0), Bytes("Unable to use \(place): \(words)."))
  }

  /// The program said no: for good or for now, in the first line that it wrote to descriptor 2. The codes are those by which qmail-smtpd
  /// passes on the same answers of a program in front of the queue.
  static func hookDeclined(_ place: String, _ status: Int32, _ disposition: EnhancedStatus.Disposition, errors: Bytes)
    -> DeliveryFailure
  {
    let verb = disposition == .permanent ? "refuses" : "defers"
    let text = firstLine(errors)
    return DeliveryFailure(
      .init(disposition, 3, 0), text.isEmpty ? Bytes("\(place) \(verb) the message.") : text,
      detail: Bytes("\(place), exit status \(status)"))
  }

  /// A value in an answer that the agent itself refuses: the words stay, the program is to blame.
  var ofHook: DeliveryFailure { DeliveryFailure(.init(.temporary, 3, 0), words, detail: detail) }

  private static let textLimit = 200

  /// What a program says, as far as a report shows it.
  static func firstLine(_ errors: Bytes) -> Bytes {
    let line = errors.prefix { $0 != UInt8(ascii: "\n") }
    let ending: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
    let end = line.lastIndex { !ending.contains($0) } ?? -1
    return line.prefix(min(end + 1, textLimit)).map { $0 < 32 || $0 == 127 ? UInt8(ascii: "?") : $0 }
  }
}
