// DNS through c-ares: it sends the questions, repeats them, and goes to TCP when an answer doesn't fit. Queries are written and answers
// read by DNSMessage and its like. The only file that knows c-ares.
internal import CAres
internal import CSystem

/// Asks the resolvers of /etc/resolv.conf, or those of the variable QMAILREMOTE_RESOLVER.
@safe public final class CAresResolver: Resolver {
  private let servers: Bytes?
  private let clock: any MonotonicClock
  private let firstWait: Duration
  /// At place 0 all servers are asked, the next where one can't be reached; at each further place one less, for questions that those
  /// before it have answered with nothing of use.
  private var channels: [Channel] = []
  private var isComplete = false

  /// `address[:port]`, several of them divided by commas, IPv6 in brackets.
  public static let variable = "QMAILREMOTE_RESOLVER"

  /// How often each server is asked over UDP. The second wait is twice the first.
  private static let tries: Int32 = 2

  /// - Parameters:
  ///   - servers: in the form of the variable; nil for resolv.conf.
  ///   - firstWait: for an answer, before the next server is asked, or the same again.
  public init(servers: Bytes?, clock: any MonotonicClock, firstWait: Duration = .seconds(5)) {
    self.servers = servers
    self.clock = clock
    self.firstWait = firstWait
  }

  public private(set) lazy var believesValidation = servers.map(ResolverTrust.isLocal) ?? ResolverTrust.systemIsTrusted()

  public func answers(to questions: [DNSQuestion], by deadline: Deadline) -> [DNSAnswer] {
    let believesAD = believesValidation
    let pending = questions.map { Pending($0, believesAD: believesAD) }
    // No function of the library may be called before it is there.
    if let problem = unsafe cares_load() {
      let words = unsafe String(cString: problem)
      return questions.map { _ in .failure(words) }
    }
    guard channel(at: 0) != nil else {
      return questions.map { _ in .failure("the resolver can't be started or its address is wrong") }
    }
    exchange(pending, deadline)
    // Whatever is still under way is given up; its callbacks run before this returns.
    for channel in channels { unsafe cares_cancel(channel.handle) }
    return pending.map { $0.answer ?? $0.failure ?? .failure("no answer in time") }
  }

  /// Questions under way at a time. A socket's buffers hold the answers to so many; more would be lost, and a lost question is repeated
  /// after seconds only.
  private static let window = 64

  private func exchange(_ pending: [Pending], _ deadline: Deadline) {
    var waiting = pending[...]
    var underWay: [Pending] = []
    while true {
      underWay.removeAll { $0.answer != nil }
      while underWay.count < CAresResolver.window, let question = waiting.popFirst() { underWay.append(question) }
      if underWay.isEmpty { return }
      for question in underWay where !question.isUnderWay { send(question) }
      // Some are over as soon as they are sent.
      guard underWay.allSatisfy(\.isUnderWay) else { continue }
      let now = clock.now()
      if deadline.hasPassed(at: now) { return }
      wait(atMost: deadline.milliseconds(from: now))
    }
  }

  private func send(_ question: Pending) {
    guard let channel = channel(at: question.place) else { return question.giveUp() }
    unsafe question.send(over: channel.handle)
  }
}

// MARK: channels

extension CAresResolver {
  /// nil if no server is left for that place.
  private func channel(at place: Int) -> Channel? {
    if place < channels.count { return channels[place] }
    if isComplete { return nil }
    guard let channel = openChannel(at: place) else {
      isComplete = true
      return nil
    }
    channels.append(channel)
    return channel
  }

