#!/usr/bin/env python3
"""Measuring: programs, cases, the room with its network and servers, and what is made of the runs. measure.py says what is measured.

It expects to be the first process of its own process, network and mount namespaces: what it starts ends with it, and its
addresses and mounts are nobody else's.
"""
import argparse
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

PORT = 2525
CHUNKING_PORT = 2526
TLS_PORT = 2527
TLS_AUTH_PORT = 2528
QMTP_PORT = 2529
QMTPS_PORT = 2530
LOOPBACK = "127.0.0.1"
# Both ends of the wire; addresses for documentation (RFC 5737), in namespaces where nothing else is.
HERE, THERE = "192.0.2.1", "192.0.2.2"
ROUND_TRIP = 50  # milliseconds
HOST, SENDER = "example.test", "sender@client.test"
STYLES = ("stock", "sqmail", "indimail", "msmtp", "smtp-source")


class Program:
    """A program to measure, and how it is told what to deliver where."""

    def __init__(self, name, style, path, control=None):
        self.name = name
        self.style = style
        self.path = path
        # The control directory that is compiled into it, for a program that doesn't read CONTROLDIR.
        self.control = control

    @property
    def judge(self):
        return "status" if self.style in ("msmtp", "smtp-source") else "reports"

    def words(self, case):
        address, port, recipients, size = case.address, case.port, case.recipients, os.path.getsize(case.message)
        if self.style == "floor":
            return [self.path, address, str(port), SENDER] + recipients
        if self.style == "msmtp":
            where = ["--file=/dev/null", "--host=" + address, "--port=%d" % port, "--domain=client.test"]
            security = ["--tls=on", "--tls-certcheck=off"] if port == TLS_PORT else []
            return [self.path] + where + security + ["--from=" + SENDER, "--"] + recipients
        if self.style == "smtp-source":
            # It makes a message of that length itself.
            envelope = ["-f", SENDER, "-t", "user@" + HOST, "-r", str(len(recipients))]
            return [self.path, "-4", "-m", "1", "-l", str(size)] + envelope + ["inet:%s:%d" % (address, port)]
        if self.style == "indimail":
            return [self.path, HOST, SENDER, "", str(size)] + recipients
        return [self.path, HOST, SENDER] + recipients


class Case:
    """One thing to deliver, to whom, how often, and who takes part."""

    def __init__(self, key, title, message, runs, programs, address=LOOPBACK, port=PORT, recipients=1):
        self.key = key
        self.title = title
        self.message = message
        self.runs = runs
        self.programs = programs
        self.address = address
        self.port = port
        self.recipients = ["user%06d@%s" % (i, HOST) for i in range(recipients)]


