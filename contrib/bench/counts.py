#!/usr/bin/env python3
"""What contrib/bench/counts does: runs a few deliveries under strace and valgrind, and compares the counts with counts.json."""
import argparse
import json
import os
import re
import subprocess
import sys

from room import CHUNKING_PORT, LOOPBACK, QMTP_PORT, QMTPS_PORT, TLS_PORT, Case, Program, Room, run, wait_for, write

FIGURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "counts.json")
# How far a count may be above its figure. Round trips and libraries are exact; the others depend a little on the C library's version.
SLACK = {"round_trips": 1.0, "system_calls": 1.1, "instructions": 1.15, "bytes_allocated": 1.15}


def traced(room, words, message):
    """The system calls of a delivery, as strace writes them."""
    trace = room.path("trace")
    with open(message) as file:
        done = subprocess.run(
            ["strace", "-f", "-qq", "-s", "64", "-o", trace] + words, env=room.environment(), stdin=file, stdout=subprocess.PIPE
        )
    check(done.stdout)
    with open(trace, errors="replace") as file:
        return [line for line in file if re.match(r"\d+ +\w+\(", line)]


def check(output):
    if b"\0K" not in b"\0" + output:
        sys.exit("a delivery failed: %r" % output)


def round_trips(calls):
    """One to connect, one for the greeting where there is one, and one for each time that something is sent and then waited for."""
    socket, count, has_sent = None, 0, False
    for call in calls:
        connected = re.match(r"\d+ +connect\((\d+), \{sa_family=AF_INET,", call)
        if connected:
            # What is read first, sent for or not, takes a round trip: by QMTP there is no greeting.
            socket, count, has_sent = connected.group(1), 1, True
        elif re.match(r"\d+ +(sendto|write)\(%s," % socket, call):
            has_sent = True
        elif has_sent and re.match(r"\d+ +(recvfrom|read)\(%s,.* = [1-9]" % socket, call):
            count, has_sent = count + 1, False
    return count


def libraries(calls):
    opened = re.findall(r'openat\(AT_FDCWD, "[^"]*/([^"/]+)\.so[^"]*", [^)]*\) = \d', "".join(calls))
    return sorted(set(opened))


def valgrind(room, options, words, message):
    """Runs a delivery under valgrind, and returns what it says."""
    log = room.path("valgrind")
    with open(message) as file:
        command = ["valgrind", "--log-file=" + log] + options + words
        done = subprocess.run(command, env=room.environment(), stdin=file, stdout=subprocess.PIPE)
    check(done.stdout)
    with open(log) as file:
        return file.read()


def allocated(room, words, message):
    said = valgrind(room, ["--tool=memcheck"], words, message)
    return int(re.search(r"frees, ([\d,]+) bytes allocated", said).group(1).replace(",", ""))


def instructions(room, words, message):
    """All but those in libcrypto: how many a handshake takes depends on its random numbers and on the processor."""
    profile = room.path("profile")
    valgrind(room, ["--tool=callgrind", "--callgrind-out-file=" + profile], words, message)
    total, names, where, is_call = 0, {}, "", False
    with open(profile) as file:
        for line in file:
            named = re.match(r"(c?)ob=\((\d+)\)(?: (.*))?", line)
            if named:
                name = names[named.group(2)] = named.group(3) or names[named.group(2)]
                where = where if named.group(1) else name
            elif line.startswith("calls="):
                # The next line has the cost of what was called, which is counted where it arises.
                is_call = True
            elif re.match(r"[-+*\d]", line):
                if not is_call and "libcrypto" not in where:
                    total += int(line.split()[1])
                is_call = False
    return total


def count(room, program, case, allocations=False):
    room.route(case.address, case.port)
    words = program.words(case)
    if allocations:
        return {"bytes_allocated": allocated(room, words, case.message)}
    calls = traced(room, words, case.message)
    return {
        "round_trips": round_trips(calls),
        "system_calls": len(calls),
        "libraries": libraries(calls),
        "instructions": instructions(room, words, case.message),
    }


def complaints(name, counted, wanted):
    for key, value in counted.items():
        figure = wanted.get(key)
        if key == "libraries":
            if value != figure:
                yield "%s: loads %s, not %s" % (name, " ".join(value), " ".join(figure or ["nothing"]))
        elif figure is None or value > figure * SLACK[key]:
            yield "%s: %s %d, more than %s allows" % (name, key.replace("_", " "), value, figure)


def main():
    parser = argparse.ArgumentParser()
    for option in "--tools", "--room", "--binary":
        parser.add_argument(option, required=True)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    room = Room(options.room, options.tools)
    room.make_controls([])
    run("ip", "link", "set", "lo", "up")
    room.make_certificate()
    room.start_sinks(LOOPBACK, tool="sink-tls")
    wait_for(lambda: room.answers(LOOPBACK), "the sinks")

    ours = Program("qmail-remote", "stock", options.binary)
    kilobyte, hundred = room.message(1000), room.message(100000000)
    cases = [
        Case("1 KB", "", kilobyte, 1, [ours]),
        Case("1 KB to 100 recipients", "", kilobyte, 1, [ours], recipients=100),
        Case("1 KB, CHUNKING", "", kilobyte, 1, [ours], port=CHUNKING_PORT),
        Case("1 KB, STARTTLS", "", kilobyte, 1, [ours], port=TLS_PORT),
        Case("1 KB, QMTP", "", kilobyte, 1, [ours], port=QMTP_PORT),
        Case("1 KB, QMTPS", "", kilobyte, 1, [ours], port=QMTPS_PORT),
    ]
    counted = {case.key: count(room, ours, case) for case in cases}
    counted["100 MB"] = count(room, ours, Case("100 MB", "", hundred, 1, [ours]), allocations=True)
    for name, counts in counted.items():
        print(name + ": " + json.dumps(counts))
    if options.update:
        write(FIGURES, json.dumps(counted, indent=2) + "\n")
        return
    with open(FIGURES) as file:
        figures = json.load(file)
    found = [text for name, counts in counted.items() for text in complaints(name, counts, figures.get(name, {}))]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
