// DNS through c-ares: it sends the questions, repeats them, and goes to TCP when an answer doesn't fit. Answers are read by
// DNSMessage. The only file that knows c-ares.
internal import CAres
internal import CSystem

/// Asks the resolvers of /etc/resolv.conf, or those of the variable QMAILREMOTE_RESOLVER.
@safe public final class CAresResolver: Resolver {
  private let servers: Bytes?
  private let clock: any MonotonicClock
  private var channel: ares_channel?

  /// `address[:port]`, several of them divided by commas, IPv6 in brackets.
  public static let variable = "QMAILREMOTE_RESOLVER"

  /// - Parameter servers: in the form of the variable; nil for resolv.conf.
  public init(servers: Bytes?, clock: any MonotonicClock) {
    self.servers = servers
    self.clock = clock
  }

  deinit {
    if let channel = unsafe channel { unsafe cares_destroy(channel) }
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
    guard let channel = unsafe openChannel() else {
      return questions.map { _ in .failure("the resolver can't be started or its address is wrong") }
    }
    unsafe exchange(pending, channel, deadline)
    // Whatever is still under way is given up; its callbacks run before this returns.
    unsafe cares_cancel(channel)
    return pending.map { $0.answer ?? .failure("no answer in time") }
  }

  private func openChannel() -> ares_channel? {
    if let channel = unsafe channel { return unsafe channel }
    var options = unsafe ares_options()
    // Without NOCHECKRESP a SERVFAIL would look like a resolver that can't be reached.
    unsafe options.flags = Int32(ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES)
    var opened: ares_channel?
    guard unsafe cares_init_options(&opened, &options, Int32(ARES_OPT_FLAGS)) == Int32(ARES_SUCCESS) else { return nil }
    if let servers {
      let text = servers + [0]
      let status = unsafe text.withUnsafeBytes {
        unsafe cares_set_servers_ports_csv(opened, $0.bindMemory(to: CChar.self).baseAddress)
      }
      guard status == Int32(ARES_SUCCESS) else {
        unsafe cares_destroy(opened)
        return nil
      }
    }
    unsafe channel = opened
    return unsafe opened
  }

  /// Questions under way at a time. A socket's buffers hold the answers to so many; more would be lost, and a lost question is repeated
  /// after seconds only.
  private static let window = 64

  @unsafe private func exchange(_ pending: [Pending], _ channel: ares_channel, _ deadline: Deadline) {
    var waiting = pending[...]
    while pending.contains(where: { $0.answer == nil }) {
      var underWay = pending.count { $0.isUnderWay }
      while underWay < CAresResolver.window, let question = waiting.popFirst() {
        unsafe question.send(over: channel)
        underWay += 1
      }
      let now = clock.now()
      if deadline.hasPassed(at: now) { return }
      var sockets = [ares_socket_t](repeating: 0, count: Int(ARES_GETSOCK_MAXNUM))
      let mask = unsafe cares_getsock(channel, &sockets, Int32(sockets.count))
      var polled = CAresResolver.polled(sockets, UInt32(bitPattern: mask))
      var limit = timeval()
      var next = timeval(tv_sec: 1, tv_usec: 0)
      if let pointer = unsafe cares_timeout(channel, nil, &limit) { unsafe next = pointer.pointee }
      let milliseconds = Int32(clamping: next.tv_sec * 1_000 + next.tv_usec / 1_000 + 1)
      let left = deadline.milliseconds(from: now)
      _ = unsafe poll(&polled, nfds_t(polled.count), left < 0 ? milliseconds : min(left, milliseconds))
      var handled = false
      for socket in polled where socket.revents != 0 {
        handled = true
        let readable = socket.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0 ? socket.fd : ARES_SOCKET_BAD
        let writable = socket.revents & Int16(POLLOUT) != 0 ? socket.fd : ARES_SOCKET_BAD
        unsafe cares_process_fd(channel, readable, writable)
      }
      // Its clock has to be looked at too, or a question without an answer is never repeated.
      if !handled { unsafe cares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD) }
    }
  }

  private static func polled(_ sockets: [ares_socket_t], _ mask: UInt32) -> [pollfd] {
    sockets.enumerated().compactMap { index, socket in
      let reads = mask & (1 << index) != 0
      let writes = mask & (1 << (index + Int(ARES_GETSOCK_MAXNUM))) != 0
      guard reads || writes else { return nil }
      return pollfd(fd: socket, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
    }
  }
}

/// One question under way.
private final class Pending {
  let question: DNSQuestion
  private let believesAD: Bool
  private(set) var answer: DNSAnswer?
  private var isSent = false

  var isUnderWay: Bool { isSent && answer == nil }

  init(_ question: DNSQuestion, believesAD: Bool) {
    self.question = question
    self.believesAD = believesAD
  }

  /// A UDP answer of this size crosses any network whole (DNS flag day 2020).
  private static let datagramLimit: Int32 = 1_232

  @unsafe func send(over channel: ares_channel) {
    isSent = true
    var query: UnsafeMutablePointer<UInt8>?
    var length: Int32 = 0
    let name = question.name + [0]
    let status = unsafe name.withUnsafeBytes { bytes in
      unsafe cares_create_query(
        bytes.bindMemory(to: CChar.self).baseAddress, 1, Int32(question.type.rawValue), UInt16.random(in: 0...UInt16.max), 1,
        &query, &length, Pending.datagramLimit)
    }
    guard status == Int32(ARES_SUCCESS), let query = unsafe query, length > 3 else {
      // A name that can't be put in a question doesn't exist.
      answer = status == Int32(ARES_ENOMEM) ? .failure("out of memory") : .noName(isSecure: false)
      return
    }
    defer { unsafe cares_free_string(query) }
    // AD in a question asks for the DNSSEC status (RFC 6840 section 5.7).
    unsafe query[3] |= 0x20
    let context = unsafe Unmanaged.passRetained(self).toOpaque()
    unsafe cares_send(channel, query, length, { unsafe Pending.arrived($0, $1, $3, $4) }, context)
  }

  /// c-ares calls this exactly once for each question that was sent.
  @unsafe private static func arrived(
    _ context: UnsafeMutableRawPointer?, _ status: Int32, _ bytes: UnsafeMutablePointer<UInt8>?, _ length: Int32
  ) {
    guard let context = unsafe context else { return }
    let pending = unsafe Unmanaged<Pending>.fromOpaque(context).takeRetainedValue()
    guard status == Int32(ARES_SUCCESS), let bytes = unsafe bytes, length > 0 else {
      pending.answer = .failure(unsafe String(cString: cares_strerror(status)))
      return
    }
    let response = unsafe Bytes(UnsafeBufferPointer(start: bytes, count: Int(length)))
    pending.answer = DNSMessage.answer(in: response, to: pending.question, believesAD: pending.believesAD)
  }
}
