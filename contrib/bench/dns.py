"""How many round trips to the resolver a plan takes. Run by the script `dns` beside it, in a network of its own.

A resolver of its own answers from a table, with the AD bit set, after a delay; qmail-remote-explain, which asks what a delivery asks,
is timed with and without that delay. What the delay adds, divided by the delay, is the number of times that the program waited for
the resolver.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

HOST = "ten.example"
EXCHANGERS = 10
QUESTIONS = 1 + 3 * EXCHANGERS
EXPECTED_ROUNDS = 2
TOLERATED_ROUNDS = 2.5
# Places in the memory in which the resolver counts.
QUESTION, ROUND = 0, 1


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(name, kind, data):
    return wire_name(name) + struct.pack(">HHIH", kind, 1, 3600, len(data)) + data


def zone():
    """The records of each question, ready for the wire."""
    hosts = [f"mx{number}.{HOST}" for number in range(1, EXCHANGERS + 1)]
    table = {(HOST, 15): [record(HOST, 15, struct.pack(">H", 10 * i) + wire_name(host)) for i, host in enumerate(hosts, 1)]}
    for number, host in enumerate(hosts, 1):
        table[host, 1] = [record(host, 1, socket.inet_aton(f"192.0.2.{number}"))]
        table[host, 28] = [record(host, 28, socket.inet_pton(socket.AF_INET6, f"2001:db8::{number}"))]
        owner = f"_25._tcp.{host}"
        table[owner, 52] = [record(owner, 52, b"\3\1\1" + bytes([number]) * 32)]
    return table


class Resolver(asyncio.DatagramProtocol):
    """Answers each question after the delay. Counts questions, and the rounds they come in: a round is over when it is answered."""

    def __init__(self, delay, counts):
        self.delay = delay
        self.counts = counts
        self.table = zone()
        self.was_answered = True

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, query, sender):
        labels, offset = [], 12
        while query[offset]:
            labels.append(query[offset + 1 : offset + 1 + query[offset]].decode().lower())
            offset += 1 + query[offset]
        (kind,) = struct.unpack(">H", query[offset + 1 : offset + 3])
        if self.was_answered:
            self.counts[ROUND] += 1
            self.was_answered = False
        self.counts[QUESTION] += 1
        answers = self.table.get((".".join(labels), kind), [])
        # A response to a recursive question, validated; NXDOMAIN for what isn't in the table, which nobody should ask for.
        flags = 0x81A0 if answers else 0x81A3
        header = query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0)
        response = header + query[12 : offset + 5] + b"".join(answers)
        asyncio.get_running_loop().call_later(self.delay, self.answer, response, sender)

    def answer(self, response, sender):
        self.was_answered = True
        self.transport.sendto(response, sender)


def serve(resolvers, ready):
    async def run():
        loop = asyncio.get_running_loop()
        for port, delay, counts in resolvers:
            await loop.create_datagram_endpoint(lambda d=delay, c=counts: Resolver(d, c), ("127.0.0.1", port))
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(run())


def timed(binary, operands, environment):
    """Milliseconds from the start of the program to its end."""
    quiet = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1)]
    start = time.monotonic()
    process = os.posix_spawn(binary, [binary, *operands], environment, file_actions=quiet)
    _, status = os.waitpid(process, 0)
    if status != 0:
        sys.exit(f"qmail-remote-explain ended with wait status {status}")
    return (time.monotonic() - start) * 1000


def check(plan):
    exchangers = re.findall(r"^exchanger: \d+ mx\d+\.ten\.example, validated, \S+ \S+, TLSA: 1 validated$", plan, re.M)
    candidates = re.findall(r"^candidate \d+: ", plan, re.M)
    if len(exchangers) != EXCHANGERS or len(candidates) != 2 * EXCHANGERS:
        sys.exit(f"that is not the plan:\n{plan}")


def sockets(binary, operands, environment, room, port):
    """How many UDP sockets a run connects to the resolver."""
    trace = os.path.join(room, "trace")
    command = ["strace", "-f", "-e", "trace=socket,connect", "-o", trace, binary, *operands]
    subprocess.run(command, env=environment | {"PATH": os.environ["PATH"]}, stdout=subprocess.DEVNULL, check=True)
    kinds, count = {}, 0
    for line in open(trace, encoding="ascii", errors="replace"):
        if made := re.search(r"socket\(\w+, ([A-Z_|]+).*= (\d+)$", line):
            kinds[made[2]] = made[1]
        elif joined := re.search(rf"connect\((\d+),.*htons\({port}\)", line):
            count += "SOCK_DGRAM" in kinds.get(joined[1], "")
    return count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--delay", type=float, default=50)
    options = parser.parse_args()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    control = os.path.join(options.room, "control")
    os.mkdir(control)
    with open(os.path.join(control, "me"), "w", encoding="ascii") as me:
        me.write("me.example.net\n")
    operands = [HOST, "sender@example.net", f"user@{HOST}"]

    counts = {port: multiprocessing.Array("q", 2, lock=False) for port in (5301, 5302)}
    ready = multiprocessing.Event()
    resolvers = [(5301, 0, counts[5301]), (5302, options.delay / 1000, counts[5302])]
    multiprocessing.Process(target=serve, args=(resolvers, ready), daemon=True).start()
    if not ready.wait(20):
        sys.exit("the resolver didn't start")

    environments = {port: {"CONTROLDIR": control, "QMAILREMOTE_RESOLVER": f"127.0.0.1:{port}"} for port in counts}
    for environment in environments.values():
        check(subprocess.run([options.binary, *operands], env=environment, capture_output=True, text=True, check=True).stdout)
    for count in counts.values():
        count[:] = [0, 0]
    times = {port: [] for port in counts}
    for run in range(options.runs):
        # By turns, and each first as often as the other: a busy moment meets both.
        for port in sorted(counts, reverse=run % 2 == 1):
            times[port].append(timed(options.binary, operands, environments[port]))
    questions, answered = (number / options.runs for number in counts[5302])
    used = sockets(options.binary, operands, environments[5301], options.room, 5301)

    at_once, delayed = (statistics.median(times[port]) for port in (5301, 5302))
    rounds = (delayed - at_once) / options.delay
    print(f"{EXCHANGERS} exchangers with A, AAAA and TLSA, medians of {options.runs} runs:")
    print(f"  answered at once           {at_once:8.2f} ms")
    print(f"  answered after {options.delay:3.0f} ms      {delayed:8.2f} ms")
    print(f"  round trips, by the time   {rounds:8.2f}      expected: about {EXPECTED_ROUNDS}")
    print(f"  round trips, as answered   {answered:8.2f}      expected: {EXPECTED_ROUNDS}")
    print(f"  questions                  {questions:8.2f}      expected: {QUESTIONS}")
    print(f"  UDP sockets                {used:8d}")
    if rounds > TOLERATED_ROUNDS:
        sys.exit(f"FAILED: more than {TOLERATED_ROUNDS} round trips")
    if rounds < 1:
        sys.exit("FAILED: less than one round trip, so the resolver's delay was not measured")
    print("passed")


if __name__ == "__main__":
    main()
