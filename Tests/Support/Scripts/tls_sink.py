"""A mail server that takes one message by TLS from the first byte and keeps nothing of it.

tls_sink.py CHAIN KEY LINE COUNT: the message has to be COUNT times LINE. Prints its port, then "taken" when all of it has come, and says
yes to it when it reads a line itself."""
import socket
import ssl
import sys

chain, key, line, count = sys.argv[1:]
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


def command():
    global received
    while b"\r\n" not in received:
        received += wire.recv(4096)
    words, received = received.split(b"\r\n", 1)
    return words


wire.sendall(b"220 sink\r\n")
while not (words := command()).startswith(b"DATA"):
    wire.sendall(b"250 ok\r\n")
wire.sendall(b"354 go\r\n")
unit = line.encode() + b"\r\n"
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
if command() != b".":
    sys.exit("no final dot")
print("taken", flush=True)
sys.stdin.readline()
wire.sendall(b"250 ok 1\r\n")
if command() != b"QUIT":
    sys.exit("no goodbye")
if wire.recv(1) != b"":
    sys.exit("more after the goodbye")
print("closed", flush=True)
