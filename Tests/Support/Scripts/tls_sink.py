"""A mail server that takes one message by TLS from the first byte and keeps nothing of it.

tls_sink.py CHAIN KEY LINE COUNT PROTOCOL: the message has to be COUNT times LINE, PROTOCOL is smtp or qmtp. Prints its port, then "taken"
when all of it has come, and says yes to it when it reads a line itself."""
import socket
import ssl
import sys

chain, key, line, count, protocol = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(60)
print(listener.getsockname()[1], flush=True)
plain, _ = listener.accept()
plain.settimeout(60)
# A buffer of its own would take the first lines of the message along.
wire = context.wrap_socket(plain, server_side=True)
received = b""


def until(end):
    global received
    while end not in received:
        more = wire.recv(4096)
        if not more:
            sys.exit("the end before the end")
        received += more
    words, received = received.split(end, 1)
    return words


def command():
    return until(b"\r\n")


def take_message(end):
    global received
    unit = line.encode() + end
    block = unit * 1000
    left = len(unit) * int(count)
    offset = 0
    while left > 0:
        piece = received or wire.recv(65536)
        received = b""
        mine, received = piece[:left], piece[left:]
        if not mine:
            sys.exit("the end before the end")
        start = offset % len(unit)
        if mine != (block * (len(mine) // len(block) + 2))[start : start + len(mine)]:
            sys.exit("other bytes than expected")
        offset += len(mine)
        left -= len(mine)


def hold():
    print("taken", flush=True)
    sys.stdin.readline()


def serve_smtp():
    wire.sendall(b"220 sink\r\n")
    while not command().startswith(b"DATA"):
        wire.sendall(b"250 ok\r\n")
    wire.sendall(b"354 go\r\n")
    take_message(b"\r\n")
    if command() != b".":
        sys.exit("no final dot")
    hold()
    wire.sendall(b"250 ok 1\r\n")
    if command() != b"QUIT":
        sys.exit("no goodbye")


def exactly(wanted):
    global received
    while len(received) < len(wanted):
        more = wire.recv(4096)
        if not more:
            sys.exit("the end before the end")
        received += more
    if received[: len(wanted)] != wanted:
        sys.exit("other bytes than expected")
    received = received[len(wanted) :]


def serve_qmtp():
    length = (len(line) + 1) * int(count) + 1
    exactly(b"%d:\n" % length)
    take_message(b"\n")
    exactly(b",")
    if int(until(b":")) != len(b"sender@example.net"):
        sys.exit("another sender")
    exactly(b"sender@example.net,20:16:user@example.com,,")
    if received:
        sys.exit("more after the package")
    hold()
    wire.sendall(b"4:Kok1,")


{"smtp": serve_smtp, "qmtp": serve_qmtp}[protocol]()
if wire.recv(1) != b"":
    sys.exit("more after the end")
print("closed", flush=True)
