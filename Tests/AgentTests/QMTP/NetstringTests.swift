import Testing

@testable import Agent

@Suite struct NetstringTests {
  /// What a parser makes of bytes, given to it in pieces: contents, `…` for what is not complete, the reason why something is none.
  private func parse(_ text: String, pieceSize: Int = .max, limit: Int = 200_000_000, kept: Int = 100) -> String {
    var parser = NetstringParser(limit: limit, keptLimit: kept)
    var found: [String] = []
    var rest = bytes(text)[...]
    do {
      while !rest.isEmpty {
        var piece = rest.prefix(pieceSize)
        rest = rest.dropFirst(pieceSize)
        while !piece.isEmpty {
          if let content = try parser.take(&piece) { found.append("[\(content.text)]") }
        }
      }
    } catch {
      return (found + [error.words]).joined(separator: " ")
    }
    return found.joined(separator: " ")
  }

  /// The netstrings of the protocol's own definition, and everything that looks like one and isn't.
  static let rows: [(String, String)] = [
    ("12:hello world!,", "[hello world!]"), ("0:,", "[]"), ("1:,,", "[,]"), ("3:1:a,1:b,", "[1:a] [b]"),
    ("5:Kokay,5:Zwait,", "[Kokay] [Zwait]"), ("4:a\nb\0,", "[a\nb\0]"), ("10:0123456789,", "[0123456789]"),
    // Not complete.
    ("", ""), ("1", ""), ("12:", ""), ("12:hello world!", ""), ("0:", ""), ("2:ab", ""), ("1:a,2", "[a]"),
    // Malformed at once, at whatever byte.
    (":,", "a length that is no number"), (",", "a length that is no number"), ("x", "a length that is no number"),
    (" 1:a,", "a length that is no number"), ("+1:a,", "a length that is no number"), ("-1:a,", "a length that is no number"),
    ("1 :a,", "a length that is no number"), ("0x1:a,", "a length that is no number"), ("1;a,", "a length that is no number"),
    ("1\n:a,", "a length that is no number"), ("220 mx ESMTP\r\n", "a length that is no number"),
    ("00:,", "a length with a 0 in front"), ("01:a,", "a length with a 0 in front"), ("0001:a,", "a length with a 0 in front"),
    ("1:a;", "no comma at the end"), ("1:ab,", "no comma at the end"), ("0:a", "no comma at the end"),
    ("2:a,1:b,", "no comma at the end"), ("1:a,1:b1:c,", "[a] no comma at the end"),
    ("200000001:", "a length above 200000000"), ("999999999999999999999999:", "a length above 200000000"),
  ]

  @Test("netstrings and what is none", arguments: rows)
  func table(_ text: String, _ expected: String) {
    for pieceSize in [.max, 1, 2, 3, 7] { #expect(parse(text, pieceSize: pieceSize) == expected, "in pieces of \(pieceSize)") }
  }

  @Test("of a long one only the beginning is kept, and all of it is taken", arguments: [1, 5, 1_000, .max])
  func kept(_ pieceSize: Int) {
    let text = "1000:" + String(repeating: "x", count: 1_000) + ",1:y,"
    #expect(parse(text, pieceSize: pieceSize, kept: 7) == "[xxxxxxx] [y]")
    #expect(parse(text, pieceSize: pieceSize, limit: 999) == "a length above 999")
    #expect(parse(text, pieceSize: pieceSize, limit: 1_000, kept: 0) == "[] []")
  }

  @Test("what is written can be read, whatever it holds")
  func roundTrip() {
    for content in ["", "a", ",", ":", "0:,", "3:a,,", "\0\r\n", String(repeating: ",", count: 99)] {
      let encoded = Netstring.encoded(bytes(content))
      #expect(encoded == bytes("\(content.utf8.count):\(content),"))
      #expect(parse(encoded.text) == "[\(content)]")
    }
  }

  @Test(
    "answers",
    arguments: [
      ("Kok", "success ok"), ("K", "success "), ("Ztry later", "temporary try later"), ("Dno", "permanent no"), ("", "none"),
      ("k", "none"), ("z", "none"), ("250 ok", "none"), (" Kok", "none"), ("\0", "none"), ("rok", "none"),
    ])
  func responses(_ content: String, _ expected: String) {
    let response = QMTPResponse(bytes(content))
    #expect(response.map { "\($0.disposition) \($0.text.text)" } ?? "none" == expected)
  }
}
