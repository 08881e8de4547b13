#!/usr/bin/env python3
"""What contrib/bench/run does once everything is built: starts sinks and wire, measures, prints tables, writes JSON.

It expects to be the first process of its own process, network and mount namespaces: what it starts ends with it, and its
addresses and mounts are nobody else's.
"""
import argparse
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import time

PORT = 2525
CHUNKING_PORT = 2526
LOOPBACK = "127.0.0.1"
# Both ends of the wire; addresses for documentation (RFC 5737), in namespaces where nothing else is.
HERE, THERE = "192.0.2.1", "192.0.2.2"
ROUND_TRIP = 50  # milliseconds
HOST, SENDER = "example.test", "sender@client.test"
STYLES = ("stock", "sqmail", "indimail", "msmtp")


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
        return "status" if self.style == "msmtp" else "reports"

    def words(self, address, port, recipients, size):
        if self.style == "floor":
            return [self.path, address, str(port), SENDER] + recipients
        if self.style == "msmtp":
            where = ["--file=/dev/null", "--host=" + address, "--port=%d" % port, "--domain=client.test"]
            return [self.path] + where + ["--from=" + SENDER, "--"] + recipients
        if self.style == "indimail":
            return [self.path, HOST, SENDER, "", str(size)] + recipients
        return [self.path, HOST, SENDER] + recipients


class Case:
    """One thing to deliver, and how often."""

    def __init__(self, key, title, message, runs, address=LOOPBACK, port=PORT, recipients=1):
        self.key = key
        self.title = title
        self.message = message
        self.runs = runs
        self.address = address
        self.port = port
        self.recipients = ["user%06d@%s" % (i, HOST) for i in range(recipients)]


