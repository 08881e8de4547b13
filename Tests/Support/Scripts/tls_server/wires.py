"""The ways of a session's bytes: in clear, through Python's ssl module, and through the command openssl s_server.

Each has read_line, read, send and close. Ends of a connection come as Ended, whatever ended it."""
import hashlib
import itertools
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

VERSIONS = {name: getattr(ssl.TLSVersion, name.replace("TLSv1.", "TLSv1_")) for name in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")}
OPTIONS = {name: "-no_" + name.lower().replace("tlsv", "tls").replace(".", "_") for name in VERSIONS}


class Ended(Exception):
    """The connection is over; the text says how."""


def reset(sock):
    """Closes with a reset instead of an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Clear:
    """In clear. Nothing is taken from the socket that wasn't asked for: what follows may be TLS."""

    def __init__(self, sock):
        self.sock = sock

    def bindings(self):
        return {}

    def read_line(self):
        line = b""
        while not line.endswith(b"\n"):
            try:
                ahead = self.sock.recv(65536, socket.MSG_PEEK)
                end = ahead.find(b"\n") + 1
                line += self.sock.recv(end or len(ahead)) if ahead else b""
            except OSError as error:
                raise Ended(f"read: {error.strerror}") from None
            if not ahead:
                raise Ended("closed")
        return line

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.sock.recv(count - len(data))
            if not piece:
                raise Ended("closed")
            data += piece
        return data

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Ended(f"write: {error.strerror}") from None

    def close(self):
        self.sock.close()


class Buffered:
    """What comes in pieces of any size. `facts` describes the connection, at the latest when it is closed."""

    def __init__(self):
        self.rest = b""
        self.facts = None

    def bindings(self):
        """What a client could bind its authentication to, by name."""
        return {}

    def read_line(self):
        while b"\n" not in self.rest:
            self.more()
        line, _, self.rest = self.rest.partition(b"\n")
        return line + b"\n"

    def read(self, count):
        while len(self.rest) < count:
            self.more()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def more(self):
        piece = self.receive()
        if not piece:
            raise Ended("closed")
        self.rest += piece


def context(behaviour, identities):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = VERSIONS[behaviour["minimum"]]
    made.maximum_version = VERSIONS[behaviour["maximum"]]
    if behaviour["ciphers"]:
        made.set_ciphers(behaviour["ciphers"])
    if not behaviour["extended_master_secret"]:
        # SSL_OP_NO_EXTENDED_MASTER_SECRET, for which Python has no name.
        made.options |= 1
    for chain, key in identities:
        made.load_cert_chain(chain, key)
    if behaviour["alpn"]:
        made.set_alpn_protocols(behaviour["alpn"])
    wish = behaviour["client_certificate"]
    if wish != "none":
        made.verify_mode = ssl.CERT_REQUIRED if wish == "required" else ssl.CERT_OPTIONAL
        made.load_verify_locations(behaviour["client_authorities"])
    return made


def server_context(behaviour):
    """With the certificates that belong to names."""
    made = context(behaviour, behaviour["identities"])
    named = {name.lower(): context(behaviour, [identity]) for name, identity in behaviour["named_identities"].items()}

    def choose(connection, name, _):
        if name is not None and name.lower() in named:
            connection.context = named[name.lower()]
        elif behaviour["unknown_name"] == "alert":
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    made.sni_callback = choose
    return made


class PythonTLS(Buffered):
    """TLS by the ssl module."""

    def __init__(self, sock, made):
        super().__init__()
        try:
            self.sock = made.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
        except OSError as error:
            raise Ended(f"handshake: {reason(error)}") from None
        certificate = self.sock.getpeercert(binary_form=True)
        self.facts = {
            "version": self.sock.version(), "cipher": self.sock.cipher()[0], "alpn": self.sock.selected_alpn_protocol(),
            "client": subject(self.sock.getpeercert()) if certificate else None,
            "client_fingerprint": hashlib.sha256(certificate).hexdigest() if certificate else None,
        }

    def receive(self):
        try:
            return self.sock.recv(65536)
        except ssl.SSLEOFError:
            raise Ended("closed without close_notify") from None
        except OSError as error:
            raise Ended(f"read: {reason(error)}") from None

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Ended(f"write: {reason(error)}") from None

    def bindings(self):
        """Python knows none for TLS 1.3."""
        return {"tls-unique": self.sock.get_channel_binding("tls-unique")} if self.sock.version() == "TLSv1.2" else {}

    def close(self):
        """With close_notify, and without waiting for the client's."""
        try:
            self.sock.settimeout(0)
            self.sock.unwrap()
        except (OSError, ValueError):
            pass
        self.sock.close()


SHORT_NAMES = {"commonName": "CN", "organizationName": "O"}


def subject(certificate):
    """A certificate's subject, as openssl writes it."""
    parts = [(SHORT_NAMES.get(kind, kind), value) for group in certificate["subject"] for kind, value in group]
    return ", ".join(f"{kind} = {value}" for kind, value in parts)


def reason(error):
    return getattr(error, "reason", None) or error.strerror or str(error)


class OpenSSLTLS(Buffered):
    """TLS by openssl s_server: its socket is joined to the client's, its input and output are the session's."""

    numbers = itertools.count()

    def __init__(self, sock, behaviour):
        super().__init__()
        self.client, self.server, self.said = sock, socket.socket(socket.AF_UNIX), b""
        # In the working folder: it can't do with names of 32 bytes, and not with clients without any. The kernel gives one
        # (unix(7), autobind).
        path = f"socket{next(OpenSSLTLS.numbers)}"
        self.server.bind("")
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-unix", path, "-unlink", "-brief", "-naccept", "1"] + options(behaviour, path),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        while True:
            try:
                self.server.connect(path)
                break
            except OSError:
                if self.process.poll() is not None:
                    raise Ended("s_server: " + self.process.stderr.read().decode()) from None
                # It takes a moment to listen.
                time.sleep(0.001)
        os.unlink(path)
        self.is_up = threading.Event()
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        for ends in ((self.client, self.server), (self.server, self.client)):
            threading.Thread(target=pump, args=ends, daemon=True).start()

    def listen(self):
        """Collects what it says of the connection, which ends with it."""
        while piece := self.process.stderr.read(4096):
            self.said += piece
            if b"Protocol version: " in self.said:
                self.is_up.set()
        self.is_up.set()

    def receive(self):
        piece = self.process.stdout.read(65536)
        if not piece:
            self.listener.join()
            # As in 0123:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:FILE:LINE:
            reasons = [line.split(":")[5] for line in self.lines if ":error:" in line]
            raise Ended("closed: " + ", ".join(reasons) if reasons else "closed")
        return piece

    @property
    def lines(self):
        return self.said.decode("utf-8", "replace").splitlines()

    def send(self, data):
        # If there is something to send before the handshake, it goes on without ever describing the connection.
        self.is_up.wait()
        try:
            self.process.stdin.write(data)
        except OSError:
            raise Ended("write: s_server is gone") from None

    def close(self):
        self.process.kill()
        self.process.wait()
        self.listener.join()
        for end in (self.server, self.client, self.process.stdin):
            end.close()
        words = dict(line.split(": ", 1) for line in self.lines if ": " in line)
        if "Protocol version" in words:
            self.facts = {
                "version": words["Protocol version"], "cipher": words["Ciphersuite"], "alpn": None,
                "client": words.get("Peer certificate"), "client_fingerprint": None,
            }


def pump(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def options(behaviour, path):
    """The behaviour in the words of s_server(1). The path is a prefix for files."""
    words = []
    names = list(VERSIONS)
    for name in names[: names.index(behaviour["minimum"])] + names[names.index(behaviour["maximum"]) + 1 :]:
        words.append(OPTIONS[name])
    if behaviour["ciphers"]:
        words += ["-cipher", behaviour["ciphers"]]
    for prefix, (chain, key) in zip(("-", "-d"), behaviour["identities"]):
        words += [prefix + "cert", chain, prefix + "key", key]
        # Its chain begins with the issuer.
        with open(chain, encoding="ascii") as file:
            _, end, issuers = file.read().partition("-----END CERTIFICATE-----\n")
        if "BEGIN" in issuers:
            with open(path + prefix, "w", encoding="ascii") as file:
                file.write(issuers)
            words += [prefix + "cert_chain", path + prefix]
    if not behaviour["identities"]:
        words.append("-nocert")
    wish = behaviour["client_certificate"]
    if wish != "none":
        kind = "-Verify" if wish == "required" else "-verify"
        words += [kind, "5", "-verify_return_error", "-CAfile", behaviour["client_authorities"]]
    return words + behaviour["arguments"]
