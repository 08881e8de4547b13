// One row of the table of look-ups: what is in DNS, what is to be delivered, and what the plan has to be. Knows nothing of who answers
// the questions: the rows are run against a fake resolver and against real servers.
import Support
import Testing

struct LookupCase: Sendable, CustomTestStringConvertible {
  enum Expectation: Sendable {
    /// The exchangers, best first, in the form of `Explanation.Exchanger.init(expected:)`.
    case plan([String])
    /// The message report, without its line end.
    case report(String)
  }

  let testDescription: String
  let host: String
  /// Lines of a ZoneTable, below one of its zones.
  let zone: String
  let expectation: Expectation
  private(set) var recipients = ["user@nowhere.example"]
  private(set) var dialect = "stock"
  private(set) var control = ["me": "me.example.net\n"]
  private(set) var variables: [String: String] = [:]
  /// The addresses of the candidates, a string for each preference; nil for all addresses of all exchangers.
  private(set) var candidates: [String]?
  private(set) var candidatePort = 25
  private(set) var startsWithV6 = true
  private(set) var canonicalRecipients: [String]?
  private(set) var leftOut: [String]?

  init(_ words: String, _ host: String, _ zone: String = "", plan: [String]) {
    testDescription = words
    self.host = host
    self.zone = zone
    expectation = .plan(plan)
  }

  init(_ words: String, _ host: String, _ zone: String = "", report: String) {
    testDescription = words
    self.host = host
    self.zone = zone
    expectation = .report(report)
  }

  // MARK: what is out of the ordinary

  func changed(_ change: (inout LookupCase) -> Void) -> LookupCase {
    var copy = self
    change(&copy)
    return copy
  }

  func control(_ name: String, _ content: String) -> LookupCase { changed { $0.control[name] = content } }

  func variable(_ name: String, _ value: String = "") -> LookupCase { changed { $0.variables[name] = value } }

  func dialect(_ name: String) -> LookupCase { changed { $0.dialect = name } }

  func candidates(_ groups: String...) -> LookupCase { changed { $0.candidates = groups } }

  func leftOut(_ lines: String...) -> LookupCase { changed { $0.leftOut = lines } }

  func port(_ port: Int) -> LookupCase { changed { $0.candidatePort = port } }

  /// IPv4 stands first wherever there are both.
  func v4First() -> LookupCase { changed { $0.startsWithV6 = false } }

  func recipients(_ recipients: [String], become canonical: [String]? = nil) -> LookupCase {
    changed {
      $0.recipients = recipients
      $0.canonicalRecipients = canonical
    }
  }

  // MARK: the delivery

  var environment: [String: String] { variables.merging(["QMAILREMOTE_DIALECT": dialect]) { $1 } }

  var operands: [String] {
    let extra = dialect == "indimail" ? ["", "1000"] : []
    return [host, "sender@example.net"] + extra + recipients
  }

  // MARK: the comparison

  /// Holds an explanation against the row.
  func check(_ output: String) throws {
    let found = try Explanation(output)
    switch expectation {
    case .report(let report): #expect(found.report == report + "\n", "\(output)")
    case .plan(let lines):
      try #require(found.report == nil, "\(output)")
      let wanted = try lines.map(Explanation.Exchanger.init(expected:))
      // Those of one preference come in any order.
      #expect(LookupCase.groups(found.exchangers, \.preference) == LookupCase.groups(wanted, \.preference), "\(output)")
      let groups = candidates?.map { Set($0.split(separator: " ").map(String.init)) }
      let all = LookupCase.groups(wanted, \.preference).map { $0.reduce(into: Set<String>()) { $0.formUnion($1.addresses) } }
      let tried = LookupCase.groups(found.candidates) { $0.preference ?? 0 }
      #expect(tried.map { Set($0.map(\.address)) } == groups ?? all.filter { !$0.isEmpty }, "\(output)")
      #expect(found.candidates.allSatisfy { $0.port == candidatePort }, "\(output)")
      // A resolver may give a name in the spelling of the question.
      if let canonicalRecipients { #expect(found.recipients.map { $0.lowercased() } == canonicalRecipients) }
      if let leftOut { #expect(Set(found.leftOut) == Set(leftOut)) }
      checkFamilies(found.candidates)
    }
  }

  /// Within a preference the families take turns for as long as there are both.
  private func checkFamilies(_ candidates: [Explanation.Candidate]) {
    for preference in Set(candidates.map(\.preference)) {
      let isV6 = candidates.filter { $0.preference == preference }.map { $0.address.contains(":") }
      let turns = 2 * min(isV6.count { $0 }, isV6.count { !$0 })
      for (index, isV6) in isV6.prefix(turns).enumerated() { #expect(isV6 == (index.isMultiple(of: 2) == startsWithV6)) }
    }
  }

  /// Neighbours of one preference together, as sets.
  private static func groups<Element: Hashable>(_ all: [Element], _ preference: (Element) -> Int) -> [Set<Element>] {
    var groups: [Set<Element>] = []
    var last: Int?
    for element in all {
      if preference(element) != last { groups.append([]) }
      groups[groups.count - 1].insert(element)
      last = preference(element)
    }
    return groups
  }
}

/// The reports that look-ups end in.
extension LookupCase {
  static let lookupFailed = "ZSorry, I couldn't find any host by that name. (#4.1.2)"
  static let noExchanger = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)"
  static let bestIsSelf = """
    DSorry. Although I'm listed as a best-preference MX or A for that host,
    it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)
    """

  static func noSuchHost(_ host: String) -> String { "DSorry, I couldn't find any host named \(host). (#5.1.2)" }

  static func noALabel(_ name: String, _ reason: String) -> String {
    "DSorry, \(name) is no valid internationalised domain: \(reason). (#5.1.2)"
  }

  static func nullExchanger(_ host: String) -> String {
    "DSorry, \(host) says by a null MX record that it takes no mail. (#5.1.10)"
  }

  static func aliasFailed(_ domain: String) -> String { "ZCNAME lookup failed temporarily for: \(domain). (#4.4.3)" }
}
