// Control file `deliverylog`: the records of all deliveries in one file, or sent to one socket (qmail-remote-record(5)).
public import Agent
internal import CSystem

/// Appends records to a file, each with one write, or sends them to a unix datagram socket. Waits for nobody, and never fails a delivery:
/// a record that can't be kept is lost.
public struct DeliveryLog: RecordSink {
  private let path: Bytes
  private let place: String

  private static let fileName = "deliverylog"

  /// - Returns: nil without the control file, or when it says nothing or can't be read.
  public init?(_ control: ControlDirectory) {
    do throws(DeliveryFailure) {
      guard let file = try control.file(DeliveryLog.fileName), !file.firstLine.isEmpty else { return nil }
      let name = Bytes(file.firstLine)
      path = name.first == UInt8(ascii: "/") ? name : control.path + Bytes("/") + name
      place = file.place
    } catch {
      return nil
    }
  }

  public var name: String { "\(path.printable.text) (\(place))" }

  public func take(_ record: Bytes, _ environment: Environment) {
    var status = stat()
    let isThere = unsafe path.withCString { path in unsafe path.map { unsafe stat($0, &status) } } == 0
    if isThere, Int32(status.st_mode) & S_IFMT == S_IFSOCK { send(record) } else { append(record) }
  }

  private func send(_ record: Bytes) {
    _ = unsafe path.withCString { path in
      unsafe record.withUnsafeBytes { bytes in unsafe path.map { unsafe csys_send_datagram($0, bytes.baseAddress, bytes.count) }
      }
    }
  }

  /// Of a file that is made here. Records tell who writes to whom.
  private static let mode: mode_t = 0o600

  private func append(_ record: Bytes) {
    let number = unsafe path.withCString { path in unsafe path.map { unsafe csys_open_appending($0, DeliveryLog.mode) } } ?? -1
    guard number >= 0 else { return }
    let file = FileDescriptor(owning: number)
    var status = stat()
    // A fifo, a device: not even a part of a record goes where it could make somebody wait.
    guard unsafe fstat(file.number, &status) == 0, Int32(status.st_mode) & S_IFMT == S_IFREG else { return }
    // The offset counts only for the limit of file sizes: the file is open for appending.
    _ = unsafe record.withUnsafeBytes { unsafe csys_pwrite(file.number, $0.baseAddress, $0.count, status.st_size) }
  }
}
