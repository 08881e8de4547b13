// The example of a signer (contrib/hooks/dkim-sign), and what another implementation of DKIM (Perl's Mail::DKIM) says of what a server
// got.
import Foundation
import Support
import Testing

/// A domain that signs.
private struct SigningSite {
  let site: ExampleSite
  let publicKey: String

  init(to server: ScriptedServer, domain: String = "example.org") throws {
    site = try ExampleSite(["message": "dkim-sign"], ["dkim/\(domain)/selector": "first\n"], to: server)
    let key = "\(site.control.path)/dkim/\(domain)/key"
    _ = try SigningSite.openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
    publicKey = try SigningSite.openssl("pkey", "-in", key, "-pubout", "-outform", "DER").base64EncodedString()
  }

  private static func openssl(_ operands: String...) throws -> Data {
    let finished = try SpawnedProcess(ProgramStart("/usr/bin/openssl", operands)).finish()
    try #require(finished.ending == .exited(0), "\(visible(finished.errors))")
    return Data(finished.output)
  }

  /// Prints the result of each signature, its domain and selector.
  private static let verifier = """
    use Mail::DKIM::Verifier;
    package Zone; sub new { bless {}, shift } sub errorstring { 'NXDOMAIN' }
    sub query { my ($zone, $name) = @_; Packet->new($name) }
    sub send { query(@_) }
    package Packet; sub new { my ($class, $name) = @_; bless { name => $name }, $class }
    sub answer { my ($packet) = @_;
      $packet->{name} eq 'first._domainkey.example.org' ? (Text->new) : () }
    sub header { Header->new }
    package Header; sub new { bless {}, shift } sub rcode { 'NOERROR' }
    package Text; sub new { bless {}, shift } sub type { 'TXT' } sub char_str_list { ("v=DKIM1; k=rsa; p=$ENV{KEY}") }
    sub txtdata { "v=DKIM1; k=rsa; p=$ENV{KEY}" }
    package main;
    $Mail::DKIM::DNS::RESOLVER = Zone->new;
    my $verifier = Mail::DKIM::Verifier->new;
    local $/; my $message = <STDIN>;
    $verifier->PRINT($message); $verifier->CLOSE;
    print join ' ', map { $_->result, $_->domain, $_->selector } $verifier->signatures;
    """

  func verified(_ message: [UInt8]) throws -> String {
    var start = ProgramStart("/usr/bin/perl", ["-e", SigningSite.verifier])
    start.environment = ["KEY": publicKey, "PATH": "/usr/bin:/bin"]
    start.input = .pipe(message)
    let finished = try SpawnedProcess(start).finish()
    #expect(finished.ending == .exited(0), "\(visible(finished.errors))")
    return String(decoding: finished.output, as: UTF8.self)
  }
}

@Suite struct SigningHookTests {
  private static let accepted = visible("r\0K127.0.0.1 accepted message.\nRemote host said: 250 ok 1\n\0".utf8)

  /// The message as a server understands it: without the dots that were added, and without the last.
  private func received(_ body: [UInt8]) -> [UInt8] {
    let lines = body.split(separator: 10, omittingEmptySubsequences: false)
    return Array(lines.dropLast(2).map { $0.first == 0x2e ? $0.dropFirst() : $0 }.joined(separator: [10])) + [10]
  }

  @Test(arguments: [
    "From: Joe <joe@example.org>\nTo: user@example.com\nSubject: test\n\nhello\n",
    "Received: from x\n\tby y\nFrom:\n \"a@b\"\n\t<joe@Example.ORG>\nSubject: folded\n  twice\n\n.\n..dots\n\n\n",
    "From: joe@example.org\r\nSubject: line ends\r\n\r\nof\rall\r\nkinds\n",
    "from: joe@example.org\nSubject: gr\u{fc}n\n\n\u{fc}\u{20ac} 8 bit \n trailing\t \n",
    "From: joe@example.org\n\n",
  ])
  func `a signature that others verify`(_ message: String) throws {
    let server = try ScriptedServer(SMTPScript(extensions: ["8BITMIME", "PIPELINING"]))
    let signing = try SigningSite(to: server)
    var site = signing.site
    site.remote.message = Array(message.utf8)
    let report = try site.deliver()
    #expect(report == Self.accepted)
    let body = try #require(server.finish().flatMap(\.bodies).first)
    #expect(try signing.verified(received(body)) == "pass example.org first")
    // It is no verifier that says so of everything.
    #expect(try signing.verified(received(body) + Array("more\r\n".utf8)) == "fail example.org first")
  }

  @Test(arguments: [
    "From: joe@example.net\n\nhello\n", "Subject: nobody\n\nFrom: joe@example.org\n", "From: x@../dkim/example.org\n\nhello\n",
    "\nFrom: joe@example.org\n",
  ])
  func `mail of others goes as it is`(_ message: String) throws {
    let server = try ScriptedServer(SMTPScript())
    let signing = try SigningSite(to: server)
    var site = signing.site
    site.remote.message = Array(message.utf8)
    #expect(try site.deliver() == Self.accepted)
    let body = try #require(server.finish().flatMap(\.bodies).first)
    #expect(String(decoding: received(body), as: UTF8.self) == message.replacingOccurrences(of: "\n", with: "\r\n"))
  }

  @Test func `no signature, no mail`() throws {
    let server = try ScriptedServer(SMTPScript())
    let signing = try SigningSite(to: server)
    var site = signing.site
    site.remote.message = Array("From: joe@example.org\n\nhello\n".utf8)
    try site.control.write("dkim/example.org/key", "no key\n")
    #expect(
      try site.deliver()
        == visible("ZThe DKIM signer fails for example.org. (#4.3.0)\nhooks/message, exit status 111\n\0".utf8))
    #expect(server.finish().isEmpty)
  }
}
