"""Delivers a message by Python's smtplib, to see whether a server is what it is taken for.

The operand is JSON: port; secure: clear, starttls or implicit; and as wanted authorities (a file), name (what the certificate has
to say, sent as SNI too; none: unchecked), identity (chain and key), locked (the key's password), versions (lowest and highest),
mechanism, user, password, sender, recipients, message. Prints JSON: version, cipher and features; or ends with status 1 and a text."""
import base64
import hashlib
import hmac
import json
import re
import secrets
import smtplib
import ssl
import sys


def plain(task):
    return lambda challenge=None: f"\0{task['user']}\0{task['password']}"


def login(task):
    answers = iter((task["user"], task["password"]))
    return lambda challenge=None: None if challenge is None else next(answers)


def cram_md5(task):
    def answer(challenge=None):
        if challenge is None:
            return None
        return f"{task['user']} {hmac.new(task['password'].encode(), challenge, 'md5').hexdigest()}"

    return answer


def xoauth2(task):
    return lambda challenge=None: "" if challenge else f"user={task['user']}\1auth=Bearer {task['password']}\1\1"


def oauthbearer(task):
    return lambda challenge=None: "\1" if challenge else f"n,a={task['user']},\1auth=Bearer {task['password']}\1\1"


def scram(digest):
    """RFC 5802 without channel binding."""

    def start(task):
        nonce = secrets.token_urlsafe(18)
        first = f"n={task['user']},r={nonce}"
        state = {}

        def answer(challenge=None):
            if challenge is None:
                return "n,," + first
            fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
            if "v" in fields:
                if base64.b64decode(fields["v"]) != state["server"]:
                    raise ValueError("the server doesn't know the password")
                return ""
            if not fields["r"].startswith(nonce):
                raise ValueError("another nonce")
            salted = hashlib.pbkdf2_hmac(digest, task["password"].encode(), base64.b64decode(fields["s"]), int(fields["i"]))
            key = hmac.digest(salted, b"Client Key", digest)
            last = f"c=biws,r={fields['r']}"
            text = f"{first},{challenge.decode()},{last}".encode()
            signature = hmac.digest(hashlib.new(digest, key).digest(), text, digest)
            state["server"] = hmac.digest(hmac.digest(salted, b"Server Key", digest), text, digest)
            proof = bytes(a ^ b for a, b in zip(key, signature))
            return f"{last},p={base64.b64encode(proof).decode()}"

        return answer

    return start


def digest_md5(task):
    """RFC 2831 with qop=auth."""

    def md5(text):
        return hashlib.md5(text).hexdigest().encode()

    def answer(challenge=None):
        if challenge is None:
            return None
        if challenge.startswith(b"rspauth="):
            return ""
        fields = dict(re.findall(rb'([a-z-]+)="?([^",]*)"?', challenge))
        user, password, realm = task["user"].encode(), task["password"].encode(), fields.get(b"realm", b"")
        mine, uri = secrets.token_hex(16).encode(), b"smtp/" + task.get("name", "127.0.0.1").encode()
        first = hashlib.md5(b":".join((user, realm, password))).digest() + b":" + fields[b"nonce"] + b":" + mine
        proof = md5(b":".join((md5(first), fields[b"nonce"], b"00000001", mine, b"auth", md5(b"AUTHENTICATE:" + uri))))
        parts = [b'username="%s"' % user, b'realm="%s"' % realm, b'nonce="%s"' % fields[b"nonce"], b'cnonce="%s"' % mine]
        parts += [b"nc=00000001", b"qop=auth", b'digest-uri="%s"' % uri, b"response=%s" % proof, b"charset=utf-8"]
        return b",".join(parts).decode()

    return answer


MECHANISMS = {
    "PLAIN": plain, "LOGIN": login, "CRAM-MD5": cram_md5, "DIGEST-MD5": digest_md5, "SCRAM-SHA-1": scram("sha1"),
    "SCRAM-SHA-256": scram("sha256"), "XOAUTH2": xoauth2, "OAUTHBEARER": oauthbearer,
    "EXTERNAL": lambda task: lambda challenge=None: task.get("user", ""),
}


def context(task):
    made = ssl.create_default_context(cafile=task.get("authorities"))
    if "authorities" not in task or "name" not in task:
        made.check_hostname = False
    if "authorities" not in task:
        made.verify_mode = ssl.CERT_NONE
    if "identity" in task:
        made.load_cert_chain(*task["identity"], password=task.get("locked"))
    if "versions" in task:
        made.minimum_version, made.maximum_version = (ssl.TLSVersion[version] for version in task["versions"])
    return made


def deliver(task):
    secure, name = task["secure"], task.get("name", "127.0.0.1")
    if secure == "implicit":
        client = smtplib.SMTP_SSL(context=context(task), timeout=20)
    else:
        client = smtplib.SMTP(timeout=20)
    # Under this name the certificate is looked at, wherever the connection goes.
    client._host = name
    client.connect("127.0.0.1", task["port"])
    client.ehlo_or_helo_if_needed()
    said = {}
    if secure == "starttls":
        client.starttls(context=context(task))
        client.ehlo()
    if secure != "clear":
        said = {"version": client.sock.version(), "cipher": client.sock.cipher()[0]}
    said["features"] = {word.upper(): value.strip() for word, value in client.esmtp_features.items()}
    if "mechanism" in task:
        code, text = client.auth(task["mechanism"], MECHANISMS[task["mechanism"]](task))
        # smtplib takes 503 for success too.
        if code != 235:
            raise ValueError(f"{code} {text.decode()}")
    client.sendmail(task["sender"], task["recipients"], task["message"].encode())
    client.quit()
    return said


try:
    print(json.dumps(deliver(json.loads(sys.argv[1]))))
except (OSError, ValueError, smtplib.SMTPException) as error:
    sys.exit(f"{type(error).__name__}: {error}")
