// Constant databases (cdb) through tinycdb: looking up and making. The only file that knows the library; it knows no file's meaning.
internal import CSystem
internal import CTinyCDB

/// An open constant database.
@safe package final class ConstantDatabase {
  private let descriptor: FileDescriptor
  private var handle: cdb
  private let place: String

  /// - Throws: 4.3.0 when the file is no constant database.
  init(_ descriptor: consuming FileDescriptor, place: String) throws(DeliveryFailure) {
    var handle = unsafe cdb()
    let status = unsafe cdb_init(&handle, descriptor.number)
    self.descriptor = descriptor
    unsafe self.handle = handle
    self.place = place
    guard status == 0 else { throw .controlUnreadable("\(place): not a constant database") }
  }

  deinit { unsafe cdb_free(&handle) }

  /// The first value under a key.
  /// - Throws: 4.3.0 when the file is damaged.
  package func value(_ key: Bytes) throws(DeliveryFailure) -> Bytes? {
    let found = unsafe key.withUnsafeBytes { unsafe cdb_find(&handle, $0.baseAddress, UInt32($0.count)) }
    guard found >= 0 else { throw .controlUnreadable("\(place): damaged") }
    guard found > 0 else { return nil }
    let count = Int(unsafe handle.cdb_vlen)
    guard count > 0 else { return [] }
    guard let start = unsafe cdb_get(&handle, handle.cdb_vlen, handle.cdb_vpos) else {
      throw .controlUnreadable("\(place): damaged")
    }
    return unsafe Bytes(UnsafeRawBufferPointer(start: start, count: count))
  }
}

/// A constant database in the making.
@safe public final class ConstantDatabaseMaker {
  private var handle = unsafe cdb_make()

  /// - Parameter descriptor: of an empty file, open for reading and writing; it stays the caller's.
  /// - Throws: 4.3.0 with the system's reason.
  public init(descriptor: Int32) throws(DeliveryFailure) {
    guard unsafe cdb_make_start(&handle, descriptor) == 0 else { throw .systemResources(csys_errno()) }
  }

  /// Adds a record. Of equal keys the first is found.
  public func add(_ key: Bytes, _ value: Bytes) throws(DeliveryFailure) {
    let status = unsafe key.withUnsafeBytes { key in
      unsafe value.withUnsafeBytes { value in
        unsafe cdb_make_add(&handle, key.baseAddress, UInt32(key.count), value.baseAddress, UInt32(value.count))
      }
    }
    guard status == 0 else { throw .systemResources(csys_errno()) }
  }

  /// Writes what is left; nothing can be added afterwards.
  public func finish() throws(DeliveryFailure) {
    guard unsafe cdb_make_finish(&handle) == 0 else { throw .systemResources(csys_errno()) }
  }
}
