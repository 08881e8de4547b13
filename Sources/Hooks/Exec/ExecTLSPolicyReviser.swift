// The program `tls` as a reviser of policies.
internal import Agent

/// Asks the program, once for all candidates, what TLS has to prove with them.
struct ExecTLSPolicyReviser: TLSPolicyReviser {
  let runner: HookRunner
  let program: HookProgram

  private static let keys =
    ["level", "cafile", "cadir", "ciphers", "depth", "fingerprint", "port", "implicit", "tlsa", "override"].map { HookKey($0) }
    + [HookKey("name", .anyNumber)]

  func revision(
    of subjects: [TLSSubject], for question: RouteQuestion, environment: Environment
  ) throws(DeliveryFailure) -> TLSRevision? {
    var asked = HookQuestion(question)
    for subject in subjects {
      asked.add("name", subject.name.printable)
      asked.add("address", Bytes(subject.address.text))
      asked.add("port", Bytes("\(subject.port)"))
      asked.add("level", Bytes(subject.level.rawValue))
    }
    guard let answer = try runner.ask(program, asked, environment, keys: ExecTLSPolicyReviser.keys) else { return nil }
    let place = program.point.place
    do throws(HookFault) {
      return try TLSRevision(answer, place: place, dialect: runner.dialect)
    } catch {
      throw .hookFailed(place, error.words)
    }
  }
}

extension TLSRevision {
  /// - Throws: what is wrong with an answer: one that demands less than it seems to would be mail to the wrong server.
  init(_ answer: HookAnswer, place: String, dialect: Dialect) throws(HookFault) {
    guard let word = answer.value("level") else { throw HookFault("its answer has no level") }
    guard let level = TLSPolicy.Level(rawValue: word.text) else { throw HookFault("its answer has the level \(shown(word))") }
    var policy = TLSPolicy(level, source: place)
    policy.anchors = try TLSRevision.anchors(answer, level, dialect)
    policy.names = answer.lines.filter { $0.key == "name" }.map(\.value)
    guard policy.names.allSatisfy({ !$0.isEmpty }) else { throw HookFault("its answer has an empty name") }
    policy.pin = try TLSRevision.pin(answer, level)
    policy.ciphers = answer.value("ciphers").flatMap { $0.isEmpty ? nil : $0 }
    policy.depth = try TLSRevision.number(answer, "depth", 0...100)
    policy.port = try TLSRevision.number(answer, "port", 1...65_535).flatMap(UInt16.init(exactly:))
    let implicit = try TLSRevision.flag(answer, "implicit")
    let overrides = try TLSRevision.flag(answer, "override") ?? false
    self.init(
      policy, force: overrides ? .overrides : .raises, start: implicit.map { $0 ? .implicit : .startTLS },
      records: try TLSRevision.records(answer, level))
  }

  private static func anchors(
    _ answer: HookAnswer, _ level: TLSPolicy.Level, _ dialect: Dialect
  ) throws(HookFault) -> TLSPolicy.Anchors? {
    switch (answer.value("cafile"), answer.value("cadir")) {
    case (nil, nil): return level == .verify || level == .name ? .system : nil
    case (let file?, nil) where !file.isEmpty: return .file(dialect.path(file))
    case (nil, let folder?) where !folder.isEmpty: return .directory(dialect.path(folder))
    case (_?, _?): throw HookFault("its answer has cafile and cadir")
    case (_?, nil), (nil, _?): throw HookFault("its answer has authorities without a path")
    }
  }

  private static func pin(_ answer: HookAnswer, _ level: TLSPolicy.Level) throws(HookFault) -> Bytes? {
    guard let text = answer.value("fingerprint") else {
      if level == .pin { throw HookFault("its answer has no fingerprint") }
      return nil
    }
    guard level == .pin else { throw HookFault("its answer has a fingerprint at level \(level.rawValue)") }
    guard let digest = Bytes.hexadecimal(text.filter { $0 != UInt8(ascii: ":") }), TLSPolicy.pinLengths.contains(digest.count)
    else { throw HookFault("its answer has a fingerprint that is none") }
    return digest
  }

  private static func records(_ answer: HookAnswer, _ level: TLSPolicy.Level) throws(HookFault) -> TLSPolicy.RecordUse? {
    switch answer.value("tlsa")?.text {
    case nil: return level == .dane ? .always : nil
    case "use": return .always
    case "skip" where level == .dane: throw HookFault("its answer has level dane without TLSA")
    case "skip": return .skip
    case let other?: throw HookFault("its answer has tlsa=\(shown(Bytes(other)))")
    }
  }

  private static func number(_ answer: HookAnswer, _ key: String, _ range: ClosedRange<Int>) throws(HookFault) -> Int? {
    guard let text = answer.value(key) else { return nil }
    guard let number = text.decimal, range.contains(number) else { throw HookFault("its answer has \(key)=\(shown(text))") }
    return number
  }

  private static func flag(_ answer: HookAnswer, _ key: String) throws(HookFault) -> Bool? {
    switch answer.value(key)?.text {
    case nil: return nil
    case "1": return true
    case "0": return false
    case let other?: throw HookFault("its answer has \(key)=\(shown(Bytes(other)))")
    }
  }
}

private func shown(_ text: Bytes) -> String { text.prefix(40).printable.text }
