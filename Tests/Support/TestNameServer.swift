// A name server of a test: answers questions over UDP from a table, in bytes that it puts together itself.
import Foundation

public final class TestNameServer: Sendable {
  /// A question in text: `farthest.example MX`.
  public typealias Question = String

  public let port: UInt16
  private let address: String
  private let descriptor: Int32
  private let table: Table
  private let asked = Shared<[Question]>([])
  private let stopping = Shared(false)
  /// Answers over TCP what the datagrams only say is too long.
  private let stream: ScriptedServer?

  /// For QMAILREMOTE_RESOLVER.
  public var resolver: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }

  /// The questions so far, in the order they came.
  public var questions: [Question] { asked.value }

  /// In the network namespace of the calling thread.
  /// - Parameter zone: lines `name MX preference exchanger`, `name A address`, `name AAAA address`, `name CNAME name`,
  ///   `name TYPE SERVFAIL` and `name TYPE NODATA`. A name that has no line doesn't exist.
  /// - Parameter truncates: answers don't fit in datagrams, whatever their size.
  public init(address: String = "127.0.0.1", zone: String, truncates: Bool = false) throws {
    table = try Table(zone: zone)
    self.address = address
    stream = truncates ? try TestNameServer.answerStreams(address, table) : nil
    let name = try SocketName(address, stream?.port ?? 0)
    descriptor = socket(name.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0, name.bind(descriptor), let port = SocketName.port(of: descriptor) else {
      throw SpawnFault(description: "a name server at \(address): \(String(cString: strerror(errno)))")
    }
    self.port = port
    Thread.detachNewThread { [self] in serve() }
  }

  public func finish() {
    stopping.change { $0 = true }
    stream?.finish()
  }

  /// RFC 1035 section 4.2.2: each message with its length before it.
  private static func answerStreams(_ address: String, _ table: Table) throws -> ScriptedServer {
    try ScriptedServer(address: address) { peer in
      while let length = try? peer.take(2) {
        let query = try peer.take(Int(length[0]) << 8 | Int(length[1]))
        guard let (_, response) = table.response(to: query) else { return }
        try peer.send([UInt8(response.count >> 8), UInt8(response.count & 0xff)] + response)
      }
    }
  }

  private func serve() {
    var block = [UInt8](repeating: 0, count: 4_096)
    while !stopping.value {
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&polled, 1, 10) > 0 else { continue }
      var sender = sockaddr_in6()
      var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
      withUnsafeMutablePointer(to: &sender) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
          let count = recvfrom(descriptor, &block, block.count, 0, sender, &length)
          let query = Array(block[..<max(count, 0)])
          guard let (question, response) = table.response(to: query, isTruncated: stream != nil) else { return }
          asked.change { $0.append(question) }
          _ = sendto(descriptor, response, response.count, 0, sender, length)
        }
      }
    }
    close(descriptor)
  }
}

/// The zone, and answers from it.
private struct Table: Sendable {
  private enum Answer: Sendable {
    /// Each without its name.
    case records([[UInt8]])
    case code(UInt8)
  }

  private let answers: [String: Answer]
  private let names: Set<String>
  private let aliases: [String: String]

  private static let types: [String: UInt16] = ["A": 1, "CNAME": 5, "MX": 15, "AAAA": 28]

  init(zone: String) throws {
    var answers: [String: Answer] = [:]
    var names: Set<String> = []
    var aliases: [String: String] = [:]
    for line in zone.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count >= 3, let type = Table.types[words[1]] else {
        throw SpawnFault(description: "the zone's line \(line)")
      }
      names.insert(words[0])
      let question = "\(words[0]) \(words[1])"
      if words[2] == "SERVFAIL" { answers[question] = .code(2) }
      if words[2] == "SERVFAIL" || words[2] == "NODATA" { continue }
      if words[1] == "CNAME" { aliases[words[0]] = words[2] }
      var records: [[UInt8]] = []
      if case .records(let earlier) = answers[question] { records = earlier }
      records.append(try Table.record(type, Array(words.dropFirst(2))))
      answers[question] = .records(records)
    }
    self.answers = answers
    self.names = names
    self.aliases = aliases
  }

  /// RFC 1035 section 4: the question again, and the answers, an alias first.
  /// - Parameter isTruncated: leave the answers away, and say so.
  /// - Returns: the question in text, and the answer.
  func response(to query: [UInt8], isTruncated: Bool = false) -> (String, [UInt8])? {
    var offset = 12
    var labels: [String] = []
    while offset < query.count, query[offset] > 0 {
      let end = offset + 1 + Int(query[offset])
      guard end < query.count else { return nil }
      labels.append(String(decoding: query[(offset + 1)..<end], as: UTF8.self))
      offset = end
    }
    guard offset + 5 <= query.count else { return nil }
    let type = UInt16(query[offset + 1]) << 8 | UInt16(query[offset + 2])
    var name = labels.joined(separator: ".").lowercased()
    let typeName = Table.types.first { $0.value == type }?.key ?? "TYPE\(type)"
    let question = "\(name) \(typeName)"

    var records: [[UInt8]] = []
    if typeName != "CNAME", let target = aliases[name], case .records(let alias) = answers["\(name) CNAME"] {
      records = alias.map { Table.wireName(name) + $0 }
      name = target
    }
    // The code is that of the end of the chain (RFC 6604 section 3).
    var code: UInt8 = names.contains(name) ? 0 : 3
    switch answers["\(name) \(typeName)"] {
    case .records(let found): records += found.map { Table.wireName(name) + $0 }
    case .code(let failure): code = failure
    case nil: break
    }
    if isTruncated { return (question, query[..<2] + [0x83, 0x80 | code, 0, 1, 0, 0, 0, 0, 0, 0] + query[12..<(offset + 5)]) }
    let header = query[..<2] + [0x81, 0x80 | code, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
    return (question, header + query[12..<(offset + 5)] + records.flatMap(\.self))
  }

  /// A record without its name.
  private static func record(_ type: UInt16, _ data: [String]) throws -> [UInt8] {
    var bytes: [UInt8] = []
    switch type {
    case 1, 28:
      bytes = [UInt8](repeating: 0, count: type == 1 ? 4 : 16)
      guard inet_pton(type == 1 ? AF_INET : AF_INET6, data[0], &bytes) == 1 else {
        throw SpawnFault(description: "\(data[0]) is no address")
      }
    case 15:
      guard data.count == 2, let preference = UInt16(data[0]) else { throw SpawnFault(description: "an MX record \(data)") }
      bytes = word(preference) + wireName(data[1])
    default: bytes = wireName(data[0])
    }
    return word(type) + word(1) + [0, 0, 0, 60] + word(UInt16(bytes.count)) + bytes
  }

  private static func word(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

  /// `.` is the root.
  private static func wireName(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }
}
