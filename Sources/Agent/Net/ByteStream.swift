// A two-way stream of bytes with deadlines: what the dialogue runs over, whether a socket, a TLS layer or a test's script.
internal import CSystem

/// What stops a connection.
public enum TransportError: Error, Equatable, Sendable {
  case timedOut
  /// The other side closed it.
  case closed
  /// An errno.
  case failed(Int32)
  /// The local address can't be used, with the errno.
  case cannotBind(IPAddress, Int32)
  /// The TLS layer can't go on, and why: what came makes no sense to it, or the other side says so of ours.
  case tls(String)
}

extension TransportError {
  /// In a few words, for the end of a sentence.
  var words: String {
    switch self {
    case .timedOut: "no answer in time"
    case .closed: "the connection was closed"
    case .failed(let number), .cannotBind(_, let number): unsafe String(cString: csys_error_text(number))
    case .tls(let reason): reason
    }
  }
}

public protocol ByteStream: AnyObject {
  /// Waits for bytes and appends them to `buffer`.
  /// - Throws: `.closed` at the end of the stream.
  func read(into buffer: inout Bytes, by deadline: Deadline) throws(TransportError)

  /// Waits until some of the bytes can be sent, and sends them.
  /// - Returns: how many; at least one.
  func write(_ bytes: ArraySlice<UInt8>, by deadline: Deadline) throws(TransportError) -> Int

  /// Waits until some of the bytes can be sent or others have arrived, and does what is possible: two sides that only write block each
  /// other for ever (RFC 2920 section 3.1). The end of the stream is no error here; the next read tells.
  /// - Returns: how many bytes were sent; 0 when only reading was possible.
  func write(_ bytes: ArraySlice<UInt8>, readingInto buffer: inout Bytes, by deadline: Deadline) throws(TransportError) -> Int

  /// Whether bytes, or the end of the stream, have arrived and wait to be read.
  var hasInput: Bool { get }
}

/// Makes connections, several at a time.
public protocol Network {
  /// Starts a connection without waiting for it. It is given up when the value goes.
  /// - Throws: the reason why it can't even be started.
  func start(_ candidate: Candidate) throws(TransportError) -> any PendingConnection

  /// Waits until at least one of them is decided, or until the deadline.
  func wait(for connections: [any PendingConnection], by deadline: Deadline)
}

/// A connection that is being made.
public protocol PendingConnection: AnyObject {
  /// nil as long as it is under way.
  var result: Result<any ByteStream, TransportError>? { get }
}
