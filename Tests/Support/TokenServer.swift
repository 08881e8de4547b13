// An OAuth 2.0 server on loopback: access tokens for refresh tokens at /token, and whose they are at /introspect. Knows nothing of mail.
import Foundation
import Synchronization

public final class TokenServer: Sendable {
  /// What it holds and was asked.
  public struct State: Sendable, Decodable {
    /// Users by token. Those that it gives out are `access-1`, `access-2`...
    public let access: [String: String]
    public let refresh: [String: String]
    /// Path and body, in the order of their coming.
    public let requests: [[String]]

    public func requests(to path: String) -> [String] { requests.filter { $0.first == path }.compactMap(\.last) }
  }

  public let port: UInt16
  private let process: SpawnedProcess
  private let channel: LineChannel
  private let turn = Mutex<Void>(())

  /// In the network of the calling thread. It ends when nobody holds it, or when the tests end.
  /// - Parameters:
  ///   - access: users by the access tokens that are valid from the start.
  ///   - refresh: users by refresh token.
  public init(access: [String: String] = [:], refresh: [String: String] = [:]) throws {
    struct Started: Decodable {
      let port: UInt16
    }
    let (channel, descriptor) = try LineChannel.make()
    defer { close(descriptor) }
    var start = ProgramStart("/usr/bin/python3", ["-B", TestScripts.path("token_server.py"), "0"])
    start.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    start.input = .descriptor(descriptor)
    start.output = .descriptor(descriptor)
    process = try SpawnedProcess(start)
    self.channel = channel
    guard let line = try channel.line() else { throw SpawnFault(description: "token_server.py doesn't start") }
    port = try JSONDecoder().decode(Started.self, from: Data(line)).port
    _ = try ask(["access": access, "refresh": refresh])
  }

  /// Other access tokens than before.
  public func setAccess(_ access: [String: String]) throws { _ = try ask(["access": access]) }

  /// What /token says from now on of how long its tokens live.
  public func setExpiry(seconds: Int) throws { _ = try ask(["expires": seconds]) }

  public func state() throws -> State { try ask([String: String]()) }

  private func ask(_ question: some Encodable) throws -> State {
    let line = try JSONEncoder().encode(question)
    let answer = try turn.withLock { _ in
      try channel.send(Array(line))
      return try channel.line()
    }
    guard let answer else {
      throw SpawnFault(description: "token_server.py has ended: \(visible(process.finish(within: 5).errors))")
    }
    return try JSONDecoder().decode(State.self, from: Data(answer))
  }
}
