"""One SMTP session as a behaviour wants it, and the record of it."""
import base64
import socket
import ssl

import client_hello
import sasl_checks
from wires import Clear, Ended, OpenSSLTLS, PythonTLS, reset

# A fatal alert, handshake_failure (RFC 8446 section 6).
ALERT = bytes.fromhex("15030300020228")


class Session:
    def __init__(self, sock, behaviour, tls, released):
        self.sock, self.behaviour, self.tls, self.released = sock, behaviour, tls, released
        self.wire = Clear(sock)
        self.is_secure = False
        self.user = None
        self.dialogues = {verb: iter(replies) for verb, replies in behaviour["dialogues"].items()}
        self.record = {
            "commands": [], "messages": [], "hello": None, "tls": None, "logins": [], "stray": "", "ended": None,
            # Set at the end, for those who look at any time.
            "is_over": False,
        }

    def run(self):
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.behaviour["implicit"]:
                self.secure()
            self.serve()
        except Ended as end:
            self.record["ended"] = str(end)
        except (OSError, LookupError, ValueError) as error:
            self.record["ended"] = f"error: {error!r}"
        self.wire.close()
        self.record["tls"] = self.record["tls"] or getattr(self.wire, "facts", None)
        self.record["is_over"] = True

    # MARK: lines

    def send(self, text):
        """A reply, or the act that an exclamation mark stands for."""
        if text.startswith("!"):
            self.act(text[1:])
        self.wire.send(text.replace("\n", "\r\n").encode() + b"\r\n")

    def act(self, word):
        if word == "stall":
            self.released.wait()
            raise Ended("stalled")
        if word == "reset":
            reset(self.sock)
            raise Ended("reset by the server")
        if word == "cut":
            # The transport ends without the end of TLS.
            self.sock.shutdown(socket.SHUT_RDWR)
            raise Ended("cut by the server")
        raise Ended("closed by the server")

    def read_line(self):
        line = self.wire.read_line().rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        self.record["commands"].append([self.is_secure, line])
        return line

    # MARK: TLS

    def secure(self):
        handshake = self.behaviour["handshake"]
        if handshake == "close at once":
            raise Ended("closed by the server")
        hello = client_hello.peek(self.sock)
        self.record["hello"] = client_hello.parse(hello)
        if self.record["hello"] is None:
            self.record["stray"] = base64.b64encode(hello).decode()
        if self.behaviour["injected_when"] == "after hello":
            self.wire.send(self.behaviour["injected"].encode())
        self.misbehave(handshake, hello)
        # The socket is the wire's from now on.
        wire = OpenSSLTLS(self.sock, self.behaviour) if self.tls is None else PythonTLS(self.sock, self.tls)
        self.wire, self.is_secure = wire, True
        self.record["tls"] = wire.facts

    def misbehave(self, handshake, hello):
        if handshake in ("close", "garbage", "alert"):
            # What stays in the socket makes of every end a reset.
            self.sock.recv(len(hello))
        if handshake in ("stall", "close", "reset"):
            self.act(handshake)
        elif handshake == "garbage":
            self.wire.send(b"500 5.5.1 what was that?\r\n")
            self.act("close")
        elif handshake == "alert":
            self.wire.send(ALERT)
            self.act("close")
        elif handshake in ("half and stall", "half and close", "flight and stall", "flight and close"):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            incoming.write(self.sock.recv(len(hello)))
            try:
                self.tls.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
            except ssl.SSLWantReadError:
                pass
            flight = outgoing.read()
            part, _, act = handshake.split()
            self.wire.send(flight[: len(flight) // 2] if part == "half" else flight)
            if part == "flight":
                # The client's next flight, as far as it is there.
                self.sock.recv(65536)
            self.act(act)

    def starttls(self):
        """Answers STARTTLS and does what the answer says."""
        reply, injected = self.behaviour["starttls_reply"], self.behaviour["injected"]
        glued = injected if self.behaviour["injected_when"] == "glued" else ""
        if reply.startswith("!"):
            self.act(reply[1:])
        self.wire.send(reply.replace("\n", "\r\n").encode() + b"\r\n" + glued.encode())
        if self.behaviour["injected_when"] == "segment":
            self.wire.send(injected.encode())
        if reply.startswith("2"):
            self.secure()
            self.user = None

    # MARK: commands

    def serve(self):
        self.send(self.behaviour["greeting"])
        sender, recipients = None, []
        while True:
            line = self.read_line()
            verb = line.split(" ")[0].split(":")[0].upper()
            if self.refuse(verb):
                continue
            if verb == "EHLO":
                self.ehlo()
            elif verb == "STARTTLS":
                self.starttls()
            elif verb == "AUTH":
                self.authenticate(line)
            elif verb == "MAIL":
                sender, recipients = line, []
                self.send("250 2.1.0 sender ok")
            elif verb == "RCPT":
                recipients.append(line)
                self.send("250 2.1.5 recipient ok")
            elif verb in ("DATA", "BDAT"):
                self.keep(sender, recipients, line)
            elif verb == "QUIT":
                self.send("221 2.0.0 bye")
                # The client ends the connection.
                self.read_line()
            else:
                self.send("250 2.0.0 ok")

    def refuse(self, verb):
        """Whether the behaviour has a reply of its own for the command."""
        dialogue = self.dialogues.get(verb)
        replies = self.behaviour["replies"] if self.is_secure else {**self.behaviour["replies"], **self.behaviour["clear_replies"]}
        if dialogue is not None:
            for reply in dialogue:
                self.send(reply)
                if not reply.startswith("334"):
                    return True
                self.read_line()
            return True
        if verb in replies:
            self.send(replies[verb])
            return True
        if verb in ("MAIL", "DATA") and self.behaviour["needs_tls"] and not self.is_secure:
            self.send("530 5.7.0 Must issue a STARTTLS command first")
            return True
        if verb == "MAIL" and self.behaviour["needs_login"] and self.user is None:
            self.send("530 5.7.0 Authentication required")
            return True
        return False

    def ehlo(self):
        keywords = self.behaviour["secure_keywords" if self.is_secure else "clear_keywords"]
        lines = ["mx.example.com"] + keywords
        self.send("\n".join("250" + (" " if n == len(lines) - 1 else "-") + text for n, text in enumerate(lines)))

    def authenticate(self, line):
        words = line.split(" ")
        mechanism = words[1].upper() if len(words) > 1 else ""

        def ask(challenge):
            self.send("334 " + challenge)
            return self.read_line()

        initial = words[2] if len(words) > 2 else None
        keywords = self.behaviour["secure_keywords" if self.is_secure else "clear_keywords"]
        bindings = self.wire.bindings() if any("-PLUS" in text for text in keywords) else {}
        self.user, reply = sasl_checks.converse(mechanism, initial, self.behaviour["accounts"], bindings, ask)
        self.record["logins"].append({"mechanism": mechanism, "user": self.user, "is_secure": self.is_secure})
        self.send(reply)

    def keep(self, sender, recipients, line):
        """Reads the message and answers."""
        data, replies = b"", self.behaviour["replies"]
        if line.upper().startswith("DATA"):
            self.send("354 go ahead")
            while (piece := self.wire.read_line()) != b".\r\n":
                data += piece[1:] if piece.startswith(b".") else piece
        else:
            while True:
                words = line.split(" ")
                data += self.wire.read(int(words[1]))
                if words[-1].upper() == "LAST":
                    break
                self.send("250 2.0.0 chunk ok")
                line = self.read_line()
        self.record["messages"].append({
            "is_secure": self.is_secure, "sender": sender, "recipients": list(recipients), "user": self.user,
            "data": base64.b64encode(data).decode(),
        })
        self.send(replies.get("message", "250 2.0.0 accepted %d bytes" % len(data)))
