// The three kinds of patterns, and which of them an environment asks for.
import Agent
import Foundation
import Testing

@testable import Hooks

@Suite struct WildmatTests {
  /// Pattern, texts that match, texts that don't.
  @Test(
    arguments: [
      ("", [""], ["a", "*"]), ("a@b", ["a@b"], ["a@B", "A@b", "a@bc", "xa@b", ""]),
      ("*", ["", "a", "a@b", "/"], []), ("**", ["", "a"], []), ("?", ["a", "*", "?"], ["", "ab"]),
      (
        "*@example.com", ["@example.com", "a@example.com", "a@b@example.com"],
        ["a@example.comx", "a@Example.com", "example.com"]
      ),
      ("a*b*c", ["abc", "aXbYc", "abbc", "abcbc", "aabbcc"], ["ab", "acb", "abcd"]),
      ("*ab", ["ab", "aab", "abab", "aaab"], ["aba", "b"]), ("*a?b", ["aab", "aaab", "axb", "a@aab"], ["ab", "aabc"]),
      ("[abc]@x", ["a@x", "c@x"], ["d@x", "@x", "ab@x", "A@x"]), ("[a-c0-9]", ["b", "5"], ["d", "-", ""]),
      ("[^a-c]", ["d", "]", "^", "-"], ["a", "", "dd"]), ("[]]", ["]"], ["[", ""]), ("[]-a]", ["]", "^", "a"], ["b", "-"]),
      ("[^]]", ["a"], ["]"]), ("[a-]", ["a", "-"], ["b"]), ("[-a]", ["a", "-"], ["b"]), ("[*?]", ["*", "?"], ["a"]),
      ("[\\]", ["\\"], ["]"]), ("[a^]", ["a", "^"], ["b"]),
      ("\\*", ["*"], ["a", "\\*"]), ("\\[a]", ["[a]"], ["a"]), ("\\\\", ["\\"], ["\\\\"]), ("\\a", ["a"], ["\\a"]),
      ("a\\?*", ["a?", "a?b"], ["ab"]), ("]", ["]"], ["["]), ("^a", ["^a"], ["a"]), ("a.c", ["a.c"], ["abc"]),
      ("\u{e4}?", ["\u{e4}x"], ["\u{e4}\u{e4}"]), ("*[^0-9]*", ["a", "1a", "a1", "1a1"], ["1", "", "123"]),
    ])
  func `texts`(_ pattern: String, _ matching: [String], _ others: [String]) throws {
    let wildmat = try Wildmat(pattern.utf8)
    for text in matching { #expect(wildmat.matches(text.utf8), "\(pattern) matches \(text)") }
    for text in others { #expect(!wildmat.matches(text.utf8), "\(pattern) doesn't match \(text)") }
  }

  @Test(arguments: [
    ("a[", "its pattern has a [ without its ]"), ("[]", "its pattern has a [ without its ]"),
    ("[^]", "its pattern has a [ without its ]"), ("[a-", "its pattern has a [ without its ]"),
    ("[z-a]", "its pattern has a range that ends before it begins"), ("a\\", "its pattern ends in a backslash"),
  ])
  func `what is no pattern`(_ pattern: String, _ words: String) {
    #expect(throws: Wildmat.Fault(words: words)) { try Wildmat(pattern.utf8) }
  }

  /// Every pattern of up to four signs, on every text of up to five, by another way to match: all ends of every star.
  @Test func `all small patterns, against the definition`() throws {
    func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
      guard let first = pattern.first else { return text.isEmpty }
      let rest = pattern.dropFirst()
      if first == UInt8(ascii: "*") { return (0...text.count).contains { matches(rest, text.dropFirst($0)) } }
      guard let byte = text.first else { return false }
      return (first == UInt8(ascii: "?") || first == byte) && matches(rest, text.dropFirst())
    }
    func words(_ letters: [UInt8], _ limit: Int) -> [[UInt8]] {
      (0..<limit).reduce(into: [[[UInt8]]]([[[]]])) { all, _ in
        all.append((all.last ?? []).flatMap { word in letters.map { word + [$0] } })
      }.flatMap(\.self)
    }
    let texts = words(Array("ab".utf8), 5)
    for pattern in words(Array("ab?*".utf8), 4) {
      let wildmat = try Wildmat(pattern)
      for text in texts where wildmat.matches(text) != matches(pattern[...], text[...]) {
        Issue.record("\(String(decoding: pattern, as: UTF8.self)) on \(String(decoding: text, as: UTF8.self))")
      }
    }
  }

  /// Tried naively, this would outlast the machine.
  @Test func `many stars in a long address`() throws {
    let text = Array(repeating: UInt8(ascii: "a"), count: 1_000)
    let pattern = String(repeating: "*a", count: 60) + "b"
    #expect(!(try Wildmat(pattern.utf8).matches(text)))
    #expect(try Wildmat((pattern + "*").utf8).matches(text + [UInt8(ascii: "b")]))
    #expect(!(try AddressPattern.shell.matches(bytes(pattern), text)))
  }
}

@Suite struct AddressPatternTests {
  @Test(
    arguments: [
      ([:], .wildmat), (["QREGEX": ""], .wildmat), (["QREGEX": "0"], .wildmat), (["QREGEX": "no"], .wildmat),
      (["QREGEX": "1"], .regex), (["QREGEX": "10"], .regex), (["QREGEX": "1", "USE_FNMATCH": ""], .regex),
      (["USE_FNMATCH": ""], .shell), (["USE_FNMATCH": "0", "QREGEX": "00"], .shell),
    ] as [([String: String], AddressPattern)])
  func `kinds`(_ environment: [String: String], _ expected: AddressPattern) {
    #expect(AddressPattern(Environment(environment)) == expected)
  }

  @Test(
    arguments: [
      (AddressPattern.shell, "*@example.com", ["a@Example.COM", "@example.com"], ["a@example.com.x"]),
      (.shell, "A/*", ["a/b"], ["a/b/c"]), (.shell, "[!a]b", ["cb", "CB"], ["ab", "AB"]), (.shell, "[", ["["], [""]),
      (.regex, "@example\\.com$", ["a@example.com"], ["a@example.com.x", "a@Example.com", "a@examplexcom"]),
      (.regex, "a|b", ["xax", "b"], ["", "x"]), (.regex, "^(joe|jane)@", ["jane@x"], ["xjane@x"]),
      (.regex, ".", ["a"], [""]),
    ])
  func `texts`(_ kind: AddressPattern, _ pattern: String, _ matching: [String], _ others: [String]) throws {
    for text in matching { #expect(try kind.matches(bytes(pattern), bytes(text)), "\(pattern) matches \(text)") }
    for text in others { #expect(try !kind.matches(bytes(pattern), bytes(text)), "\(pattern) doesn't match \(text)") }
  }

  @Test(arguments: ["(", "a{2,1}", "[z-a]", "*\\"]) func `what is no regular expression`(_ pattern: String) {
    #expect { try AddressPattern.regex.matches(bytes(pattern), bytes("a")) } throws: {
      ($0 as? AddressPattern.Fault)?.words.hasPrefix("its regular expression is wrong: ") == true
    }
  }
}
