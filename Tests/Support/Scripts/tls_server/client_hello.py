"""What a client says in its ClientHello (RFC 8446 section 4.1.2), looked at while it is still in the socket."""
import socket

VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
HANDSHAKE = 0x16


class Bytes:
    """Takes numbers and vectors off the front."""

    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise ValueError("truncated")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def vector(self, size):
        return Bytes(self.take(self.number(size)))

    def numbers(self, size):
        return [int.from_bytes(self.data[i : i + size], "big") for i in range(0, len(self.data), size)]


def peek(sock):
    """The first record that the client sends, which stays in the socket; less if it ends before, or if it isn't TLS."""
    data = sock.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
    if len(data) == 5 and data[0] == HANDSHAKE:
        data = sock.recv(5 + int.from_bytes(data[3:5], "big"), socket.MSG_PEEK | socket.MSG_WAITALL)
    return data


def parse(record):
    """A dictionary of what matters; None if it is no ClientHello."""
    try:
        hello = Bytes(record)
        if hello.number(1) != HANDSHAKE:
            return None
        hello.take(2)
        hello = hello.vector(2)
        if hello.number(1) != 1:
            return None
        hello = hello.vector(3)
        version = hello.number(2)
        hello.take(32)
        hello.vector(1)
        found = {"name": None, "alpn": [], "ciphers": ["%04x" % n for n in hello.vector(2).numbers(2)]}
        hello.vector(1)
        extensions = hello.vector(2) if hello.data else Bytes(b"")
        versions = [version]
        while extensions.data:
            kind, body = extensions.number(2), extensions.vector(2)
            if kind == 0:
                names = body.vector(2)
                names.take(1)
                found["name"] = names.vector(2).data.decode("latin-1")
            elif kind == 16:
                names = body.vector(2)
                while names.data:
                    found["alpn"].append(names.vector(1).data.decode("latin-1"))
            elif kind == 43:
                versions = body.vector(1).numbers(2)
        found["versions"] = sorted(VERSIONS[n] for n in versions if n in VERSIONS)
        return found
    except ValueError:
        return None
