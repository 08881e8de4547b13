// Authorities, certificates and keys for tests, made by Scripts/pki.sh with the openssl command. Knows nothing of TLS connections.
import Foundation

/// A certificate with its key, as files.
public struct TestIdentity: Sendable {
  /// Without a suffix.
  public let path: String

  public var name: String { (path as NSString).lastPathComponent }
  /// The certificate alone.
  public var certificate: String { "\(path).pem" }
  public var key: String { "\(path).key" }
  /// The certificate, then the authorities below the root: what a server sends.
  public var chain: String { "\(path).chain.pem" }
  /// The chain with its root.
  public var fullChain: String { "\(path).full.pem" }
  /// Key and chain in one file.
  public var keyAndChain: String { "\(path).all.pem" }

  public enum Digest: String, Sendable, CaseIterable {
    case sha1, sha224, sha256, sha384, sha512
  }

  /// What a digest is taken of.
  public enum Part: String, Sendable {
    case certificate = "der"
    case publicKey = "spki"
  }

  /// In lower case hexadecimal digits, as sha256sum(1) and its kin give them.
  public func fingerprint(_ digest: Digest, of part: Part = .certificate) throws -> String {
    let sums = (path as NSString).deletingLastPathComponent + "/sums"
    let wanted = [digest.rawValue, "\(name).\(part.rawValue)"]
    // The last one counts: a name may have been issued anew.
    let line = try String(contentsOfFile: sums, encoding: .utf8).split(separator: "\n").last { line in
      let words = line.split(separator: " ").map(String.init)
      return words.count == 3 && [words[0], words[2]] == wanted
    }
    guard let line else { throw SpawnFault(description: "no \(wanted) in \(sums)") }
    return String(line.split(separator: " ")[1])
  }

  /// The data of a TLSA record (RFC 6698 section 2.1), as in a zone file: `3 1 1 0123…`. With an authority's identity and usage 2 for
  /// the trust anchor.
  public func tlsa(_ usage: Int, _ selector: Int, _ matching: Int) throws -> String {
    let part: Part = selector == 0 ? .certificate : .publicKey
    let association =
      switch matching {
      case 1: try fingerprint(.sha256, of: part)
      case 2: try fingerprint(.sha512, of: part)
      default:
        try Data(contentsOf: URL(fileURLWithPath: "\(path).\(part.rawValue)")).map { String(format: "%02x", $0) }.joined()
      }
    return "\(usage) \(selector) \(matching) \(association)"
  }
}

public struct TestPKI: Sendable {
  /// The certificates that are always there. Unless said otherwise they are good, of elliptic curve P-256, have the DNS name
  /// mx.example.com, and are issued by the intermediate authority of their kind of key.
  public enum Name: String, Sendable, CaseIterable {
    case rootRSA = "root-rsa"
    case rootEC = "root-ec"
    case intermediateRSA = "intermediate-rsa"
    case intermediateEC = "intermediate-ec"
    /// Its dates are over.
    case intermediateOld = "intermediate-old"
    /// A root that nobody trusts.
    case stranger

    case rsa, ec
    /// Without an intermediate authority.
    case byRoot = "by-root"
    case expired
    /// Not valid yet.
    case future
    /// Issued by an intermediate authority that has expired.
    case oldIntermediate = "old-intermediate"
    /// For mx.elsewhere.example.
    case wrongName = "wrong-name"
    /// For *.example.com.
    case wildcard
    /// The DNS name, and an empty subject.
    case sanOnly = "san-only"
    /// The name as common name only.
    case cnOnly = "cn-only"
    /// The DNS name, and mx.elsewhere.example as common name.
    case cnElsewhere = "cn-elsewhere"
    /// The DNS name mx.elsewhere.example, and mx.example.com as common name, which then doesn't count.
    case cnOverruled = "cn-overruled"
    /// Neither DNS names nor a common name.
    case nameless
    /// The IP addresses 127.0.0.1 and ::1, no DNS name.
    case address
    /// The DNS name mx.example.com, a null byte, .elsewhere.example.
    case nullName = "null-name"
    /// The same as common name, and no DNS name; issued by the intermediate authority with an RSA key.
    case nullCN = "null-cn"
    case selfSigned = "self-signed"
    /// Issued by the stranger.
    case untrusted
    /// Issued by a certificate that isn't an authority's.
    case byLeaf = "by-leaf"
    /// Only for clients.
    case clientUsage = "client-usage"

