// A program in the place of this process: what the programs in front of qmail-remote come to. Nothing is supervised, for nothing is left
// that could supervise.
package import Agent
internal import CSystem

/// A program that is to go on in this process.
package struct Replacement {
  /// A path, or a name that is looked for.
  package let program: Bytes
  /// argv, argv[0] included.
  package let arguments: [Bytes]
  package let environment: Environment
  /// Folders divided by colons, for a program whose name has no slash; nil for none.
  package var searchPath: Bytes?
  /// What becomes its descriptor 0; nil for what that is now.
  package var input: MessageFile?

  package init(
    program: Bytes, arguments: [Bytes], environment: Environment, searchPath: Bytes? = nil, input: MessageFile? = nil
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.searchPath = searchPath
    self.input = input
  }

  /// Goes on as the program.
  /// - Returns: only if that fails: why.
  package func become() -> String {
    var reason = ENOENT
    for path in paths {
      let number = become(path)
      if number != ENOENT, number != ENOTDIR { reason = number }
      // A file that may not be run is passed over for one further on, as execvp(3) does.
      if ![ENOENT, ENOTDIR, EACCES, EPERM, EISDIR].contains(number) { break }
    }
    return unsafe String(cString: csys_error_text(reason))
  }

  private var paths: [Bytes] {
    guard let searchPath, !program.contains(UInt8(ascii: "/")) else { return [program] }
    return searchPath.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { folder in
      (folder.isEmpty ? Bytes(".") : Bytes(folder)) + Bytes("/") + program
    }
  }

  private func become(_ path: Bytes) -> Int32 {
    input?.rewind()
    return unsafe path.withCString { path in
      unsafe CStrings(arguments).withPointers { arguments in
        unsafe CStrings(environment.all).withPointers { environment in
          unsafe csys_become(path, arguments, environment, input?.number ?? -1)
        }
      }
    }
  }
}
