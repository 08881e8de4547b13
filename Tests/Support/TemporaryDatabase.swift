// An unnamed file for making constant databases in.
import CSystem

public final class TemporaryDatabase {
  public let descriptor: Int32

  public init?() {
    descriptor = csys_memory_file("", 0)
    guard descriptor >= 0 else { return nil }
  }

  deinit { close(descriptor) }

  public func content() -> [UInt8] {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: size)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, size, 0) }
    return Array(bytes.prefix(max(count, 0)))
  }
}
