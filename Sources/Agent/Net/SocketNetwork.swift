// TCP connections in the making, any number of them under one poll(2).
internal import CSystem

/// Connects with real sockets.
public struct SocketNetwork: Network {
  private let clock: any MonotonicClock

  public init(clock: any MonotonicClock) { self.clock = clock }

  public func start(_ candidate: Candidate) throws(TransportError) -> any PendingConnection {
    let number = csys_tcp_socket(candidate.address.family)
    guard number >= 0 else { throw .failed(csys_errno()) }
    let descriptor = FileDescriptor(owning: number)
    if let local = candidate.local?.address { try bind(descriptor.number, local, candidate.local?.interface) }
    let status = unsafe candidate.address.withSocketAddress(port: candidate.port) { unsafe connect(number, $0, $1) }
    // An interrupted connect goes on as a non-blocking one does.
    guard status == 0 || csys_errno() == EINPROGRESS || csys_errno() == EINTR else { throw .failed(csys_errno()) }
    return PendingSocket(descriptor, clock: clock)
  }

  private func bind(_ number: Int32, _ local: IPAddress, _ interface: String?) throws(TransportError) {
    let scope = interface.map { unsafe if_nametoindex($0) } ?? 0
    if interface != nil, scope == 0 { throw .cannotBind(local, csys_errno()) }
    let status = unsafe local.withSocketAddress(port: 0, scope: scope) { unsafe CSystem.bind(number, $0, $1) }
    if status != 0 { throw .cannotBind(local, csys_errno()) }
  }

  public func wait(for connections: [any PendingConnection], by deadline: Deadline) {
    let sockets = connections.compactMap { $0 as? PendingSocket }
    var polled = sockets.map { pollfd(fd: $0.number, events: Int16(POLLOUT), revents: 0) }
    // What interrupts the wait ends it: whoever races looks at the clock again.
    guard unsafe poll(&polled, nfds_t(polled.count), deadline.milliseconds(from: clock.now())) > 0 else { return }
    for (socket, entry) in zip(sockets, polled) where entry.revents != 0 { socket.settle() }
  }
}

/// A socket on which connect(2) was called.
private final class PendingSocket: PendingConnection {
  private var descriptor: FileDescriptor?
  private let clock: any MonotonicClock
  let number: Int32
  private(set) var result: Result<any ByteStream, TransportError>?

  init(_ descriptor: consuming FileDescriptor, clock: any MonotonicClock) {
    number = descriptor.number
    self.descriptor = consume descriptor
    self.clock = clock
  }

  /// Asks the socket how it went; to be called when it is writable.
  func settle() {
    guard result == nil, let descriptor = descriptor.take() else { return }
    var reason: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    if unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &reason, &size) != 0 { reason = csys_errno() }
    switch reason {
    case 0: result = .success(SocketStream(descriptor, clock: clock))
    case ETIMEDOUT: result = .failure(.timedOut)
    default: result = .failure(.failed(reason))
    }
  }
}
