// qmail-daned(8) of indimail: another opinion about mail exchangers with TLSA records, over UDP. A question is the byte `q`, the name and
// a null byte; an answer two bytes, whether the name is known and in which state it is. The answers don't say what they answer, so that
// every question has a socket of its own.
public import Agent
internal import CSystem

/// Asks the service.
public struct DaneService: RecordVerifier {
  private let clock: any MonotonicClock

  public init(_ circumstances: Circumstances) { clock = circumstances.clock }

  public func opinions(
    on exchangers: [Bytes], by service: RecordService
  ) throws(DeliveryFailure) -> [RecordOpinion] {
    var opinions: [RecordOpinion] = []
    var rest = exchangers[...]
    while !rest.isEmpty {
      // A socket each, but not for a domain with more exchangers than a process has descriptors.
      let group = rest.prefix(DaneService.groupSize)
      rest = rest.dropFirst(group.count)
      var questions: [DaneQuestion] = []
      for exchanger in group { questions.append(try DaneQuestion(exchanger, service)) }
      try wait(for: questions, by: Deadline(service.limit, after: clock.now()))
      opinions += questions.compactMap(\.opinion)
    }
    return opinions
  }

  private static let groupSize = 64

  private func wait(for questions: [DaneQuestion], by deadline: Deadline) throws(DeliveryFailure) {
    while true {
      let open = questions.filter { $0.opinion == nil }
      if open.isEmpty { return }
      let now = clock.now()
      guard !deadline.hasPassed(at: now) else { throw .serviceSilent }
      var polled = open.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
      guard unsafe poll(&polled, nfds_t(polled.count), deadline.milliseconds(from: now)) > 0 else { continue }
      for (question, entry) in zip(open, polled) where entry.revents != 0 { try question.take() }
    }
  }
}

/// One question under way.
private final class DaneQuestion {
  private let socket: DatagramSocket
  private let service: RecordService
  private(set) var opinion: RecordOpinion?

  var number: Int32 { socket.number }

  init(_ exchanger: Bytes, _ service: RecordService) throws(DeliveryFailure) {
    self.service = service
    do throws(DatagramSocket.Fault) {
      socket = try DatagramSocket(to: service.address, port: service.port)
      try socket.send(Bytes("q") + exchanger + [0])
    } catch {
      throw .serviceFailed(service, error.number)
    }
  }

  /// The states of a record: unknown and good ones say nothing against the name.
  func take() throws(DeliveryFailure) {
    let answer: Bytes
    do throws(DatagramSocket.Fault) {
      guard let datagram = try socket.receive(limit: 512) else { return }
      answer = datagram
    } catch {
      throw .serviceFailed(service, error.number)
    }
    switch answer.count == 2 ? answer[1] : .max {
    case 0: opinion = .unobjectionable("unknown")
    case 1: opinion = .unobjectionable("excepted")
    case 2: opinion = .unobjectionable("verified")
    case 3: opinion = .distrusted("not verified")
    case 4: opinion = .distrusted("failed")
    case 5: opinion = .unobjectionable("out of date")
    default: throw .serviceUnclear(service)
    }
  }
}

extension DeliveryFailure {
  /// The words of indimail's program, which its log readers know.
  fileprivate static let serviceSilent = DeliveryFailure(
    .init(.temporary, 4, 2), Bytes("error connecting to DANE verification service."))

  fileprivate static func serviceFailed(_ service: RecordService, _ reason: Int32) -> DeliveryFailure {
    let words =
      "Temporory failure with DANE verification service [tlsacheck: ip[\(service.address.text)] port[\(service.port)]]."
    return DeliveryFailure(
      .init(.temporary, 3, 0), Bytes(words), detail: Bytes(unsafe String(cString: csys_error_text(reason))))
  }

  fileprivate static func serviceUnclear(_ service: RecordService) -> DeliveryFailure {
    let words = "Temporory failure with DANE verification service [\(service.text.printable.text)]."
    return DeliveryFailure(.init(.temporary, 3, 0), Bytes(words), detail: Bytes("its answer is none"))
  }
}