    /// For clients: client.example.net, subject `O=Tests, CN=client`.
    case client
    case clientRSA = "client-rsa"
    case clientUntrusted = "client-untrusted"
  }

  /// One set for all test runs of a day.
  public static let shared = Result { try TestPKI(folder: madeToday()) }

  public let folder: String

  public subscript(_ name: Name) -> TestIdentity { TestIdentity(path: "\(folder)/\(name.rawValue)") }

  /// Both trusted roots in one file.
  public var roots: String { "\(folder)/roots.pem" }
  /// Both trusted roots in a folder with hashed names (openssl-rehash(1)).
  public var rootsFolder: String { "\(folder)/roots" }
  /// The key of `client`, encrypted.
  public var lockedClientKey: String { "\(folder)/client.locked.key" }
  /// The same and its chain in one file.
  public var lockedClientKeyAndChain: String { "\(folder)/client.locked.all.pem" }
  public static let clientPassword = "correct-horse"

  /// Issues one more certificate, in a few hundredths of a second.
  /// - Parameters:
  ///   - name: of its files.
  ///   - folder: where they go.
  ///   - settings: as Scripts/pki.sh lists them: `names=DNS:a.example,DNS:b.example`, `issuer=root-ec`, `key=p384`, `to=-1`...
  public func issue(_ name: String, into folder: TemporaryFolder, _ settings: String...) throws -> TestIdentity {
    try issue(name, into: folder, settings)
  }

  public func issue(_ name: String, into folder: TemporaryFolder, _ settings: [String]) throws -> TestIdentity {
    try TestPKI.script(["issue", self.folder, folder.path, name] + settings)
    return TestIdentity(path: "\(folder.path)/\(name)")
  }
}

// MARK: making them

extension TestPKI {
  private static func script(_ operands: [String]) throws {
    var start = ProgramStart("/bin/bash", [TestScripts.path("pki.sh")] + operands)
    start.environment = ["PATH": "/usr/bin:/bin"]
    start.input = .file("/dev/null")
    let finished = try SpawnedProcess(start).finish(within: 120)
    guard finished.ending == .exited(0) else {
      throw SpawnFault(description: "pki.sh \(operands.joined(separator: " ")): \(visible(finished.errors)) (package openssl)")
    }
  }

  /// Below .build, named for the day and the script: making them takes seconds, of which every test run would spend some.
  private static func madeToday() throws -> String {
    let files = FileManager.default
    let all = TestScripts.path("../../../.build/pki")
    try files.createDirectory(atPath: all, withIntermediateDirectories: true)
    let script = try Data(contentsOf: URL(fileURLWithPath: TestScripts.path("pki.sh")))
    let version = script.reduce(UInt32(5_381)) { $0 &* 33 ^ UInt32($1) }
    let day = Int(Date().timeIntervalSince1970) / 86_400
    let root = (all as NSString).standardizingPath
    let wanted = "\(root)/\(day)-\(version)"
    if files.fileExists(atPath: wanted) { return wanted }
    // What another test run may still use is from yesterday at the earliest.
    for old in try files.contentsOfDirectory(atPath: root) where Int(old.prefix { $0 != "-" }).map({ $0 < day - 1 }) ?? false {
      try? files.removeItem(atPath: "\(root)/\(old)")
    }
    let new = "\(root)/\(day)-\(version).\(UUID().uuidString)"
    try TestPKI.script(["all", new])
    // Another test run may have been faster; then its set is the one.
    if rename(new, wanted) != 0 { try? files.removeItem(atPath: new) }
    guard files.fileExists(atPath: wanted) else { throw SpawnFault(description: "\(wanted) can't be made") }
    return wanted
  }
}
