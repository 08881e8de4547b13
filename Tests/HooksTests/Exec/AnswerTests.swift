// What is an answer, and what is none.
import Agent
import Testing

@testable import Hooks

@Suite struct AnswerTests {
  private static let keys = [HookKey("route"), HookKey("set", .anyNumber)]

  /// The lines, or the fault.
  private func parse(_ text: String) -> String {
    do throws(HookFault) {
      return try HookAnswer(bytes(text), Self.keys).lines.map { "\($0.key)=\($0.value.text)" }.joined(separator: "|")
    } catch {
      return "fault: \(error.words)"
    }
  }

  @Test(
    "lines",
    arguments: [
      ("route=relay:26\n", "route=relay:26"), ("route=relay", "route=relay"), ("route=", "route="),
      ("route=a=b=\n", "route=a=b="), ("route= a b \t\n", "route= a b \t"), ("set=A=1\nset=A=1\n", "set=A=1|set=A=1"),
      ("set=A\nroute=x\nset=B", "set=A|route=x|set=B"), ("route=b\u{fc}cher\n", "route=b\u{fc}cher"),
    ])
  func lines(_ text: String, _ expected: String) { #expect(parse(text) == expected) }

  @Test(
    "faults",
    arguments: [
      ("\n", "has a line without ="), ("route\n", "has a line without ="), ("route=x\n\n", "has a line without ="),
      ("route=x\njunk", "has a line without ="), ("rout=x\n", "has the unknown key rout"),
      ("Route=x\n", "has the unknown key Route"),
      (" route=x\n", "has the unknown key ?route"), ("=x\n", "has the unknown key (empty)"),
      ("r\u{1b}[2J=x", "has the unknown key r?[2J"),
      (String(repeating: "k", count: 90) + "=", "has the unknown key " + String(repeating: "k", count: 40)),
      ("route=x\nroute=x\n", "has the key route more than once"),
      ("route=x\nset=A=1\nroute=y", "has the key route more than once"),
      ("route=x\r\n", "has a control character in the value of route"),
      ("route=x\0y\n", "has a control character in the value of route"),
      ("set=A=\u{1}\n", "has a control character in the value of set"),
      ("route=\u{7f}", "has a control character in the value of route"),
      ("route=x\r\nset=y", "has a control character in the value of route"), ("r\0Kforged\n\0", "has a line without ="),
      ("\0route=x", "has the unknown key ?route"),
    ])
  func faults(_ text: String, _ expected: String) { #expect(parse(text) == "fault: \(expected)") }

  @Test("every byte is part of a line or a fault, whatever the bytes are")
  func anyBytes() {
    let alphabet = bytes("route=set\n\r\0=x ")
    var state: UInt64 = 1
    for _ in 0..<20_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var rest = state
      let text = (0..<Int(state >> 60)).map { _ in
        rest = rest &* 6_364_136_223_846_793_005 &+ 1
        return alphabet[Int(rest >> 33) % alphabet.count]
      }
      guard let answer = try? HookAnswer(text, Self.keys) else { continue }
      let written = answer.lines.map { bytes($0.key) + bytes("=") + $0.value }.joined(separator: bytes("\n"))
      #expect(Array(written) == (text.last == 10 ? Array(text.dropLast()) : text))
    }
  }
}

@Suite struct QuestionTests {
  private func question(_ recipients: [String]) -> HookQuestion {
    HookQuestion(
      RouteQuestion(
        host: Domain(bytes("[192.0.2.1]")), sender: Address(bytes("")), recipients: recipients.map { Address(bytes($0)) }))
  }

  @Test("host, sender and recipients as they came, then what the point adds")
  func lines() {
    var question = question(["a b@Y", "\"q\"@z", "b\u{fc}@y"])
    question.add("route", bytes("relay:26"))
    #expect(
      question.bytes.text
        == "host=[192.0.2.1]\nsender=\nrecipient=a b@Y\nrecipient=\"q\"@z\nrecipient=b\u{fc}@y\nroute=relay:26\n")
  }

  @Test("what would break a line doesn't")
  func lineEnds() {
    #expect(question(["a\nroute=x\r\0@y"]).bytes.text == "host=[192.0.2.1]\nsender=\nrecipient=a?route=x??@y\n")
  }
}
