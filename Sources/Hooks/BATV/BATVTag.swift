// Tags of bounce address tag validation: making and checking them. Knows neither files nor which senders get one.
//
// A tagged sender is `prvs=KDDDSSSSSS=local@domain`: a digit for the key, three for a day, six hexadecimal ones of a digest. Only
// whoever holds the key can make the digest, so a bounce to such an address answers mail that was really sent.
package import Agent

/// What day and digest a tag has.
package enum BATVFormat: Equatable, Sendable {
  /// indimail's: the day on which the tag was made, and MD5 of digits, address and key. Its qmail-smtpd(8) takes no other.
  case madeOn
  /// That of draft-levine-smtp-batv: the day on which the tag expires, and HMAC-SHA1 of digits and address.
  case expiresOn(keyNumber: Int)

  /// The digit for the key.
  var keyNumber: Int {
    switch self {
    case .madeOn: 0
    case .expiresOn(let number): number
    }
  }

  /// Days that a tag is good for, unless somebody says otherwise.
  package static let lifetime = 7
}

/// What a check finds.
package enum BATVVerdict: Equatable, Sendable {
  case valid(original: Bytes)
  /// There is no tag.
  case missing
  /// There is one, of another key, another address or another format.
  case wrong
  /// So many days ago it was made, or expired; which day that is depends on the format.
  case expired(days: Int)
}

/// Makes and checks tags.
package struct BATVTag {
  private let format: BATVFormat
  private let key: Secret
  /// Since 1970, in UTC.
  private let today: Int
  private let lifetime: Int

  package init(_ format: BATVFormat, key: Secret, day: Int, lifetime: Int = BATVFormat.lifetime) {
    self.format = format
    self.key = key
    today = day
    self.lifetime = lifetime
  }

  package static let marker = Bytes("prvs=")
  /// Days are counted by three digits.
  private static let cycle = 1_000
  private static let digits = 4
  private static let digestLength = 6
  /// Marker, digits, digest, and the sign behind it.
  private static let length = marker.count + digits + digestLength + 1

  /// The address with a tag in front.
  /// - Throws: 4.3.0 without the library for digests.
  package func tagged(_ address: Bytes) throws(DeliveryFailure) -> Bytes {
    let day: Int =
      switch format {
      case .madeOn: today
      case .expiresOn: today + lifetime
      }
    let digits = BATVTag.decimal(format.keyNumber * BATVTag.cycle + BATVTag.modulo(day), count: BATVTag.digits)
    return BATVTag.marker + digits + (try digest(digits, address)) + Bytes("=") + address
  }

  /// Checks an address as the receiver of a bounce does.
  /// - Throws: 4.3.0 without the library for digests.
  package func check(_ address: Bytes) throws(DeliveryFailure) -> BATVVerdict {
    guard address.count > BATVTag.length, address.starts(with: BATVTag.marker) else { return .missing }
    let digits = address[BATVTag.marker.count...].prefix(BATVTag.digits)
    let found = address[digits.endIndex...].prefix(BATVTag.digestLength)
    guard let number = digits.decimal, number / BATVTag.cycle == format.keyNumber,
      let original = original(of: address, after: found.endIndex)
    else { return .wrong }
    // The day first, as batv(1) has it: a tag that is too old is called so, whoever made it.
    if let days = daysTooMany(number % BATVTag.cycle) { return .expired(days: days) }
    return found.equalsIgnoringCase(try digest(Bytes(digits), original)) ? .valid(original: original) : .wrong
  }

  /// How old a tag is that is too old; nil when it isn't.
  private func daysTooMany(_ day: Int) -> Int? {
    switch format {
    case .madeOn:
      let age = BATVTag.modulo(today - day)
      return age > lifetime ? age : nil
    case .expiresOn:
      return BATVTag.modulo(day - today) > lifetime ? BATVTag.modulo(today - day) : nil
    }
  }

  /// What the tag is in front of; nil when nothing follows it. indimail's check looks for the last `=` of the local part.
  private func original(of address: Bytes, after end: Int) -> Bytes? {
    let equals = UInt8(ascii: "=")
    let start: Int?
    switch format {
    case .madeOn:
      let localPart = address[..<(address.lastIndex(of: UInt8(ascii: "@")) ?? address.endIndex)]
      start = localPart.lastIndex(of: equals)
    case .expiresOn: start = address[end] == equals ? end : nil
    }
    guard let start, start >= end, start + 1 < address.endIndex else { return nil }
    return Bytes(address[(start + 1)...])
  }

  private func digest(_ digits: Bytes, _ address: Bytes) throws(DeliveryFailure) -> Bytes {
    let whole: Bytes
    switch format {
    case .madeOn:
      var text = digits + address
      // So that no copy of the key stays behind where the text has grown.
      text.reserveCapacity(text.count + key.count)
      key.append(to: &text)
      defer { text.wipe() }
      whole = try Digest.hash(.md5, text)
    case .expiresOn:
      var key = key.bytes
      defer { key.wipe() }
      whole = try Digest.hmac(.sha1, key: key, digits + address)
    }
    let hexadecimal = Bytes("0123456789abcdef")
    return whole.prefix(BATVTag.digestLength / 2).flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] }
  }

  private static func modulo(_ day: Int) -> Int { ((day % cycle) + cycle) % cycle }

  private static func decimal(_ number: Int, count: Int) -> Bytes {
    let text = Bytes(String(number))
    return Bytes(repeating: UInt8(ascii: "0"), count: max(count - text.count, 0)) + text
  }
}
