// Deliveries by Python's smtplib: what a server is taken for is first shown to be so by a client that isn't ours.
import Foundation
import Support

struct PythonClient: Sendable, Encodable {
  enum Security: String, Sendable, Encodable, CaseIterable {
    case clear, starttls, implicit
  }

  /// What it saw of the server.
  struct Result: Sendable, Decodable {
    /// `TLSv1.3`; nil in clear.
    let version: String?
    let cipher: String?
    /// What the server offers, after TLS if there is any: keywords in upper case, and what stands behind them.
    let features: [String: String]
  }

  var port: UInt16
  var secure: Security
  /// A file; nil: the server's certificate isn't looked at.
  var authorities: String?
  /// What the certificate has to say; sent to the server too.
  var name: String? = "mx.example.com"
  /// Chain and key.
  var identity: [String]?
  /// As Python's ssl names them: lowest and highest.
  var versions: [String]?
  var mechanism: String?
  var user = "user"
  var password = "secret"
  var sender = "sender@example.net"
  var recipients = ["user@example.com"]
  var message = "Subject: x\r\n\r\nhello\r\n"

  init(_ port: UInt16, _ secure: Security, _ change: (inout PythonClient) -> Void = { _ in }) {
    self.port = port
    self.secure = secure
    change(&self)
  }

  /// Delivers in the network of the calling thread.
  /// - Throws: when the message isn't accepted.
  func run() throws -> Result {
    let task = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    var start = ProgramStart("/usr/bin/python3", ["-B", TestScripts.path("smtp_client.py"), task])
    start.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    start.input = .file("/dev/null")
    let finished = try SpawnedProcess(start).finish(within: 60)
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "smtplib, \(secure) \(mechanism ?? ""): \(visible(finished.errors))")
    }
    return try JSONDecoder().decode(Result.self, from: Data(finished.output))
  }
}
