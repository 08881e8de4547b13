// Bytes that nobody may see but the server they are for.
internal import CSystem

/// A secret: kept apart so that no description, report or trace can print it by accident, and in memory that is cleared when nobody needs
/// it any more.
public struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  private let storage: Storage

  public init(_ bytes: some Collection<UInt8>) {
    let bytes = Bytes(bytes)
    storage = unsafe bytes.withUnsafeBytes { unsafe Storage(copying: $0) }
  }

  /// Takes the bytes away from their place, where nothing is left of them.
  public init(taking bytes: inout Bytes) {
    storage = unsafe bytes.withUnsafeBytes { unsafe Storage(copying: $0) }
    bytes.wipe()
  }

  public var count: Int { storage.count }

  /// A copy, which is the caller's to wipe.
  public var bytes: Bytes { storage.copy() }

  /// Appends a copy, which is the caller's to wipe. With enough room reserved there is only one.
  public func append(to bytes: inout Bytes) { storage.append(to: &bytes) }

  /// Clears the memory of this secret and of all its copies: they are empty from now on.
  public func wipe() { storage.wipe() }

  public static func == (one: Secret, other: Secret) -> Bool { one.storage === other.storage || one.bytes == other.bytes }

  public var description: String { "(secret)" }
  public var debugDescription: String { description }
}

/// One piece of memory. An array would leave copies of itself behind whenever it grows or is changed.
@safe private final class Storage: @unchecked Sendable {
  // Nothing but `wipe` changes it, and a delivery has one thread.
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count: Int

  init(copying bytes: UnsafeRawBufferPointer) {
    unsafe memory = .allocate(byteCount: bytes.count, alignment: 1)
    unsafe memory.copyMemory(from: bytes)
    count = bytes.count
  }

  deinit {
    wipe()
    unsafe memory.deallocate()
  }

  func copy() -> Bytes { unsafe Bytes(memory.prefix(count)) }

  func append(to bytes: inout Bytes) { unsafe bytes.append(contentsOf: memory.prefix(count)) }

  func wipe() {
    unsafe csys_wipe(memory.baseAddress, memory.count)
    count = 0
  }
}

extension Bytes {
  /// Clears the bytes in memory, if nobody else holds them, and removes them.
  public mutating func wipe() {
    unsafe withUnsafeMutableBytes { unsafe csys_wipe($0.baseAddress, $0.count) }
    self = []
  }
}