class Room:
    """The folder with the control directories and messages, the network, and the processes that serve in it."""

    def __init__(self, folder, tools):
        self.folder = folder
        self.tools = tools
        # Not in `folder`, which lies where everybody may write: no index is kept there.
        self.indexes = self.tool("indexes")
        self.forget_routes()

    def tool(self, name):
        return os.path.join(self.tools, name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_loopback(self):
        run("ip", "link", "set", "lo", "up")
        self.make_certificate()
        self.start_sinks(LOOPBACK)
        wait_for(lambda: self.answers(LOOPBACK), "the sinks")

    def make_certificate(self):
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch"]
        subject = ["-subj", "/CN=sink.test", "-days", "2", "-keyout", self.path("key"), "-out", self.path("certificate")]
        subprocess.run(words + subject, check=True, stderr=subprocess.DEVNULL)
        with open(self.path("key")) as key, open(self.path("certificate")) as certificate:
            write(self.path("pem"), key.read() + certificate.read())

    def start_sinks(self, address, inside=(), tool="sink"):
        start(*inside, self.tool(tool), address, str(PORT))
        start(*inside, self.tool(tool), "-c", address, str(CHUNKING_PORT))
        start(*inside, self.tool(tool), "-q", address, str(QMTP_PORT))
        start(*inside, self.tool("sink-tls"), "-c", "-t", self.path("pem"), address, str(TLS_PORT))
        start(*inside, self.tool("sink-tls"), "-q", "-t", self.path("pem"), address, str(QMTPS_PORT))
        start(*inside, self.tool("sink-tls"), "-c", "-a", "-t", self.path("pem"), address, str(TLS_AUTH_PORT))

    def answers(self, address):
        ports = PORT, CHUNKING_PORT, TLS_PORT, TLS_AUTH_PORT, QMTP_PORT, QMTPS_PORT
        return all(connects(address, port) for port in ports)

    def make_wire(self):
        """A second network behind a slow wire, with two sinks. False where that can't be."""
        if not os.path.exists("/dev/net/tun"):
            return False
        start(self.tool("wire"), "here", "there", str(ROUND_TRIP * 1000 // 2))
        wait_for(lambda: succeeds("ip", "link", "show", "there"), "the ends of the wire")
        # The other network lives as long as this process, which does nothing else.
        other = start("unshare", "--net", "sleep", "infinity").pid
        wait_for(lambda: network_of(other) != network_of("self"), "the other network")
        inside = ["nsenter", "--net=/proc/%d/ns/net" % other]
        run("ip", "link", "set", "there", "netns", str(other))
        run("ip", "address", "add", HERE + "/24", "dev", "here")
        run("ip", "link", "set", "here", "up")
        run(*inside, "ip", "address", "add", THERE + "/24", "dev", "there")
        run(*inside, "ip", "link", "set", "there", "up")
        self.start_sinks(THERE, inside)
        wait_for(lambda: self.answers(THERE), "the sinks behind the wire")
        return True

    def make_controls(self, programs):
        """A control directory for each way to write a port, put over those that are compiled into programs."""
        for separator in ":", ";":
            os.mkdir(self.control(separator))
            for name, line in ("me", "client.test"), ("helohost", "client.test"), ("timeoutremote", "60"):
                write(os.path.join(self.control(separator), name), line + "\n")
        for program in programs:
            if program.control:
                run("mount", "--bind", self.control(";" if program.style == "sqmail" else ":"), program.control)

    def control(self, separator):
        return self.path("control" if separator == ":" else "control-sqmail")

    def route(self, address, port, before=""):
        """The only route, behind `before`; one with a password where AUTH is offered, one of qmtproutes where QMTP is spoken."""
        for separator in ":", ";":
            line = ":%s%s%d\n" % (address, separator, port)
            if port == TLS_AUTH_PORT:
                line = ":%s;%d|user|password\n" % (address, port)
            if port == QMTPS_PORT:
                line = ":%s;s%d\n" % (address, port)
            for name, text in ("smtproutes", before), ("qmtproutes", ""):
                is_it = (name == "qmtproutes") == (port in (QMTP_PORT, QMTPS_PORT))
                write(os.path.join(self.control(separator), name), text + (line if is_it else ""))

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONTROLDIR": self.control(":"), "QMAILREMOTE_RUNDIR": self.indexes}

    def compile_routes(self, words, message):
        """One delivery, which leaves an index behind for those after it."""
        os.mkdir(self.indexes, 0o700)
        # None is made of a file that was changed within the last two seconds.
        time.sleep(3)
        with open(message) as file:
            subprocess.run(words, env=self.environment(), stdin=file, stdout=subprocess.DEVNULL, check=True)
        if not any(name.endswith(".cdb") for name in os.listdir(self.indexes)):
            sys.exit("no index was made in " + self.indexes)

    def forget_routes(self):
        shutil.rmtree(self.indexes, ignore_errors=True)

    def message(self, size):
        """Makes a message of `size` bytes in lines of 38 with their LF, and returns its path."""
        path = self.path("message-%d" % size)
        line = b"0123456789abcdefghijklmnopqrstuvwxyz.\n"
        header = b"Subject: measure\n\n"
        count, rest = divmod(size - len(header), len(line))
        with open(path, "wb") as file:
            file.write(header + line * count + (b"x" * (rest - 1) + b"\n" if rest else b""))
        return path


class Bench:
    def __init__(self, room, ours):
        self.room = room
        self.ours = ours
        self.cases = []
        self.results = {}

    def measure(self, case, before="", compiled=False):
        """Runs all programs in turn; keeps medians in results[case][program]."""
        print("measuring: " + case.title, file=sys.stderr)
        self.room.route(case.address, case.port, before)
        if compiled:
            self.room.compile_routes(case.programs[0].words(case), case.message)
        words = self.launch(case, "-v", "-w", "2")
        output = subprocess.run(words, env=self.room.environment(), stdout=subprocess.PIPE, check=True).stdout.decode()
        runs = {}
        for name, *numbers in (line.split("\t") for line in output.splitlines()):
            runs.setdefault(name, []).append([float(number) for number in numbers])
        self.keep(case, {p.name: summary(runs[p.name]) for p in case.programs})
        if case.address == THERE:
            for found in self.results[case.key].values():
                found["round_trips"] = round(found["wall_ms"] / ROUND_TRIP)

    def storm(self, case, at_once):
        """Runs each program that many at a time; the time of a run is that of all, divided."""
        print("measuring: " + case.title, file=sys.stderr)
        self.room.route(case.address, case.port)
        words = self.launch(case, "-j", str(at_once))
        output = subprocess.run(words, env=self.room.environment(), stdout=subprocess.PIPE, check=True).stdout.decode()
        lines = [line.split("\t") for line in output.splitlines()]
        self.keep(case, {
            name: {"runs": int(runs), "worked": int(worked), "a_second": round(int(runs) / (float(time) / 1e6))}
            for name, time, runs, worked in lines
        })

    def launch(self, case, *options):
        lines = ["\t".join([p.name, p.judge] + p.words(case)) for p in case.programs]
        listing = write(self.room.path("programs"), "\n".join(lines) + "\n")
        return [self.room.tool("launch"), "-i", case.message, "-p", listing, "-n", str(case.runs)] + list(options)

    def keep(self, case, results):
        self.cases.append(case)
        self.results[case.key] = results

    def count_system_calls(self, case):
        """One more delivery of each program under strace, which is too slow to be measured at the same time."""
        self.room.route(case.address, case.port)
        for program in case.programs:
            trace = self.room.path("trace")
            words = ["strace", "-f", "-qq", "-o", trace] + program.words(case)
            with open(case.message) as message:
                subprocess.run(words, env=self.room.environment(), stdin=message, stdout=subprocess.DEVNULL)
            with open(trace, errors="replace") as file:
                calls = [line for line in file if re.match(r"\d+ +\w+\(", line)]
            self.results[case.key][program.name]["system_calls"] = len(calls)

    def note_growth(self, small, large):
        for name, found in self.results[large.key].items():
            found["growth_kib"] = found["memory_kib"] - self.results[small.key][name]["memory_kib"]

    def table(self, case):
        """Medians, one row per program; the last column is our wall time divided by the program's."""
        rows = self.results[case.key]
        first = next(iter(rows.values()))
        columns = [(key, title, form) for key, title, form in COLUMNS if key in first]
        head = ["program"] + [title for _, title, _ in columns] + (["ours / this"] if "wall_ms" in first else [])
        lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
        for name, r in rows.items():
            failed = r["runs"] - r["worked"]
            label = name + (" (%d of %d FAILED)" % (failed, r["runs"]) if failed else "")
            ratio = ["%.2f" % (rows[self.ours]["wall_ms"] / r["wall_ms"])] if "wall_ms" in r else []
            lines.append([label] + [form % r[key] for key, _, form in columns] + ratio)
        print("\n%s (%d runs)\n" % (case.title, case.runs))
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))

    def all_worked(self):
        return all(r["worked"] == r["runs"] for rows in self.results.values() for r in rows.values())


COLUMNS = (
    ("wall_ms", "wall ms", "%.2f"),
    ("wall_p10_ms", "p10", "%.2f"),
    ("wall_p90_ms", "p90", "%.2f"),
    ("cpu_ms", "CPU ms", "%.2f"),
    ("memory_kib", "peak KiB", "%d"),
    ("system_calls", "system calls", "%d"),
    ("round_trips", "round trips", "%d"),
    ("growth_kib", "growth from 1 MB, KiB", "%d"),
    ("a_second", "deliveries a second", "%d"),
)


def summary(rows):
    wall, user, system, memory, worked = zip(*rows)
    ordered = sorted(wall)
    last = len(ordered) - 1
    return {
        "runs": len(rows),
        "worked": int(sum(worked)),
        "wall_ms": statistics.median(wall) / 1000,
        "wall_p10_ms": ordered[round(last * 0.1)] / 1000,
        "wall_p90_ms": ordered[round(last * 0.9)] / 1000,
        "cpu_ms": statistics.median(u + s for u, s in zip(user, system)) / 1000,
        "user_ms": statistics.median(user) / 1000,
        "system_ms": statistics.median(system) / 1000,
        "memory_kib": int(statistics.median(memory)),
    }


def start(*words):
    return subprocess.Popen(words)


def run(*words):
    subprocess.run(words, check=True)


def succeeds(*words):
    return subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def network_of(process):
    return os.readlink("/proc/%s/ns/net" % process)


def connects(address, port):
    try:
        socket.create_connection((address, port), timeout=1).close()
        return True
    except OSError:
        return False


def wait_for(condition, what):
    for _ in range(100):
        if condition():
            return
        time.sleep(0.1)
    sys.exit("waited in vain for " + what)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def parse_program(text):
    """A program of --also."""
    match = re.fullmatch(r"([^=]+)=(%s):([^:]+)(?::([^:]+))?" % "|".join(STYLES), text)
    if not match:
        sys.exit("not NAME=STYLE:PATH[:CONTROL] with a style of %s: %s" % (", ".join(STYLES), text))
    name, style, path, control = match.groups()
    if not os.access(path, os.X_OK):
        sys.exit("no such program: " + path)
    if control and not os.path.isdir(control):
        sys.exit("no such control directory: " + control)
    return Program(name, style, path, control)
