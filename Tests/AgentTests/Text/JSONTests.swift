// Objects of JSON: the text for each kind of member, and proof that a reader gets back whatever bytes went in.
import Foundation
import Testing

@testable import Agent

@Suite struct JSONTests {
  private func text(_ fill: (inout JSONObject) -> Void) -> String {
    var object = JSONObject()
    fill(&object)
    return object.bytes.text
  }

  @Test("members")
  func members() {
    #expect(text { _ in } == "{}")
    #expect(
      text {
        $0.add("a", 1)
        $0.add("b", Int?.none)
        $0.add("c", true)
        $0.add("d", "x")
        $0.add("e", String?.none)
        $0.add("f", Bytes?.none)
        $0.add("g", JSONObject?.none)
        $0.add("h", [])
        $0.add("i", -7)
      } == #"{"a":1,"b":null,"c":true,"d":"x","e":null,"f":null,"g":null,"h":[],"i":-7}"#)
    var inner = JSONObject()
    inner.add("x", 1)
    #expect(
      text {
        $0.add("a", inner)
        $0.add("b", [inner, inner])
      } == #"{"a":{"x":1},"b":[{"x":1},{"x":1}]}"#)
  }

  @Test(
    "text",
    arguments: [
      ("", #""""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("a\nb\tc\r", #""a\nb\tc\u000d""#),
      ("\0\u{1b}\u{7f}", #""\u0000\u001b\u007f""#),
      ("gr\u{fc}n \u{1F4E8}", "\"gr\u{fc}n \u{1F4E8}\""), ("</script>", #""</script>""#),
    ])
  func texts(_ value: String, _ expected: String) {
    #expect(text { $0.add("t", bytes(value)) } == "{\"t\":\(expected)}")
    #expect(text { $0.add("t", value) } == "{\"t\":\(expected)}")
  }

  @Test(
    "what isn't UTF-8 is told twice",
    arguments: [
      ([0xfc], "\u{fffd}", "fc"), ([0x67, 0xfc, 0x6e], "g\u{fffd}n", "67fc6e"), ([0xc3], "\u{fffd}", "c3"),
      ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}", "eda080"), ([0x22, 0xff], "\\\"\u{fffd}", "22ff"),
    ] as [(Bytes, String, String)])
  func notUTF8(_ value: Bytes, _ shown: String, _ hex: String) {
    #expect(text { $0.add("t", value) } == "{\"t\":\"\(shown)\",\"t_hex\":\"\(hex)\"}")
  }

  @Test(
    "durations",
    arguments: [
      (Duration.zero, "0.000000"), (.microseconds(1), "0.000001"), (.nanoseconds(1_999), "0.000001"),
      (.milliseconds(12_345), "12.345000"), (.seconds(7_200), "7200.000000"), (.milliseconds(-1_500), "-1.500000"),
      (.seconds(Int64.max), "9223372036854775807.000000"),
    ])
  func durations(_ duration: Duration, _ expected: String) { #expect(text { $0.add("t", duration) } == "{\"t\":\(expected)}") }

  @Test("a reader gets the same bytes back, and never more than one line")
  func anyBytes() throws {
    var generator = SeededGenerator(seed: 7)
    let pool: Bytes = [0, 9, 10, 13, 0x1b, 0x22, 0x5c, 0x7f, 0x61, 0x80, 0xc3, 0xbc, 0xe2, 0x82, 0xac, 0xed, 0xf0, 0xff]
    for _ in 0..<20_000 {
      let value = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        pool[Int.random(in: 0..<pool.count, using: &generator)]
      }
      var object = JSONObject()
      object.add("t", value)
      #expect(object.line.last == 10 && !object.bytes.contains { $0 < 32 || $0 == 127 })
      let read = try #require(JSONSerialization.jsonObject(with: Data(object.line)) as? [String: String])
      if let hex = read["t_hex"] {
        #expect(hex == value.map { String(format: "%02x", $0) }.joined())
        #expect(read["t"]?.contains("\u{fffd}") == true)
      } else {
        #expect(read["t"].map { Array($0.utf8) } == value)
      }
    }
  }
}
