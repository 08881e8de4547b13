// The fuzzer's entry: the first byte chooses a parser, the rest is its input; with FUZZ_DNS set, all of it goes to the reader of DNS
// answers. Whatever comes, nothing may trap, and what a parser accepts must hold.
import CSystem

@testable import Agent

nonisolated(unsafe) private let dnsOnly = getenv("FUZZ_DNS") != nil

func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let choice = input.first else { return 0 }
  let rest = Array(input.dropFirst())
  if dnsOnly {
    dns(rest, RecordType.allCases[Int(choice) % RecordType.allCases.count])
    return 0
  }
  switch choice % 16 {
  case 0: route(rest)
  case 1: reply(rest)
  case 2: stuffing(rest)
  case 3: netstrings(rest)
  case 4: base64(rest)
  case 5: edits(rest)
  case 6: patterns(rest)
  case 7: destinations(rest)
  case 8: challenges(rest)
  case 9: tags(rest)
  case 10: json(rest)
  default: dns(rest, RecordType.allCases[Int(choice) % RecordType.allCases.count])
  }
  return 0
}

/// A response to a question for the name that stands in its own first question, so that the fuzzer gets past the comparison.
private func dns(_ bytes: [UInt8], _ type: RecordType) {
  // Header of a response with one question for `x` and the wanted type, then the fuzzer's records.
  let header: [UInt8] = [0, 1, 0x81, 0xa0, 0, 1, 0, UInt8(truncatingIfNeeded: bytes.count), 0, 0, 0, 0]
  let question: [UInt8] = [1, 0x78, 0, 0, UInt8(type.rawValue), 0, 1]
  let name: [UInt8] = [0x78]
  for response in [bytes, header + question + bytes] {
    switch DNSMessage.answer(in: response, to: DNSQuestion(name, type), believesAD: true) {
    case .records(let records, _): precondition(!records.isEmpty)
    case .noData, .noName, .failure: break
    }
  }
}

private func route(_ bytes: [UInt8]) {
  for dialect in Dialect.allCases { _ = try? RouteLine(bytes, dialect: dialect, place: "x") }
  let file = ControlFile(name: "x", bytes: bytes)
  for keys in [RouteKeys.dottedSuffixes, .bareDomains] {
    _ = try? DomainTable(file: file, keys: keys).entry(for: Array(bytes.prefix(40)))
  }
  _ = Domain(bytes).literal
  _ = IPBlock(bytes)
  precondition(!Address(bytes).mailbox.contains(0) || bytes.contains(0))
}

private func reply(_ bytes: [UInt8]) {
  var parser = ReplyParser()
  for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
    guard let reply = try? parser.take(line) else { continue }
    precondition((200...599).contains(reply.code))
    precondition(!reply.shown.contains { $0 < 32 && $0 != 10 && $0 != 9 })
    _ = Capabilities(reply)
    _ = reply.enhancedStatus
  }
}

/// However a message is cut, the wire is the same, and nothing in it ends the data early.
private func stuffing(_ bytes: [UInt8]) {
  let cut = Int(bytes.first ?? 0)
  var wires: [[UInt8]] = []
  for pieces in [[bytes[...]], [bytes.prefix(cut), bytes.dropFirst(cut)]] {
    var stuffer = DotStuffer(framing: .data)
    var output: [UInt8] = []
    var count = 0
    for piece in pieces { stuffer.encode(piece, into: &output, count: &count) }
    wires.append(Array(output[..<count]))
  }
  precondition(wires[0] == wires[1])
  var lines = wires[0].split(separator: 10, omittingEmptySubsequences: false)
  lines.removeLast()
  precondition(lines.allSatisfy { $0.last == 13 && !$0.elementsEqual([UInt8(ascii: "."), 13]) && !$0.dropLast().contains(13) })
}
