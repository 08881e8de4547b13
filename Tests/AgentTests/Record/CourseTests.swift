// The course of deliveries: what is counted and timed of their events.
import Testing

@testable import Agent

@Suite struct CourseTests {
  private static let first = Candidate(exchanger: bytes("a.test"), preference: 10, address: address("192.0.2.1"), port: 25)
  private static let second = Candidate(exchanger: bytes("b.test"), preference: 20, address: address("192.0.2.2"), port: 25)

  /// Each event a millisecond after the one before it.
  private func course(_ events: [DeliveryEvent]) -> Course {
    var course = Course()
    for (index, event) in events.enumerated() { course.note(event, at: .milliseconds(index)) }
    return course
  }

  private static let mail = Command.mail(Address(bytes("s@x")), MailParameters())
  private static let hello: [DeliveryEvent] = [
    .connecting(first), .connected(first), .received(reply("220 x")), .sent([.ehlo(bytes("me"))]), .received(reply("250 x")),
  ]

  @Test("a pipelined delivery: connection, greeting, EHLO, envelope, message")
  func pipelined() throws {
    let course = course(
      Self.hello + [
        .sent([Self.mail, .data]), .received(reply("250 x")), .received(reply("354 x")), .sentMessage(bytes: 77),
        .received(reply("250 x")), .sent([.quit]), .reported(Outcome(.improperInvocation)),
      ])
    #expect(course.roundTrips == 5)
    #expect(course.messageBytes == 77)
    let contact = try #require(course.contact)
    #expect(contact.candidate == Self.first)
    #expect(contact.started == .milliseconds(0) && contact.connected == .milliseconds(1))
    #expect(contact.greeted == .milliseconds(2) && contact.ready == .milliseconds(5))
    #expect(contact.sent == .milliseconds(8) && contact.answered == .milliseconds(9))
    #expect(course.end == .milliseconds(11))
  }

  @Test("the message in the flight of the envelope saves one")
  func chunk() {
    let course = course(
      Self.hello + [
        .sent([Self.mail, .lastChunk(77)]), .sentMessage(bytes: 77), .received(reply("250 x")), .received(reply("250 x")),
      ])
    #expect(course.roundTrips == 4)
  }

  @Test("a command at a time")
  func single() {
    let course = course(
      Self.hello + [
        .sent([Self.mail]), .received(reply("250 x")), .sent([.data]), .received(reply("554 x")), .sent([.quit]),
      ])
    #expect(course.roundTrips == 5)
    #expect(course.messageBytes == nil && course.contact?.sent == nil)
  }

  @Test("the last connection is the one that is timed; all are counted")
  func candidates() {
    let failure = CandidateFailure(Self.first, .greeting, .refused(reply("421 x")))
    let course = course([
      .passedOver(Self.second), .connecting(Self.first), .connecting(Self.second), .connected(Self.first),
      .received(reply("421 x")), .sent([.quit]), .left(failure), .connecting(Self.second), .connected(Self.second),
    ])
    #expect(course.roundTrips == 3)
    #expect(course.passedOver == [Self.second])
    #expect(course.contact?.candidate == Self.second)
    #expect(course.contact?.started == .milliseconds(7) && course.contact?.connected == .milliseconds(8))
    #expect(course.contact?.greeted == nil)
  }

  @Test("nothing happened")
  func nothing() {
    let course = course([.reported(Outcome(.improperInvocation))])
    #expect(course.roundTrips == 0 && course.contact == nil && course.planned == nil && course.end == .zero)
  }
}

@Suite struct EventTextTests {
  private static let worst = Bytes(repeating: 0xff, count: 5_000)
  private static let control = Bytes(repeating: 1, count: 5_000)

  private static func events(_ text: Bytes) -> [DeliveryEvent] {
    let name = Bytes(text.prefix(255))
    let candidate = Candidate(
      exchanger: name, preference: 65_535, address: address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), port: 65_535)
    let said = Reply(code: 599, text: text)
    return [
      .passedOver(candidate), .connecting(candidate), .connected(candidate), .sent([.ehlo(text)]), .received(said),
      .left(CandidateFailure(candidate, .hello, .refused(said))),
      .left(CandidateFailure(candidate, .hello, .broken(.malformed(MalformedReply(line: text))))),
      .reported(Outcome(DeliveryFailure(.init(.temporary, 3, 0), text))), .sentMessage(bytes: .max),
      .authenticated(AuthenticatedIdentity(user: text, source: text.text, mechanism: "SCRAM-SHA-256-PLUS")),
    ]
  }

  @Test("a pipe takes every line at once", arguments: [worst, control, bytes(String(repeating: "\"", count: 5_000))])
  func length(_ text: Bytes) {
    for event in Self.events(text) {
      for line in EventText.lines(event, at: .seconds(7_200)) {
        #expect(line.count <= EventText.lineLimit)
        #expect(line.last == 10 && line.count { $0 == 10 } == 1)
      }
    }
  }

  @Test("lines")
  func lines() {
    let candidate = Candidate(exchanger: bytes("a.test"), preference: 10, address: address("192.0.2.1"), port: 25)
    let start = #"{"version":1,"time":1.500000,"event":"#
    let place = #""candidate":{"name":"a.test","preference":10,"address":"192.0.2.1","port":25,"transport":"SMTP"}"#
    let events: [(DeliveryEvent, [String])] = [
      (.connected(candidate), [#""connected",\#(place)}"#]), (.passedOver(candidate), [#""passed over",\#(place)}"#]),
      (.sent([.ehlo(bytes("me")), .quit]), [#""sent","command":"EHLO me"}"#, #""sent","command":"QUIT"}"#]),
      (.received(reply("250-a\n250 b")), [#""received","code":250,"text":"250-a\n250 b"}"#]),
      (.sentMessage(bytes: 7), [#""sent message","bytes":7}"#]),
      (
        .left(CandidateFailure(candidate, .connect, .broken(.transport(.timedOut)))),
        [#""left",\#(place),"failure":{"stage":"connect","code":null,"text":"no answer in time"}}"#]
      ),
      (
        .reported(Outcome(.improperInvocation)),
        [#""reported","result":"failure","letter":"D","report":"I (qmail-remote) was invoked improperly. (#5.3.5)"}"#]
      ),
    ]
    for (event, expected) in events {
      #expect(EventText.lines(event, at: .milliseconds(1_500)).map(\.text) == expected.map { "\(start)\($0)\n" })
    }
    #expect(EventText.dropped(3, at: .milliseconds(1_500)).text == #"\#(start)"dropped","count":3}"# + "\n")
  }

  @Test("a text isn't cut within a character")
  func cut() throws {
    let long = bytes(String(repeating: "a", count: 599) + "\u{fc}\u{fc}")
    let line = try #require(EventText.lines(.sent([.ehlo(long)]), at: .zero).first)
    #expect(!line.text.contains("_hex") && !line.text.contains("\u{fffd}"))
  }
}
