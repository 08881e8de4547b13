// What the tests of back-off share: tables as hexadecimal text, and a machine to remember failures on.
import Foundation
import Support
import Testing

@testable import Agent
@testable import Hooks

enum Tables {
  /// A moment whose bytes can be told apart: the one of the vectors.
  static let moment: Int64 = 0x65A1_B2C3

  static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(Array(text.utf8)), "\(text)") }

  static func candidate(_ text: String) throws -> Candidate {
    Candidate(exchanger: Array("mx.example".utf8), preference: 0, address: try address(text), port: 25)
  }

  /// Bytes from digits, blanks and `…`, which stands for zeros up to the size.
  static func bytes(_ hex: String, size: Int? = nil) throws -> [UInt8] {
    let digits = hex.filter { $0 != " " && $0 != "…" }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      bytes.append(try #require(UInt8(rest.prefix(2), radix: 16), "\(hex)"))
      rest = rest.dropFirst(2)
    }
    return bytes + [UInt8](repeating: 0, count: max(0, (size ?? 0) - bytes.count))
  }

  /// In groups of four bytes, for comparison with vectors.
  static func hex(_ bytes: some Collection<UInt8>) -> String {
    var words: [String] = []
    for (index, byte) in bytes.enumerated() {
      let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16)
      if index % 4 == 0 { words.append(digits) } else { words[words.count - 1] += digits }
    }
    return words.joined(separator: " ")
  }

  /// Little-endian, as hexadecimal text.
  static func little(_ number: Int64, _ width: Int = 4) -> String {
    hex((0..<width).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
  }
}

extension TableEdit {
  /// What a file holds after the edit.
  func applied(to bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    if let cut { bytes.removeSubrange(cut...) }
    while bytes.count < offset + self.bytes.count { bytes.append(0) }
    bytes.replaceSubrange(offset..<(offset + self.bytes.count), with: self.bytes)
    return bytes
  }
}

/// A machine with a queue in a temporary folder, and deliveries on it.
final class Machine {
  let folder: TemporaryFolder
  let dialect: Dialect
  let clock = TestClock()

  static let main = "queue/lock/tcpto"
  static let six = "home/run/qmail-remote/tcpto6"

  /// - Parameter tables: by name, as hexadecimal text that is filled up with zeros to the size of the dialect's table.
  init(_ dialect: Dialect, _ tables: [String: String] = [main: ""], size: Int? = nil) throws {
    folder = try TemporaryFolder()
    self.dialect = dialect
    for (name, hex) in tables {
      let usual = name == Machine.six ? 0 : dialect == .indimail ? 2_048 : 1_024
      try folder.write(name, Tables.bytes(hex, size: size ?? usual))
    }
  }

  /// The back-off of another delivery.
  func delivery(
    at moment: Int64 = Tables.moment, processID: Int32 = 32, patience: Int = TableFile.patience
  ) -> TimeoutBackOff {
    TimeoutBackOff(
      dialect, queue: Array("\(folder.path)/queue".utf8), run: Array("\(folder.path)/home/run/qmail-remote".utf8),
      Circumstances(clock: clock, wallSeconds: moment, seed: 0, processID: processID), patience: patience)
  }

  /// Another delivery, whose connection to an address runs into its time limit.
  func fail(_ address: String, at moment: Int64 = Tables.moment, _ limits: BackOffLimits = BackOffLimits()) throws {
    let delivery = delivery(at: moment)
    let candidate = try Tables.candidate(address)
    _ = delivery.isAvoided(candidate, limits)
    delivery.record(.failed(.silence(candidate)), limits)
  }

  /// Another delivery, whose connection comes about.
  func succeed(_ address: String, at moment: Int64 = Tables.moment, _ limits: BackOffLimits = BackOffLimits()) throws {
    let delivery = delivery(at: moment)
    let candidate = try Tables.candidate(address)
    _ = delivery.isAvoided(candidate, limits)
    for event in [BackOffEvent.connected(candidate), .greeted(candidate), .ready(candidate)] { delivery.record(event, limits) }
  }

  /// What another delivery would do.
  func avoids(
    _ address: String, at moment: Int64 = Tables.moment, _ limits: BackOffLimits = BackOffLimits()
  ) throws -> Bool {
    delivery(at: moment).isAvoided(try Tables.candidate(address), limits)
  }

  func table(_ name: String = main) throws -> [UInt8] { try folder.read(name) }
}

extension CandidateFailure {
  static func silence(_ candidate: Candidate) -> CandidateFailure {
    CandidateFailure(candidate, .connect, .broken(.transport(.timedOut)))
  }
}
