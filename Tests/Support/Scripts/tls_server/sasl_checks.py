"""Servers' sides of SASL mechanisms, written from their specifications: PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) and the same
construction with other digests, SCRAM with and without channel binding (RFC 5802, RFC 7677), XOAUTH2, OAUTHBEARER (RFC 7628). Each is a
generator that yields challenges, is sent responses, and returns the user whom the response proves, or None."""
import base64
import hashlib
import hmac
import secrets

DIGESTS = {
    "CRAM-MD5": "md5", "CRAM-SHA1": "sha1", "CRAM-SHA224": "sha224", "CRAM-SHA256": "sha256", "CRAM-SHA384": "sha384",
    "CRAM-SHA512": "sha512", "CRAM-RIPEMD": "ripemd160",
}
HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


def plain(accounts):
    parts = (yield b"").split(b"\0")
    if len(parts) != 3 or parts[0]:
        return None
    return proven(accounts, parts[1], parts[2])


def login(accounts):
    user = yield b"Username:"
    return proven(accounts, user, (yield b"Password:"))


def cram(accounts, digest):
    challenge = b"<%s@mx.example.com>" % secrets.token_hex(12).encode()
    user, _, answer = (yield challenge).rpartition(b" ")
    password = accounts.get(user.decode("utf-8", "replace"))
    if password is None:
        return None
    wanted = hmac.new(password.encode(), challenge, digest).hexdigest().encode()
    return user.decode() if hmac.compare_digest(wanted, answer) else None


def scram(accounts, digest, bindings, flags):
    """bindings: what the client may be bound to, by the names of channel bindings; flags: how its first message may begin."""
    flag, _, bare = (yield b"").split(b",", 2)
    fields = dict(field.split(b"=", 1) for field in bare.split(b","))
    user = fields[b"n"].replace(b"=2C", b",").replace(b"=3D", b"=").decode("utf-8", "replace")
    if flag[:1] not in flags or user not in accounts:
        return None
    bound = b""
    if flag.startswith(b"p="):
        bound = bindings.get(flag[2:].decode())
        if bound is None:
            return None
    nonce, salt, count = fields[b"r"] + secrets.token_hex(12).encode(), secrets.token_bytes(16), 4096
    first = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), count)
    final, _, proof = (yield first).rpartition(b",p=")
    salted = hashlib.pbkdf2_hmac(digest, accounts[user].encode(), salt, count)
    message = b",".join([bare, first, final])
    client_key = hmac.digest(salted, b"Client Key", digest)
    signature = hmac.digest(hashlib.new(digest, client_key).digest(), message, digest)
    wanted = bytes(a ^ b for a, b in zip(client_key, signature))
    header = base64.b64encode(flag + b",," + bound)
    if final != b"c=%s,r=%s" % (header, nonce) or not hmac.compare_digest(base64.b64decode(proof), wanted):
        return None
    if (yield b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", digest), message, digest))) != b"":
        return None
    return user


def xoauth2(accounts):
    parts = (yield b"").split(b"\1")
    if len(parts) == 4 and parts[0].startswith(b"user=") and parts[1].startswith(b"auth=Bearer ") and parts[2:] == [b"", b""]:
        user = proven(accounts, parts[0][5:], parts[1][12:])
        if user:
            return user
    yield b'{"status":"401","schemes":"bearer","scope":"mail"}'
    return None


def oauthbearer(accounts):
    parts = (yield b"").split(b"\1")
    header, fields = parts[0], parts[1:]
    name = header[len(b"n,a=") : -1]
    tokens = [field[len(b"auth=Bearer ") :] for field in fields if field.startswith(b"auth=Bearer ")]
    if header.startswith(b"n,a=") and header.endswith(b",") and fields[-2:] == [b"", b""] and len(tokens) == 1:
        user = proven(accounts, name.replace(b"=2C", b",").replace(b"=3D", b"="), tokens[0])
        if user:
            return user
    # RFC 7628 section 3.2.3: the client answers with one byte 1, and then the server fails.
    yield b'{"status":"invalid_token","scope":"mail"}'
    return None


def proven(accounts, user, password):
    name = user.decode("utf-8", "replace")
    known = accounts.get(name)
    return name if known is not None and hmac.compare_digest(known.encode(), password) else None


def check(mechanism, accounts, bindings):
    """The generator for a mechanism; None if there is none."""
    if mechanism in DIGESTS:
        return cram(accounts, DIGESTS[mechanism])
    name = mechanism.removesuffix("-PLUS")
    if name in HASHES:
        # A client that could bind and thinks that the server can't is told off where the server can.
        return scram(accounts, HASHES[name], bindings, [b"p"] if mechanism.endswith("-PLUS") else [b"n"] if bindings else [b"n", b"y"])
    known = {"PLAIN": plain, "LOGIN": login, "XOAUTH2": xoauth2, "OAUTHBEARER": oauthbearer}
    return known[mechanism](accounts) if mechanism in known else None


def converse(mechanism, initial, accounts, bindings, ask):
    """Runs a mechanism.
    bindings: of the connection, by name, if the server offers to bind to them.
    initial: the initial response as it stood in the command, None for none.
    ask: sends a challenge in base64 and returns the answer's line.
    Returns (the user or None, the reply)."""
    checking = check(mechanism, accounts, bindings)
    if checking is None:
        return None, "504 5.5.4 unknown mechanism"
    try:
        challenge = next(checking)
        line = initial
        while True:
            if line is None:
                line = ask(base64.b64encode(challenge).decode())
            if line == "*":
                return None, "501 5.7.0 cancelled"
            response = b"" if line == "=" else base64.b64decode(line, validate=True)
            challenge, line = checking.send(response), None
    except (ValueError, LookupError):
        return None, "501 5.5.2 that is nothing to decode"
    except StopIteration as end:
        return end.value, "235 2.7.0 accepted" if end.value else "535 5.7.8 refused"
