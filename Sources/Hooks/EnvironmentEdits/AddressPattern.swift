// How addresses and domains are matched in lists of patterns, by what the environment says. Shared by the agent and by the programs
// around it.
package import Agent
internal import CSystem

/// The three kinds of patterns.
package enum AddressPattern: Equatable, Sendable {
  /// `*`, `?`, `[set]`: the whole text, case counts.
  case wildmat
  /// The shell's for file names (fnmatch(3)): the whole text, `/` matches only itself, case doesn't count.
  case shell
  /// Extended regular expressions (regex(7)): any part of the text, case counts.
  case regex

  /// QREGEX that is not 0, else USE_FNMATCH.
  package init(_ environment: Environment) {
    if let number = environment.value("QREGEX")?.prefix(while: \.isDigit), number.contains(where: { $0 != UInt8(ascii: "0") }) {
      self = .regex
    } else {
      self = environment.value("USE_FNMATCH") == nil ? .wildmat : .shell
    }
  }

  /// Why a pattern is none, in words that go on from "it" or "its pattern".
  package struct Fault: Error, Equatable {
    package let words: String
  }

  /// - Parameters:
  ///   - pattern: without null bytes, as the text.
  package func matches(_ pattern: Bytes, _ text: Bytes) throws(Fault) -> Bool {
    switch self {
    case .wildmat:
      do throws(Wildmat.Fault) {
        return try Wildmat(pattern).matches(text)
      } catch {
        throw Fault(words: error.words)
      }
    case .shell:
      return unsafe pattern.withCString { pattern in
        unsafe text.withCString { text in unsafe csys_shell_pattern_matches(pattern, text) != 0 }
      }
    case .regex: return try AddressPattern.search(pattern, text)
    }
  }

  private static func search(_ pattern: Bytes, _ text: Bytes) throws(Fault) -> Bool {
    var problem = [CChar](repeating: 0, count: 200)
    let found = unsafe problem.withUnsafeMutableBufferPointer { problem in
      unsafe pattern.withCString { pattern in
        unsafe text.withCString { text in unsafe csys_regex_matches(pattern, text, problem.baseAddress, problem.count) }
      }
    }
    guard found >= 0 else {
      let words = problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Fault(words: "its regular expression is wrong: \(words.text)")
    }
    return found > 0
  }
}
