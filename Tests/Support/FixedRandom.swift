// Nonces that a test can foresee.
import CFixedRandom

/// While `body` runs, random bytes that a library asks the kernel for, on this thread, are these, over and over.
public func withRandomBytes<Result>(_ bytes: [UInt8], _ body: () throws -> Result) rethrows -> Result {
  try bytes.withUnsafeBytes { bytes in
    fixed_random(bytes.baseAddress, bytes.count)
    defer { fixed_random(nil, 0) }
    return try body()
  }
}
