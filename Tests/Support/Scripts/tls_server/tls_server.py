"""Mail servers for tests of TLS and AUTH, any number of them in one process, each with a behaviour of its own.

Commands come as JSON, one in a line, on descriptor 0; each is answered by a line on descriptor 1. The process ends with its input.
  {"serve": BEHAVIOUR}  starts a server; {"server": NUMBER, "port": PORT}
  {"look": NUMBER}      what happened so far; {"sessions": [RECORD, ...]}
  {"finish": NUMBER}    the same, after the server was stopped and its stalls ended and its sessions came to their end
A fault is answered by {"error": TEXT}. The settings of a behaviour are those of TLSBehaviour in TLSServers.swift, all of them."""
import json
import os
import socket
import sys
import tempfile
import threading

import wires
from session import Session

class Server:
    def __init__(self, behaviour):
        self.behaviour = behaviour
        self.tls = None if behaviour["engine"] == "openssl" else wires.server_context(behaviour)
        self.released = threading.Event()
        self.sessions, self.threads = [], []
        family = socket.AF_INET6 if ":" in behaviour["address"] else socket.AF_INET
        self.listener = socket.create_server((behaviour["address"], behaviour["port"]), family=family, backlog=128)
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            session = Session(sock, self.behaviour, self.tls, self.released)
            thread = threading.Thread(target=session.run, daemon=True)
            self.sessions.append(session)
            self.threads.append(thread)
            thread.start()

    def look(self):
        return {"sessions": [session.record for session in self.sessions]}

    def finish(self):
        self.released.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()
        for thread in self.threads:
            thread.join(20)
        return self.look()


def answer(command, servers):
    if "serve" in command:
        servers.append(Server(command["serve"]))
        return {"server": len(servers) - 1, "port": servers[-1].listener.getsockname()[1]}
    if "look" in command:
        return servers[command["look"]].look()
    return servers[command["finish"]].finish()


def main():
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for line in sys.stdin:
            try:
                said = answer(json.loads(line), servers)
            except (OSError, ValueError, KeyError) as error:
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), flush=True)


main()
