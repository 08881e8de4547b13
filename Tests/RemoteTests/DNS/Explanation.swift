// What qmail-remote-explain prints, read back as values, and the short form in which tables write them down.
import Support

/// A plan in words, taken apart.
struct Explanation: Equatable {
  /// What is known of one mail exchanger.
  struct Exchanger: Hashable {
    enum Trouble: String {
      case failed, addressless
    }

    enum TLSA: Hashable {
      case notAsked, none, failed
      case records(Int, isValidated: Bool)
    }

    let preference: Int
    /// In lower case: a resolver may give a name in the spelling of the question.
    let name: String
    let isValidated: Bool
    var addresses: Set<String> = []
    var trouble: Trouble?
    var tlsa = TLSA.notAsked
  }

  struct Candidate: Hashable {
    /// nil for a relay.
    let preference: Int?
    let name: String
    let address: String
    let port: Int
  }

  private(set) var exchangers: [Exchanger] = []
  private(set) var candidates: [Candidate] = []
  private(set) var recipients: [String] = []
  /// `who: why`.
  private(set) var leftOut: [String] = []
  /// Instead of a plan.
  private(set) var report: String?

  init(_ output: String) throws {
    if output.hasPrefix("report: ") {
      report = String(output.dropFirst("report: ".count))
      return
    }
    for line in output.split(separator: "\n").map(String.init) {
      guard let colon = line.range(of: ": ") else { throw SpawnFault(description: "the explanation's line \(line)") }
      let decision = String(line[colon.upperBound...])
      switch line[..<colon.lowerBound].split(separator: " ").first {
      case "exchanger": exchangers.append(try Exchanger(printed: decision))
      case "candidate": candidates.append(try Candidate(printed: decision))
      case "recipient": recipients.append(String(decision.dropFirst().dropLast()))
      case "left": leftOut.append(decision)
      default: break
      }
    }
  }
}

extension Explanation.Exchanger {
  /// `10 mx.example, validated, 192.0.2.1, TLSA: 1 validated`
  fileprivate init(printed text: String) throws {
    let parts = text.components(separatedBy: ", ")
    let head = parts[0].split(separator: " ")
    guard head.count == 2, let preference = Int(head[0]), parts.count > 2,
      ["validated", "not validated"].contains(parts[1])
    else { throw SpawnFault(description: "the exchanger \(text)") }
    self.init(preference: preference, name: head[1].lowercased(), isValidated: parts[1] == "validated")
    if parts[2] == "no address" {
      trouble = .addressless
    } else if parts[2].hasPrefix("DNS: ") {
      trouble = .failed
    } else {
      addresses = Set(parts[2].split(separator: " ").map(String.init))
    }
    guard parts.count > 3 else { return }
    let words = parts[3].split(separator: " ").map(String.init)
    switch (words[0], words[1]) {
    case ("TLSA:", "none"): tlsa = .none
    case ("TLSA:", "DNS:"): tlsa = .failed
    case ("TLSA:", let count): tlsa = .records(Int(count) ?? -1, isValidated: words[2] == "validated")
    default: throw SpawnFault(description: "the exchanger \(text)")
    }
  }

  /// As tables have it: `10 mx.example validated 192.0.2.1 2001:db8::1 TLSA 1`. Instead of `validated` there may be `unvalidated`,
  /// instead of addresses `failed` or `addressless`, and instead of the number of TLSA records `none` or `failed`; `1?` is one that
  /// was not validated. Without TLSA at the end, it must not have been asked.
  init(expected text: String) throws {
    var words = text.split(separator: " ").map(String.init)
    guard words.count >= 4, let preference = Int(words[0]), ["validated", "unvalidated"].contains(words[2]) else {
      throw SpawnFault(description: "the expected exchanger \(text)")
    }
    self.init(preference: preference, name: words[1], isValidated: words[2] == "validated")
    if words.count > 5, words[words.count - 2] == "TLSA" {
      let state = words[words.count - 1]
      switch state {
      case "none": tlsa = .none
      case "failed": tlsa = .failed
      default: tlsa = .records(Int(state.prefix { $0 != "?" }) ?? -1, isValidated: !state.hasSuffix("?"))
      }
      words.removeLast(2)
    }
    trouble = Trouble(rawValue: words[3])
    if trouble == nil { addresses = Set(words[3...]) }
  }
}

extension Explanation.Candidate {
  /// `192.0.2.1 port 25, mx.example, preference 10`, or `192.0.2.1 port 26, the relay mx.example`
  fileprivate init(printed text: String) throws {
    let parts = text.components(separatedBy: ", ")
    let head = parts[0].split(separator: " ").map(String.init)
    let relay = "the relay "
    guard head.count == 3, head[1] == "port", let port = Int(head[2]), parts.count > 1 else {
      throw SpawnFault(description: "the candidate \(text)")
    }
    let isRelay = parts.count == 2 && parts[1].hasPrefix(relay)
    self.init(
      preference: isRelay ? nil : parts.last.flatMap { Int($0.dropFirst("preference ".count)) },
      name: (isRelay ? String(parts[1].dropFirst(relay.count)) : parts[1]).lowercased(), address: head[0], port: port)
  }
}