  private func openChannel(at place: Int) -> Channel? {
    var options = unsafe ares_options()
    // Without NOCHECKRESP a SERVFAIL would look like a resolver that can't be reached.
    unsafe options.flags = Int32(ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES)
    let wait = firstWait.components
    unsafe options.timeout = Int32(clamping: wait.seconds * 1_000 + wait.attoseconds / 1_000_000_000_000_000)
    unsafe options.tries = CAresResolver.tries
    var opened: ares_channel?
    let mask = Int32(ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
    let status = unsafe cares_init_options(&opened, &options, mask)
    guard status == Int32(ARES_SUCCESS), let opened = unsafe opened else { return nil }
    let channel = unsafe Channel(opened)
    return unsafe setServers(of: opened, from: place) ? channel : nil
  }

  @unsafe private func setServers(of channel: ares_channel, from place: Int) -> Bool {
    if let servers {
      let text = servers + [0]
      let status = unsafe text.withUnsafeBytes {
        unsafe cares_set_servers_ports_csv(channel, $0.bindMemory(to: CChar.self).baseAddress)
      }
      guard status == Int32(ARES_SUCCESS) else { return false }
    }
    if place == 0 { return true }
    return unsafe cares_skip_servers(channel, Int32(clamping: place)) == 1
  }
}

// MARK: sockets

extension CAresResolver {
  /// Lets the library take what comes, and look at its clock, or a question without an answer is never repeated.
  /// - Parameter limit: milliseconds; negative for none.
  private func wait(atMost limit: Int32) {
    var polled: [pollfd] = []
    /// The place of each socket's channel.
    var places: [Int] = []
    var milliseconds: Int32 = 1_000
    for (place, channel) in channels.enumerated() {
      let sockets = unsafe CAresResolver.sockets(of: channel.handle)
      polled += sockets
      places += sockets.map { _ in place }
      var time = timeval()
      guard let next = unsafe cares_timeout(channel.handle, nil, &time) else { continue }
      let wanted = unsafe next.pointee.tv_sec * 1_000 + next.pointee.tv_usec / 1_000 + 1
      milliseconds = min(milliseconds, Int32(clamping: wanted))
    }
    _ = unsafe poll(&polled, nfds_t(polled.count), limit < 0 ? milliseconds : min(limit, milliseconds))
    var handled: [Int] = []
    for (socket, place) in zip(polled, places) where socket.revents != 0 {
      handled.append(place)
      let readable = socket.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0 ? socket.fd : ARES_SOCKET_BAD
      let writable = socket.revents & Int16(POLLOUT) != 0 ? socket.fd : ARES_SOCKET_BAD
      unsafe cares_process_fd(channels[place].handle, readable, writable)
    }
    for (place, channel) in channels.enumerated() where !handled.contains(place) {
      unsafe cares_process_fd(channel.handle, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
    }
  }

  @unsafe private static func sockets(of channel: ares_channel) -> [pollfd] {
    var sockets = [ares_socket_t](repeating: 0, count: Int(ARES_GETSOCK_MAXNUM))
    let mask = UInt32(bitPattern: unsafe cares_getsock(channel, &sockets, Int32(sockets.count)))
    return sockets.enumerated().compactMap { index, socket in
      let reads = mask & (1 << index) != 0
      let writes = mask & (1 << (index + Int(ARES_GETSOCK_MAXNUM))) != 0
      guard reads || writes else { return nil }
      return pollfd(fd: socket, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
    }
  }
}

/// Owns a channel of the library.
@safe private final class Channel {
  let handle: ares_channel

  init(_ handle: ares_channel) { unsafe self.handle = handle }

  deinit { unsafe cares_destroy(handle) }
}

/// One question under way.
private final class Pending {
  let question: DNSQuestion
  private let believesAD: Bool
  private(set) var answer: DNSAnswer?
  /// The first; it stands if nobody can say more.
  private(set) var failure: DNSAnswer?
  /// How many servers have answered with nothing of use.
  private(set) var place = 0
  private var usesEDNS = true
  private var isSent = false

  var isUnderWay: Bool { isSent && answer == nil }

  init(_ question: DNSQuestion, believesAD: Bool) {
    self.question = question
    self.believesAD = believesAD
  }

  func giveUp() { answer = failure ?? .failure("no resolver is left") }

  @unsafe func send(over channel: ares_channel) {
    isSent = true
    guard let query = question.query(id: .random(in: 0...UInt16.max), hasEDNS: usesEDNS) else {
      // A name that can't be put in a question doesn't exist.
      answer = .noName(isSecure: false)
      return
    }
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    unsafe query.withUnsafeBufferPointer {
      unsafe cares_send(channel, $0.baseAddress, Int32($0.count), { unsafe Pending.arrived($0, $1, $3, $4) }, context)
    }
  }

  /// c-ares calls this exactly once for each query that was sent.
  @unsafe private static func arrived(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ length: Int32
  ) {
    guard let context = unsafe context else { return }
    let pending = unsafe Unmanaged<Pending>.fromOpaque(context).takeRetainedValue()
    guard status == Int32(ARES_SUCCESS), let bytes = unsafe bytes, length > 0 else {
      // All servers of this place were silent, or the time is over.
      pending.answer = pending.failure ?? .failure(unsafe String(cString: cares_strerror(status)))
      return
    }
    pending.take(unsafe Bytes(UnsafeBufferPointer(start: bytes, count: Int(length))))
  }

  private func take(_ response: Bytes) {
    // Without EDNS nobody has asked for DNSSEC.
    let said = DNSMessage.answer(in: response, to: question, believesAD: believesAD && usesEDNS)
    // Whoever is asked after a failure could make less of what records demand, unless the answer is validated.
    let isWeaker = question.type == .tlsa && failure != nil && !said.isSecure
    guard said.isFailure || isWeaker else {
      answer = said
      return
    }
    failure = failure ?? said
    isSent = false
    if usesEDNS, DNSMessage.knowsNoEDNS(response) {
      usesEDNS = false
    } else {
      usesEDNS = true
      place += 1
    }
  }
}
