"""An OAuth 2.0 server on loopback: gives access tokens for refresh tokens (RFC 6749 section 6) at /token, and says whose an access
token is (RFC 7662) at /introspect.

The operand is the port, 0 for a free one; the first line of the output is {"port": PORT}. Then commands come as JSON, one in a line, on
descriptor 0, and each is answered by what there is afterwards: {"access": {TOKEN: USER}, "refresh": {TOKEN: USER}, "requests": [[PATH,
BODY], ...]}.
  {"access": {TOKEN: USER}, "refresh": {TOKEN: USER}, "expires": SECONDS}     replaces what it names; the last is what /token says
The process ends with its input."""
import http.server
import itertools
import json
import sys
import threading
import urllib.parse

STATE = {"access": {}, "refresh": {}, "expires": 3600}
REQUESTS = []
NUMBERS = itertools.count(1)
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = {name: values[0] for name, values in urllib.parse.parse_qs(body).items()}
        with LOCK:
            REQUESTS.append([self.path, body])
            answer = {"/token": grant, "/introspect": introspect}.get(self.path, unknown)
            status, said = answer(fields)
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def grant(fields):
    user = STATE["refresh"].get(fields.get("refresh_token"))
    if fields.get("grant_type") != "refresh_token" or user is None:
        return 400, {"error": "invalid_grant"}
    token = f"access-{next(NUMBERS)}"
    STATE["access"][token] = user
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": STATE["expires"]}


def introspect(fields):
    user = STATE["access"].get(fields.get("token"))
    return 200, {"active": False} if user is None else {"active": True, "username": user, "scope": "mail"}


def unknown(_):
    return 404, {"error": "not found"}


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port}), flush=True)
    for line in sys.stdin:
        with LOCK:
            STATE.update(json.loads(line))
            print(json.dumps({"access": STATE["access"], "refresh": STATE["refresh"], "requests": REQUESTS}), flush=True)


main()
