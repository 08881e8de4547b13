// Records of deliveries by QMTP: what qmail-remote-record(5) promises, where there are no codes and nobody greets.
import Foundation
import Support
import Testing

@Suite struct QMTPRecordTests {
  /// Delivers to a server, and reads the record and the events.
  private func record(
    _ script: QMTPScript, recipients: Int = 1
  ) throws -> (record: RecordObject, events: [RecordObject], finished: FinishedProcess) {
    let server = try QMTPServer(script)
    var hooked = try HookedRemote(["trace": "cat >$ROOM/trace"])
    hooked.remote.control["qmtproutes"] = ":127.0.0.1;\(server.port)\n"
    hooked.remote.control["deliverylog"] = "\(hooked.folder.path)/log\n"
    hooked.remote.recipients = (0..<recipients).map { "user\($0)@example.com" }
    let finished = try hooked.run()
    server.finish()
    #expect(finished.ending == .exited(0))
    let records = try Records.read(hooked.folder.read("log"))
    #expect(records.count == 1)
    let record = try #require(records.first)
    #expect(record.text("route.text") == "127.0.0.1:\(server.port)")
    #expect(record.text("route.transport") == "QMTP" && record.text("route.source") == "control/qmtproutes:1")
    let verdict = SpawnVerdict(output: finished.output, ending: finished.ending)
    #expect(record.text("letter") == String(verdict.letter))
    let events = try hooked.left("trace").split(separator: "\n").map {
      try RecordObject(JSONSerialization.jsonObject(with: Data($0.utf8)))
    }
    return (record, events, finished)
  }

  @Test func `a package that is accepted`() throws {
    let (record, events, _) = try record(QMTPScript(answers: ["Kqueued as 1"]))
    #expect(record.text("result") == "success" && record.number("code") == nil && record.text("text") == "queued as 1")
    #expect(record.value("tls") == nil && record.value("authentication") == nil)
    let recipients = try record.objects("recipients")
    #expect(recipients.map { $0.text("address") } == ["user0@example.com"])
    #expect(recipients.map { $0.text("result") } == ["accepted"] && recipients.map { $0.text("letter") } == ["r"])
    let candidates = try record.objects("candidates")
    #expect(candidates.map { $0.text("transport") } == ["QMTP"] && candidates.map { $0.text("result") } == ["used"])
    // Connection, and the package with its answers.
    #expect(record.number("round_trips") == 2)
    // As it is in the queue, for line ends stay what they are.
    #expect(record.number("bytes") == "Subject: test\n\nhello\n".utf8.count)
    for phase in ["total", "plan", "connect", "envelope", "message"] {
      #expect(record.value("times.\(phase)") is NSNumber, "\(phase)")
    }
    // Nobody greets.
    #expect(record.value("times.greeting") == nil)
    #expect(
      events.map { $0.text("event") } == ["planned", "connecting", "connected", "sent package", "responded", "reported"])
    #expect(events[3].number("recipients") == 1 && events[3].number("bytes") == record.number("bytes"))
    #expect(events[4].text("letter") == "K" && events[4].text("text") == "queued as 1")
  }

  @Test func `recipients one by one`() throws {
    let (record, events, _) = try record(QMTPScript(answers: ["Kok", "Zlater", "Dno\nnever"]), recipients: 3)
    let recipients = try record.objects("recipients")
    #expect(recipients.map { $0.text("result") } == ["accepted", "deferred", "refused"])
    #expect(recipients.map { $0.text("letter") } == ["r", "s", "h"])
    #expect(recipients.map { $0.text("text") } == ["ok", "later", "no\nnever"])
    #expect(recipients.map { $0.number("code") } == [nil, nil, nil])
    #expect(record.text("result") == "success" && record.text("text") == "no\nnever")
    #expect(events.filter { $0.text("event") == "responded" }.map { $0.text("letter") } == ["K", "Z", "D"])
  }

  @Test(arguments: [("Zlater", "deferral", "s"), ("Dno", "failure", "h")])
  func `nobody accepted`(_ answer: String, _ result: String, _ letter: String) throws {
    let (record, _, _) = try record(QMTPScript(answers: [answer]))
    #expect(record.text("result") == result && record.text("text") == String(answer.dropFirst()))
    #expect(try record.objects("recipients").map { $0.text("letter") } == [letter])
    #expect(record.text("report") == "Giving up on 127.0.0.1")
  }

  @Test func `no answer, and one that is none`() throws {
    let (silent, _, _) = try record(QMTPScript(raw: [], death: .close))
    #expect(silent.text("result") == "deferral" && silent.text("text")?.contains("Possible duplicate!") == true)
    #expect(silent.number("bytes") == 21)
    #expect(try silent.objects("recipients").map { $0.text("result") } == [nil])
    let (babble, _, _) = try record(QMTPScript(raw: Array("250 ok\r\n".utf8), death: .close))
    #expect(babble.text("result") == "deferral" && babble.text("text")?.contains("did not talk proper QMTP") == true)
  }

  @Test func `a server that dies before it has the package`() throws {
    let (record, _, _) = try record(QMTPScript(earlyDeath: (after: 4, manner: .reset)))
    #expect(record.text("result") == "deferral")
    let candidates = try record.objects("candidates")
    #expect(candidates.count == 1)
    #expect(["used", "left"].contains(candidates.first?.text("result")))
  }
}
