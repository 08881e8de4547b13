#!/usr/bin/env python3
"""An SMTP server for contrib/demo.sh: listens on a free port of 127.0.0.1, shows each dialogue, and stores each message.

    demo-server.py PORTFILE MAILFOLDER

The port is written to PORTFILE as soon as connections are accepted, message N of the run to MAILFOLDER/N as it came over the wire
with the dots of RFC 5321 4.5.2 taken away. A recipient whose local part is "refused" is refused.
"""
import os
import socketserver
import sys

GREETING = "220 demo.test ESMTP"
EXTENSIONS = ["PIPELINING", "SIZE 10485760", "8BITMIME"]


def show(line):
    # One write per line, at once: the reader looks at the output as soon as the client has gone.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Dialogue(socketserver.BaseRequestHandler):
    def setup(self):
        self.pending = b""
        self.recipients = 0

    def handle(self):
        self.reply(GREETING)
        while (line := self.line()) is not None:
            text = line.decode("ascii", "backslashreplace")
            show("C: " + text)
            verb = text.split(" ")[0].upper()
            if verb == "QUIT":
                self.reply("221 2.0.0 Bye")
                return
            answer = getattr(self, "do_" + verb.lower(), None)
            if answer:
                answer(text)
            else:
                self.reply("502 5.5.1 Not here")

    def finish(self):
        show("-- the connection is closed")

    def do_ehlo(self, text):
        lines = ["demo.test"] + EXTENSIONS
        for line in lines[:-1]:
            self.reply("250-" + line)
        self.reply("250 " + lines[-1])

    def do_mail(self, text):
        self.recipients = 0
        self.reply("250 2.1.0 Sender fine")

    def do_rcpt(self, text):
        if text.upper().startswith("RCPT TO:<REFUSED@"):
            self.reply("550 5.1.1 Nobody of that name here")
        else:
            self.recipients += 1
            self.reply("250 2.1.5 Recipient fine")

    def do_data(self, text):
        if not self.recipients:
            self.reply("554 5.5.1 No recipient left")
            return
        self.reply("354 Go on")
        message = self.body()
        if message is None:
            return
        self.server.stored += 1
        with open(os.path.join(self.server.folder, str(self.server.stored)), "wb") as file:
            file.write(message)
        self.reply("250 2.0.0 Stored as message %d" % self.server.stored)

    def body(self):
        """The message up to the lone dot, or None if the connection ended before it."""
        lines = []
        while (line := self.line()) is not None:
            if line == b".":
                show("C: (%d lines of message, then a dot)" % len(lines))
                return b"".join(lines)
            lines.append((line[1:] if line.startswith(b".") else line) + b"\r\n")
        return None

    def line(self):
        """The next line without its CRLF; None when there is none. Only CRLF ends a line."""
        while b"\r\n" not in self.pending:
            try:
                received = self.request.recv(65536)
            except ConnectionError:
                received = b""
            if not received:
                return None
            show("-- %d bytes arrive" % len(received))
            self.pending += received
        line, _, self.pending = self.pending.partition(b"\r\n")
        return line

    def reply(self, text):
        show("S: " + text)
        try:
            self.request.sendall(text.encode() + b"\r\n")
        except ConnectionError:
            # A client may leave without waiting for the answer to QUIT.
            pass


class Server(socketserver.TCPServer):
    # One connection after the other keeps the lines of two dialogues apart.
    allow_reuse_address = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.folder = folder
        self.stored = 0


def main():
    portfile, folder = sys.argv[1:]
    with Server(folder) as server:
        # Renamed into place: whoever waits for the file never reads half of it.
        with open(portfile + ".new", "w") as file:
            file.write("%d\n" % server.server_address[1])
        os.rename(portfile + ".new", portfile)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
