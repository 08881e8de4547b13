// What is read of control files, programs and servers beside replies and DNS answers: nothing may trap, however it is cut or nested.
import CSystem

@testable import Agent
@testable import Auth
@testable import Hooks

/// However the bytes arrive, the netstrings in them are the same.
func netstrings(_ bytes: [UInt8]) {
  func read(_ pieces: [ArraySlice<UInt8>]) -> [[UInt8]] {
    var parser = NetstringParser(limit: 10_000, keptLimit: 100)
    var contents: [[UInt8]] = []
    for piece in pieces {
      var rest = piece
      while !rest.isEmpty {
        do {
          guard let content = try parser.take(&rest) else { break }
          precondition(content.count <= 100)
          contents.append(content)
        } catch {
          return contents
        }
      }
    }
    return contents
  }
  precondition(read([bytes[...]]) == read(bytes.map { [$0][...] }))
}

func base64(_ bytes: [UInt8]) {
  precondition(Base64.decode(Base64.encode(bytes)) == bytes)
  precondition(Base64.encode(bytes).count == Base64.encodedCount(bytes.count))
  if let decoded = Base64.decode(bytes) { precondition(decoded.count <= bytes.count) }
}

func edits(_ bytes: [UInt8]) {
  if let edits = try? EnvironmentEdits(envstr: bytes, source: "x") {
    var environment = Environment(["A": "1"])
    environment.apply(edits)
  }
  let keys = [HookKey("set", .anyNumber), HookKey("unset", .anyNumber), HookKey("route")]
  if let answer = try? HookAnswer(bytes, keys) { precondition(answer.lines.isEmpty == bytes.isEmpty) }
}

func patterns(_ bytes: [UInt8]) {
  let cut = bytes.firstIndex(of: 10) ?? bytes.count
  _ = try? Wildmat(bytes[..<cut]).matches(bytes[cut...])
}

func destinations(_ bytes: [UInt8]) {
  for dialect in Dialect.allCases {
    guard let rule = try? DestinationRule(bytes[...], dialect) else { continue }
    for kind in DestinationClass.specific + [.forbidden] + DestinationClass.general {
      _ = try? rule.policy(kind, names: [bytes], place: "x")
    }
  }
}

func challenges(_ bytes: [UInt8]) {
  let nonce = Array(bytes.dropFirst(2).prefix(4))
  if let first = try? ScramServerFirst(bytes, clientNonce: nonce) {
    precondition(first.nonce.starts(with: nonce) && first.nonce.count > nonce.count && first.iterations > 0)
  }
  _ = ScramText.error(bytes)
  _ = DigestChallenge.naming(nonce, in: bytes)
}

func tags(_ bytes: [UInt8]) {
  for format in [BATVFormat.madeOn, .expiresOn(keyNumber: 1)] {
    let tag = BATVTag(format, key: Secret(Array("key".utf8)), day: Int(bytes.first ?? 0) * 40)
    _ = try? tag.check(Array("prvs=".utf8) + bytes)
    // The null sender and addresses with a sign of equality get none.
    guard !bytes.isEmpty, !bytes.contains(UInt8(ascii: "=")), let tagged = try? tag.tagged(bytes) else { continue }
    guard let verdict = try? tag.check(tagged) else { continue }
    precondition(verdict == .valid(original: bytes))
  }
}

/// What is written is one line of UTF-8, whatever it tells.
func json(_ bytes: [UInt8]) {
  var object = JSONObject()
  object.add("text", bytes)
  precondition(String(validating: object.line, as: UTF8.self) != nil)
  precondition(!object.bytes.contains { $0 < 32 || $0 == 127 })
}
