#!/usr/bin/env python3
"""What contrib/bench/run does once everything is built: measures case by case, prints tables and targets, writes JSON."""
import argparse
import json
import os
import platform
import sys

from room import CHUNKING_PORT, PORT, QMTP_PORT, QMTPS_PORT, ROUND_TRIP, THERE, TLS_AUTH_PORT, TLS_PORT
from room import Bench, Case, Program, Room, parse_program, write
from targets import print_targets

OURS = "qmail-remote"
# Lines of the largest route table, and programs at a time in the storm.
ROUTES = 1000000
AT_ONCE = 8


def measure_loopback(bench, programs, messages, runs):
    ours, floor, floor_tls, msmtp, source, also = programs
    few, some = max(3, runs // 20), max(5, runs // 7)
    kilobyte, megabyte, hundred = messages
    small = Case("small", "1 KB to one recipient on loopback", kilobyte, runs, [ours, floor, msmtp, source] + also)
    medium = Case("medium", "1 MB in lines of 38 bytes on loopback", megabyte, some, [ours, floor, msmtp] + also)
    large = Case("large", "100 MB in lines of 38 bytes on loopback", hundred, few, [ours, floor, msmtp] + also)
    for case in small, medium, large:
        bench.measure(case)
    bench.count_system_calls(small)
    bench.note_growth(medium, large)
    bench.measure(Case("tls", "1 KB with STARTTLS on loopback", kilobyte, runs, [ours, floor_tls, msmtp], port=TLS_PORT))
    storm = Case("storm", "1 KB on loopback, %d deliveries at a time" % AT_ONCE, kilobyte, runs * 5, [ours, floor] + also)
    bench.storm(storm, AT_ONCE)


def measure_routes(bench, ours, message, runs):
    """The same delivery without and with a million other routes: read each time, and compiled."""
    other = "".join("host%06d.example.com:relay.example.com\n" % number for number in range(ROUTES))
    bench.measure(Case("routes_none", "1 KB, one route", message, runs, [ours]))
    bench.measure(Case("routes_million", "1 KB, a million routes before it", message, runs, [ours]), before=other)
    compiled = Case("routes_compiled", "1 KB, a million routes before it, compiled", message, runs, [ours])
    bench.measure(compiled, before=other, compiled=True)
    bench.room.forget_routes()


def measure_link(bench, programs, kilobyte, runs):
    ours, floor, _, msmtp, source, also = programs
    some = max(5, runs // 7)
    link = "over a link of %d ms round trip" % ROUND_TRIP
    plain = [ours, floor, msmtp, source] + also
    for key, count in ("link_one", 1), ("link_ten", 10), ("link_many", 100):
        title = "1 KB to %d recipient%s %s" % (count, "s" if count > 1 else "", link)
        bench.measure(Case(key, title, kilobyte, some, plain, THERE, PORT, count))
    for key, port, what in (
        ("link_chunking", CHUNKING_PORT, "CHUNKING"),
        ("link_tls", TLS_PORT, "STARTTLS and CHUNKING"),
        ("link_auth", TLS_AUTH_PORT, "STARTTLS, CHUNKING and AUTH"),
    ):
        title = "1 KB to one recipient %s, with %s" % (link, what)
        bench.measure(Case(key, title, kilobyte, some, [ours], THERE, port))
    for key, port, what in ("link_qmtp", QMTP_PORT, "QMTP"), ("link_qmtps", QMTPS_PORT, "QMTPS"):
        bench.measure(Case(key, "1 KB to one recipient by %s %s" % (what, link), kilobyte, some, [ours], THERE, port))


def main():
    parser = argparse.ArgumentParser()
    for option in "--tools", "--room", "--binary", "--json":
        parser.add_argument(option, required=True)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--also", action="append", default=[])
    options = parser.parse_args()

    room = Room(options.room, options.tools)
    ours = Program(OURS, "stock", options.binary)
    also = [parse_program(text) for text in options.also]
    programs = (
        ours,
        Program("floor", "floor", room.tool("floor")),
        Program("floor with OpenSSL", "floor", room.tool("floor-tls")),
        Program("msmtp", "msmtp", "/usr/bin/msmtp"),
        Program("smtp-source", "smtp-source", "/usr/sbin/smtp-source"),
        also,
    )
    bench = Bench(room, OURS)
    room.make_controls(also)
    room.make_loopback()
    messages = [room.message(size) for size in (1000, 1000000, 100000000)]
    measure_loopback(bench, programs, messages, options.runs)
    measure_routes(bench, ours, messages[0], options.runs)
    if room.make_wire():
        measure_link(bench, programs, messages[0], options.runs)
    else:
        print("There is no /dev/net/tun here: nothing was measured over a slow link.", file=sys.stderr)

    for case in bench.cases:
        bench.table(case)
    targets = print_targets(bench.results, OURS)
    machine = {"kernel": platform.release(), "machine": platform.machine(), "processors": os.cpu_count()}
    results = {"machine": machine, "round_trip_ms": ROUND_TRIP, "cases": bench.results, "targets": targets}
    write(options.json, json.dumps(results, indent=2) + "\n")
    if not bench.all_worked():
        sys.exit("not every delivery worked")


if __name__ == "__main__":
    main()
