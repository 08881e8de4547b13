// How a program around a delivery ends: what it has to say to a person or to another program, and its exit status.
internal import CSystem

package struct Ending: Equatable, Sendable {
  package let output: Bytes
  package let errors: Bytes
  package let status: Int32

  package init(output: Bytes = [], errors: Bytes = [], status: Int32) {
    self.output = output
    self.errors = errors
    self.status = status
  }

  /// What a person has to mend, and trouble of the system: qmail's exit statuses for them.
  package static let usageStatus: Int32 = 100
  package static let troubleStatus: Int32 = 111

  /// Writes all of it. The caller exits.
  package func write() {
    Ending.write(output, to: 1)
    Ending.write(errors, to: 2)
  }

  private static func write(_ bytes: Bytes, to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe CSystem.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, csys_errno() != EINTR { return }
      rest = rest.dropFirst(max(count, 0))
    }
  }
}
