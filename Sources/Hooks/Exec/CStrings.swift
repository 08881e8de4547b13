// Strings as system calls take them: a path, and the lists of execve(2).
internal import Agent

extension Bytes {
  /// The bytes, which hold no null byte, as a C string.
  func withCString<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    unsafe (self + [0]).withUnsafeBytes { bytes in unsafe body(bytes.bindMemory(to: CChar.self).baseAddress) }
  }
}

/// A list of C strings that ends in a null pointer.
struct CStrings {
  private var bytes = Bytes()
  private var offsets: [Int] = []

  /// - Parameter strings: without null bytes.
  init(_ strings: [Bytes]) {
    for string in strings {
      offsets.append(bytes.count)
      bytes += string
      bytes.append(0)
    }
  }

  func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { bytes in
      let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress
      var pointers = unsafe offsets.map { offset in unsafe start.map { unsafe UnsafeMutablePointer(mutating: $0 + offset) } }
      unsafe pointers.append(nil)
      return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
  }
}
