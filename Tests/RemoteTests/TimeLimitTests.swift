// Time limits: for a whole reply, however it comes, and for the progress of a message.
import Support
import Testing

@Suite struct TimeLimitTests {
  private static let died = "ZConnected to 127.0.0.1 but connection died. (#4.4.2)\n"
  private static let accepted = "K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n"

  /// A byte now and then keeps a connection alive, and would hold a delivery for ever if each read had a limit of its own.
  @Test func `a reply byte by byte`() throws {
    let server = try ScriptedServer { peer in
      try peer.send("220-")
      while true {
        try peer.send("x")
        peer.pause(milliseconds: 100)
      }
    }
    var remote = Remote(to: server)
    remote.control["timeoutremote"] = "1\n"
    expect(try remote.run(within: 15), "\(TimeLimitTests.died)^@")
    server.finish()
  }

  @Test func `a reply line by line`() throws {
    let server = try ScriptedServer { peer in
      try peer.send("220 hi\r\n")
      try peer.expect("EHLO me.example.net")
      while true {
        try peer.send("250-and another thing\r\n")
        peer.pause(milliseconds: 100)
      }
    }
    var remote = Remote(to: server)
    remote.control["timeoutremote"] = "1\n"
    expect(try remote.run(within: 15), "\(TimeLimitTests.died)^@")
    server.finish()
  }

  private static let megabyte: [UInt8] = (0..<1_000_000).map { $0 % 50 == 49 ? 10 : UInt8(ascii: "a") }

  private func deliver(bytes: Int, pause: Double, limit: Int) throws -> (FinishedProcess, [Dialogue]) {
    try NetworkNamespace.narrow().run {
      let script = SMTPScript(takeBody: { peer in
        var rest = bytes
        let isComplete = try peer.drain { part in
          rest -= part.count
          if rest <= 0 {
            peer.pause(milliseconds: pause)
            rest = bytes
          }
          return part.suffix(5).elementsEqual([13, 10, 46, 13, 10])
        }
        if !isComplete { throw PeerFault.closed(wanted: "the end of the message") }
      })
      let server = try ScriptedServer(script)
      var remote = Remote(to: server)
      remote.message = TimeLimitTests.megabyte
      remote.control["timeoutremote"] = "\(limit)\n"
      return (try remote.run(), server.finish())
    }
  }

  /// 64 kB have to move within the limit of a reply.
  @Test func `a server that takes a message drop by drop`() throws {
    let (finished, dialogues) = try deliver(bytes: 2_000, pause: 100, limit: 1)
    expect(finished, "r^@\(TimeLimitTests.died)^@", verdict: TimeLimitTests.died)
    #expect(dialogues.count == 1)
  }

  /// A slow server isn't a dead one: the message takes longer than the limit, and moves all the time.
  @Test func `a slow server`() throws {
    let (finished, dialogues) = try deliver(bytes: 50_000, pause: 150, limit: 2)
    expect(finished, "r^@\(TimeLimitTests.accepted)^@", verdict: TimeLimitTests.accepted)
    #expect(dialogues.map(\.fault) == [nil])
  }

  /// The same for a flight of commands, which is one piece however long it is.
  @Test func `a slow server and many recipients`() throws {
    let count = 7_000
    let (finished, dialogues) = try NetworkNamespace.narrow().run {
      let server = try ScriptedServer { peer in
        let ordinary = SMTPScript(extensions: ["PIPELINING"])
        try peer.send(ordinary.reply(.greeting))
        try peer.expect("EHLO me.example.net")
        try peer.send(ordinary.reply(.hello))
        var rest = 7_500
        _ = try peer.drain { part in
          rest -= part.count
          if rest <= 0 {
            peer.pause(milliseconds: 100)
            rest = 7_500
          }
          return part.suffix(6).elementsEqual("DATA\r\n".utf8)
        }
        try peer.send(String(repeating: "250 ok\r\n", count: count + 1) + ordinary.reply(.data))
        try peer.body()
        try peer.send(ordinary.reply(.message))
      }
      var remote = Remote(to: server)
      remote.recipients = (0..<count).map { "recipient-number-\($0)@example.com" }
      remote.control["timeoutremote"] = "2\n"
      return (try remote.run(), server.finish())
    }
    expect(finished, String(repeating: "r^@", count: count) + "\(TimeLimitTests.accepted)^@", verdict: "K")
    #expect(dialogues.map(\.fault) == [nil])
  }
}
