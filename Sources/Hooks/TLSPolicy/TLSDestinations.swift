// tlsdestinations: the demands of s/qmail (qmail-remote(8)), looked up by the host of argv or the relay in its place, then by the mail
// exchanger, then in general. A line that is bound to other senders is as good as none.
public import Agent

/// The control file tlsdestinations.
public final class TLSDestinations: TLSPolicySource {
  private let control: ControlDirectory
  private let dialect: Dialect
  /// Read once, however many exchangers there are.
  private var file: ControlFile??

  public init(_ control: ControlDirectory, dialect: Dialect) {
    self.control = control
    self.dialect = dialect
  }

  public func policy(for question: TLSQuestion, environment: Environment) throws(DeliveryFailure) -> TLSPolicy? {
    if file == nil { file = .some(try control.file("tlsdestinations")) }
    guard let file = file ?? nil, let line = DestinationSearch(question).line(in: file) else { return nil }
    let place = file.place(line: line.number)
    do throws(DestinationRule.Fault) {
      let rule = try DestinationRule(line.value, dialect)
      return try rule.policy(line.kind, names: question.names, place: place)
    } catch {
      throw .unusable(place, error.words)
    }
  }
}

extension TLSQuestion {
  /// What a certificate may be for where a control file doesn't say: the exchanger, which DNS says, and the host that the mail is for.
  var names: [Bytes] {
    let exchanger = PolicyNames.withoutRoot(exchanger)
    // A certificate has the form that DNS has.
    guard let target = PolicyNames.forms(of: self.target).last, !target.isEmpty, !target.equalsIgnoringCase(exchanger) else {
      return [exchanger]
    }
    return [exchanger, target]
  }
}

/// The forms of a host's name that policies and certificates may have.
enum PolicyNames {
  /// As it was written and as DNS has it. The root's dot, which anybody may write behind an address, must not get round a policy.
  static func forms(of host: Domain) -> [Bytes] {
    let written = withoutRoot(host.text)
    guard written.contains(where: { $0 > 127 }), let ascii = host.aLabelIfAny, ascii != written else { return [written] }
    return [written, ascii]
  }

  static func withoutRoot(_ name: Bytes) -> Bytes {
    name.count > 1 && name.last == UInt8(ascii: ".") ? name.dropLast() : name
  }
}

/// The search for one question: all keys that would answer it, and their order.
struct DestinationSearch {
  /// A line that was found.
  struct Line {
    let number: Int
    let kind: DestinationClass
    let value: ArraySlice<UInt8>
  }

  private struct Key {
    let text: Bytes
    let kind: DestinationClass
  }

  private let keys: [Key]
  /// Without the root's dot; nil for the null sender.
  private let senderDomain: ArraySlice<UInt8>?

  init(_ question: TLSQuestion) {
    let targets = PolicyNames.forms(of: question.target)
    let exchanger = PolicyNames.withoutRoot(question.exchanger)
    var keys: [Key] = []
    func add(_ kind: DestinationClass, _ names: [Bytes]) {
      for name in names { keys += kind.keys(for: name).map { Key(text: $0, kind: kind) } }
    }
    for (index, kind) in DestinationClass.specific.enumerated() {
      add(kind, targets)
      if index == 0 { add(DestinationClass.forbidden, [[]]) }
    }
    if !targets.contains(where: { $0.equalsIgnoringCase(exchanger) }) {
      for kind in DestinationClass.specific { add(kind, [exchanger]) }
    }
    for kind in DestinationClass.general { add(kind, [[]]) }
    self.keys = keys
    senderDomain = question.sender.domain.map { $0.last == UInt8(ascii: ".") ? $0.dropLast() : $0 }
  }

  /// The line for the first key that the file has, in one pass. Of lines with one key those bound to the sender's domain come first,
  /// then the last wins, as in every control file.
  func line(in file: ControlFile) -> Line? {
    var found: (rank: Int, isBound: Bool, line: Line)?
    file.forEachLine { number, text in
      guard let colon = DestinationSearch.keyEnd(text) else { return }
      let key = text[..<colon]
      guard let rank = keys.firstIndex(where: { $0.text.equalsIgnoringCase(key) }) else { return }
      let value = text[(colon + 1)...]
      let bound = DestinationRule.senders(value)
      if let bound, !binds(bound) { return }
      if let found, rank > found.rank || rank == found.rank && found.isBound && bound == nil { return }
      found = (rank, bound != nil, Line(number: number, kind: keys[rank].kind, value: value))
    }
    return found?.line
  }

  /// Whether the sender is of that domain or below it.
  private func binds(_ domain: ArraySlice<UInt8>) -> Bool {
    guard let sender = senderDomain else { return false }
    if domain.first != UInt8(ascii: "."), sender.equalsIgnoringCase(domain) { return true }
    let suffix = domain.first == UInt8(ascii: ".") ? Bytes(domain) : Bytes(".") + domain
    return sender.count > suffix.count && sender.suffix(suffix.count).equalsIgnoringCase(suffix)
  }

  /// Where the colon after the key stands: the first, but for those of an address literal in brackets.
  private static func keyEnd(_ line: ArraySlice<UInt8>) -> Int? {
    if let bracket = line.prefix(2).firstIndex(of: UInt8(ascii: "[")),
      let end = line[bracket...].firstIndex(of: UInt8(ascii: "]")),
      end + 1 < line.endIndex, line[end + 1] == UInt8(ascii: ":")
    {
      return end + 1
    }
    return line.firstIndex(of: UInt8(ascii: ":"))
  }
}
