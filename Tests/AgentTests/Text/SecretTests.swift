import Testing

@testable import Agent

@Suite struct SecretTests {
  @Test func `it shows itself to nobody`() {
    let secret = Secret(bytes("hunter2"))
    let place = CredentialReference.pipe(user: bytes("u"), password: secret)
    for text in ["\(secret)", String(reflecting: secret), "\(place)", String(reflecting: place)] {
      #expect(!text.contains("hunter2") && text.contains("(secret)"))
    }
    var dumped = ""
    dump(place, to: &dumped)
    #expect(!dumped.contains("hunter2") && !dumped.contains("104"))
  }

  @Test func `wiped, all copies are empty`() {
    let secret = Secret(bytes("hunter2"))
    let copy = secret
    #expect(copy == Secret(bytes("hunter2")) && copy.count == 7 && copy.bytes == bytes("hunter2"))
    secret.wipe()
    #expect(copy.count == 0 && copy.bytes.isEmpty && copy != Secret(bytes("hunter2")))
    secret.wipe()
  }

  @Test func `taken, nothing stays behind`() {
    var source = bytes("hunter2")
    let secret = Secret(taking: &source)
    #expect(source.isEmpty && secret.bytes == bytes("hunter2"))
  }

  @Test("a server's text without what it repeats", arguments: [("hunter2", "no *** here"), ("hun", "no hunter2 here")])
  func redaction(_ secret: String, _ text: String) {
    let reply = Reply(code: 535, text: bytes("no hunter2 here"))
    #expect(reply.redacted([Secret(bytes(secret))]).text == bytes(text))
    #expect(reply.redacted([]) == reply)
  }

  /// What is shown may end within a secret.
  @Test(arguments: [
    ("it is hunter", "it is ***"), ("it is hunt", "it is ***"), ("it is hun", "it is hun"), ("hunter2", "***"), ("hunt", "***"),
    ("hunter2 hunter", "*** ***"), ("hunter hunter3", "hunter hunter3"), ("", ""),
  ])
  func `cut redaction`(_ said: String, _ text: String) {
    #expect(bytes(said).redacted([Secret(bytes("hunter2"))]) == bytes(text))
  }

  @Test("a challenge that repeats it", arguments: [("no hunter2 here", "334 ***\n"), ("Password:", "334 UGFzc3dvcmQ6")])
  func challenge(_ said: String, _ text: String) {
    let reply = Reply(code: 334, text: bytes("334 ") + Base64.encode(bytes(said)))
    #expect(reply.redacted([Secret(bytes("hunter2"))]).text == bytes(text))
    #expect(reply.redacted([Secret(bytes("hunter"))]).code == 334)
  }

  @Test("what observers see of a command")
  func commands() {
    let response = Base64.encode(Secret(bytes("\0u\0hunter2")))
    let commands: [(Command, String, String)] = [
      (.auth("PLAIN"), "AUTH PLAIN", "AUTH PLAIN"),
      (.auth("PLAIN", base64: response), "AUTH PLAIN (secret)", "AUTH PLAIN AHUAaHVudGVyMg=="),
      (.auth("EXTERNAL", base64: Secret([])), "AUTH EXTERNAL =", "AUTH EXTERNAL ="),
      (.response(base64: response), "(secret)", "AHUAaHVudGVyMg=="), (.response(base64: Secret([])), "", ""),
      (.cancel, "*", "*"),
    ]
    for (command, shown, wire) in commands {
      #expect(command.line.text == shown && command.wire.text == "\(wire)\r\n")
      #expect(!"\(command)".contains("AHUAaHVudGVyMg"))
    }
  }
}

@Suite struct CapabilityMechanismTests {
  @Test(
    "the names of an offer",
    arguments: [
      ("AUTH PLAIN LOGIN", "PLAIN LOGIN"), ("auth=plain", "PLAIN"), ("AUTH", ""), ("AUTH ", ""), ("AUTHX PLAIN", ""),
      ("AUTH\tPLAIN  cram-md5 plain", "PLAIN CRAM-MD5"), ("AUTH SCRAM-SHA-256-PLUS", "SCRAM-SHA-256-PLUS"),
      ("AUTH PLAIN, A/B \u{e4} X_1 ABCDEFGHIJKLMNOPQRSTU", "X_1"), ("AUTH PLAIN\n250-AUTH=LOGIN PLAIN", "PLAIN LOGIN"),
    ])
  func names(_ line: String, _ names: String) {
    let reply = Reply(code: 250, text: bytes("250-mx\n250-\(line)\n250 HELP\n"))
    #expect(Capabilities(reply).mechanisms.joined(separator: " ") == names)
  }

  @Test func `an offer without end`() {
    let many = (0..<1_000).map { "M\($0)" }.joined(separator: " ")
    #expect(Capabilities(Reply(code: 250, text: bytes("250-mx\n250 AUTH \(many)\n"))).mechanisms.count == 100)
  }
}
