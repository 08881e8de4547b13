// argv as bytes: Swift's own argument list repairs what isn't UTF-8, and an address must not be repaired.

/// The operands of the process.
public enum Arguments {
  /// argv without argv[0].
  public static func ofProcess() -> [Bytes] { Array(all().dropFirst()) }

  /// argv as it is.
  public static func all() -> [Bytes] {
    let arguments = unsafe UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    return unsafe arguments.compactMap { unsafe $0.map { unsafe Bytes(cString: $0) } }
  }
}
