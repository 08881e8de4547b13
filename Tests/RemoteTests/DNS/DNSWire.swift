// DNS messages put together by hand (RFC 1035 section 4), right or wrong as a test wants them.
import Foundation
import Support

@testable import Agent

enum DNSWire {
  static func word(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 0xff), UInt8(number & 0xff)] }

  /// Without compression. The root is empty or a dot.
  static func name(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  static func record(_ owner: String, _ type: RecordType, _ data: [UInt8], recordClass: Int = 1) -> [UInt8] {
    name(owner) + word(Int(type.rawValue)) + word(recordClass) + [0, 0, 14, 16] + word(data.count) + data
  }

  static func address(_ owner: String, _ text: String) -> [UInt8] {
    record(owner, text.contains(":") ? .aaaa : .a, IPAddress(Array(text.utf8))?.bytes ?? [])
  }

  static func exchanger(_ owner: String, _ preference: Int, _ target: String) -> [UInt8] {
    record(owner, .mx, word(preference) + name(target))
  }

  static func question(_ name: String, _ type: RecordType) -> [UInt8] {
    DNSWire.name(name) + word(Int(type.rawValue)) + word(1)
  }

  /// Asks once, over UDP, in the network of the calling thread.
  /// - Returns: nil when no answer comes in time.
  static func ask(_ host: String, _ type: RecordType, at address: String, _ port: UInt16) throws -> [UInt8]? {
    let name = try SocketName(address, port)
    let descriptor = socket(name.family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    let query: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question(host, type)
    guard name.connect(descriptor), send(descriptor, query, query.count, 0) == query.count else { return nil }
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&polled, 1, 500) > 0 else { return nil }
    var block = [UInt8](repeating: 0, count: 4_096)
    let count = recv(descriptor, &block, block.count, 0)
    return count > 0 ? Array(block[..<count]) : nil
  }
}

/// A response, ordinary unless it is changed.
struct DNSResponse {
  var id: [UInt8]
  /// QR, RD and RA are set; the low byte ends in the code.
  var flags = 0x8180
  var questions: [[UInt8]]
  var answers: [[UInt8]] = []
  /// If it isn't the number of answers.
  var claimedAnswers: Int?

  init(to query: HandmadeNameServer.Query, _ answers: [[UInt8]] = []) {
    id = Array(query.bytes[..<2])
    questions = [DNSWire.question(query.name, query.type ?? .a)]
    self.answers = answers
  }

  static let validated = 0x20
  static let truncated = 0x200

  func with(_ change: (inout DNSResponse) -> Void) -> DNSResponse {
    var copy = self
    change(&copy)
    return copy
  }

  var bytes: [UInt8] {
    id + DNSWire.word(flags) + DNSWire.word(questions.count) + DNSWire.word(claimedAnswers ?? answers.count) + [0, 0, 0, 0]
      + questions.flatMap(\.self) + answers.flatMap(\.self)
  }
}
