// A message in a file: what message filters get and make. A new one has no name and is gone with its last descriptor.
internal import CSystem

/// A message that can be read more than once.
public final class MessageFile {
  package let number: Int32
  private let start: off_t
  private let isOurs: Bool
  /// In bytes.
  public private(set) var count: Int

  /// An empty file, in the folder that TMPDIR names, else in /tmp.
  /// - Throws: 4.3.0 when it can't be made.
  public init(_ environment: Environment) throws(DeliveryFailure) {
    let folder = environment.value("TMPDIR") ?? []
    number = unsafe ((folder.isEmpty ? Bytes("/tmp") : folder) + [0]).withUnsafeBytes { bytes -> Int32 in
      guard let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
      return unsafe csys_temporary_file(start)
    }
    start = 0
    count = 0
    isOurs = true
    guard number >= 0 else { throw .messageUnwritable(csys_errno()) }
  }

  /// The rest of a file that somebody else has opened; nil when it is no file.
  package init?(descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, Int32(status.st_mode) & S_IFMT == S_IFREG else { return nil }
    number = descriptor
    start = max(lseek(descriptor, 0, SEEK_CUR), 0)
    count = max(Int(status.st_size - start), 0)
    isOurs = false
  }

  deinit { if isOurs, number >= 0 { _ = close(number) } }

  /// The bytes from a place on, at most `limit` of them; none at the end.
  /// - Throws: 4.3.0 when the file can't be read.
  public func read(at offset: Int, limit: Int) throws(DeliveryFailure) -> Bytes {
    guard let bytes = FileDescriptor.read(number, at: start + off_t(offset), limit: limit) else { throw .messageUnreadable }
    return bytes
  }

  /// - Throws: 4.3.0 when the bytes can't be written, or the message is the one on descriptor 0.
  public func append(_ bytes: Bytes) throws(DeliveryFailure) {
    guard isOurs else { throw .messageUnwritable(EBADF) }
    var written = 0
    while written < bytes.count {
      let place = off_t(count)
      let some = unsafe bytes.withUnsafeBytes { all in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: all[written...])
        return unsafe csys_pwrite(number, rest.baseAddress, rest.count, place)
      }
      guard some > 0 else { throw .messageUnwritable(some == 0 ? ENOSPC : csys_errno()) }
      written += some
      count += some
    }
  }

  /// For whoever gets the descriptor and reads on from where it stands.
  package func rewind() { _ = lseek(number, start, SEEK_SET) }
}

extension MessageFile: MessageSource {
  public var size: Int? { count }
  /// Reads on from where the descriptor stands.
  public func read(limit: Int) -> Bytes? { FileDescriptor.read(number, limit: limit) }
  public func peek(at offset: Int, limit: Int) -> Bytes? {
    FileDescriptor.read(number, at: start + off_t(offset), limit: limit)
  }
  public func seek(to offset: Int) -> Bool { lseek(number, start + off_t(offset), SEEK_SET) >= 0 }
}