class Room:
    """The folder with the control directories and messages, the network, and the processes that serve in it."""

    def __init__(self, folder, tools):
        self.folder = folder
        self.tools = tools

    def tool(self, name):
        return os.path.join(self.tools, name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_loopback(self):
        run("ip", "link", "set", "lo", "up")
        start(self.tool("sink"), LOOPBACK, str(PORT))
        wait_for(lambda: connects(LOOPBACK, PORT), "the sink")

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
        start(*inside, self.tool("sink"), THERE, str(PORT))
        start(*inside, self.tool("sink"), "-c", THERE, str(CHUNKING_PORT))
        wait_for(lambda: connects(THERE, PORT) and connects(THERE, CHUNKING_PORT), "the sinks behind the wire")
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

    def route(self, address, port):
        for separator in ":", ";":
            line = ":%s%s%d\n" % (address, separator, port)
            write(os.path.join(self.control(separator), "smtproutes"), line)

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONTROLDIR": self.control(":")}

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
    def __init__(self, room, programs, runs):
        self.room = room
        self.programs = programs
        self.runs = runs
        self.results = {}

    def measure(self, case):
        """Runs all programs in turn; keeps medians in results[case][program]."""
        print("measuring: " + case.title, file=sys.stderr)
        self.room.route(case.address, case.port)
        lines = ["\t".join([p.name, p.judge] + self.words(p, case)) for p in self.programs]
        listing = write(self.room.path("programs"), "\n".join(lines) + "\n")
        words = [self.room.tool("launch"), "-v", "-i", case.message, "-p", listing, "-n", str(case.runs), "-w", "2"]
        output = subprocess.run(words, env=self.room.environment(), stdout=subprocess.PIPE, check=True).stdout.decode()
        runs = {}
        for name, *numbers in (line.split("\t") for line in output.splitlines()):
            runs.setdefault(name, []).append([float(number) for number in numbers])
        self.results[case.key] = {p.name: summary(runs[p.name]) for p in self.programs}
        if case.address == THERE:
            for found in self.results[case.key].values():
                found["round_trips"] = round(found["wall_ms"] / ROUND_TRIP)

    def count_system_calls(self, case):
        """One more delivery of each program under strace, which is too slow to be measured at the same time."""
        self.room.route(case.address, case.port)
        for program in self.programs:
            trace = self.room.path("trace")
            words = ["strace", "-f", "-qq", "-o", trace] + self.words(program, case)
            with open(case.message) as message:
                subprocess.run(words, env=self.room.environment(), stdin=message, stdout=subprocess.DEVNULL)
            with open(trace, errors="replace") as file:
                calls = [line for line in file if re.match(r"\d+ +\w+\(", line)]
            self.results[case.key][program.name]["system_calls"] = len(calls)

    def words(self, program, case):
        return program.words(case.address, case.port, case.recipients, os.path.getsize(case.message))

    def note_growth(self, small, large):
        for name, found in self.results[large.key].items():
            found["growth_kib"] = found["memory_kib"] - self.results[small.key][name]["memory_kib"]

    def table(self, case):
        """Medians, one row per program; the last column is our wall time divided by the program's."""
        rows = self.results[case.key]
        extra = [(key, title) for key, title in EXTRA_COLUMNS if key in rows[self.programs[0].name]]
        head = ["program", "wall ms (p10 to p90)", "CPU ms", "peak KiB"] + [title for _, title in extra] + ["ours / this"]
        lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
        for name, r in rows.items():
            wall = "%.2f (%.2f to %.2f)" % (r["wall_ms"], r["wall_p10_ms"], r["wall_p90_ms"])
            more = ["%d" % r[key] for key, _ in extra]
            ratio = "%.2f" % (rows[self.programs[0].name]["wall_ms"] / r["wall_ms"])
            failed = r["runs"] - r["worked"]
            label = name + (" (%d of %d FAILED)" % (failed, r["runs"]) if failed else "")
            lines.append([label, wall, "%.2f" % r["cpu_ms"], "%d" % r["memory_kib"]] + more + [ratio])
        print("\n%s (%d runs)\n" % (case.title, case.runs))
        print("\n".join("| " + " | ".join(line) + " |" for line in lines))

    def all_worked(self):
        return all(r["worked"] == r["runs"] for rows in self.results.values() for r in rows.values())


EXTRA_COLUMNS = (("system_calls", "system calls"), ("round_trips", "round trips"), ("growth_kib", "growth from 1 MB, KiB"))


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
    match = re.fullmatch(r"([^=]+)=(%s):([^:]+)(?::([^:]+))?" % "|".join(STYLES), text)
    if not match:
        sys.exit("not NAME=STYLE:PATH[:CONTROL] with a style of %s: %s" % (", ".join(STYLES), text))
    name, style, path, control = match.groups()
    if not os.access(path, os.X_OK):
        sys.exit("no such program: " + path)
    if control and not os.path.isdir(control):
        sys.exit("no such control directory: " + control)
    return Program(name, style, path, control)


def main():
    parser = argparse.ArgumentParser()
    for option in "--tools", "--room", "--binary", "--json":
        parser.add_argument(option, required=True)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--also", action="append", default=[])
    options = parser.parse_args()

    room = Room(options.room, options.tools)
    programs = [
        Program("qmail-remote", "stock", options.binary),
        Program("floor", "floor", room.tool("floor")),
        Program("msmtp", "msmtp", "/usr/bin/msmtp"),
    ] + [parse_program(text) for text in options.also]
    bench = Bench(room, programs, options.runs)
    room.make_controls(programs)
    room.make_loopback()

    kilobyte, megabyte, hundred = (room.message(size) for size in (1000, 1000000, 100000000))
    few, some = max(3, options.runs // 20), max(5, options.runs // 7)
    small = Case("small", "1 KB to one recipient on loopback", kilobyte, options.runs)
    medium = Case("medium", "1 MB in lines of 38 bytes on loopback", megabyte, some)
    large = Case("large", "100 MB in lines of 38 bytes on loopback", hundred, few)
    cases = [small, medium, large]
    for case in cases:
        bench.measure(case)
    bench.count_system_calls(small)
    bench.note_growth(medium, large)

    if room.make_wire():
        link = "over a link of %d ms round trip" % ROUND_TRIP
        many = Case("link_many", "1 KB to 100 recipients " + link, kilobyte, some, THERE, PORT, 100)
        one = Case("link_one", "1 KB to one recipient " + link, kilobyte, some, THERE, PORT)
        chunking = Case("link_chunking", "the same with CHUNKING offered", kilobyte, some, THERE, CHUNKING_PORT)
        for case in many, one, chunking:
            bench.measure(case)
            cases.append(case)
    else:
        print("There is no /dev/net/tun here: nothing was measured over a slow link.", file=sys.stderr)

    for case in cases:
        bench.table(case)
    machine = {"kernel": platform.release(), "machine": platform.machine(), "processors": os.cpu_count()}
    results = {"machine": machine, "round_trip_ms": ROUND_TRIP, "cases": bench.results}
    write(options.json, json.dumps(results, indent=2) + "\n")
    if not bench.all_worked():
        sys.exit("not every delivery worked")


if __name__ == "__main__":
    main()
