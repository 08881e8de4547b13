#!/usr/bin/env python3
"""Reads records of deliveries from standard input, a line each, and checks them against the schema of qmail-remote-record(5).

Written from the manual page, without a look at the writer. Prints the number of records, or what is wrong with one, with status 1.
With --names it prints the names of all members instead.
"""
import json
import sys


class Wrong(Exception):
    pass


def optional(kind):
    return lambda value, where: None if value is None else check(kind, value, where)


def words(*allowed):
    def test(value, where):
        if value not in allowed:
            raise Wrong("%s is %r" % (where, value))

    return test


def seconds(value, where):
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        raise Wrong("%s is %r" % (where, value))


STAGES = words("connect", "greeting", "tls", "hello", "authentication", "package")
FAILURE = {"stage": STAGES, "code": optional(int), "text": str}
CANDIDATE = {
    "name": str,
    "preference": int,
    "address": optional(str),
    "port": optional(int),
    "transport": optional(words("SMTP", "QMTP")),
    "policy": optional({"level": words("none", "may", "encrypt", "dane", "verify", "name", "pin"), "source": str}),
    "result": words("used", "left", "passed over", "not tried", "left out"),
    "reason": optional(str),
    "failures": [FAILURE],
}
RECIPIENT = {
    "address": str,
    "result": optional(words("accepted", "refused", "deferred")),
    "letter": optional(words("r", "h", "s")),
    "code": optional(int),
    "text": optional(str),
}
RECORD = {
    "version": words(1),
    "start": int,
    "pid": int,
    "dialect": words("stock", "sqmail", "indimail", "skarnet"),
    "result": words("success", "deferral", "failure"),
    "letter": words("K", "Z", "D"),
    "code": optional(int),
    "text": str,
    "report": str,
    "host": optional(str),
    "sender": optional(str),
    "outgoing_sender": optional(str),
    "recipients": [RECIPIENT],
    "route": optional({"text": str, "transport": words("SMTP", "QMTP"), "source": str}),
    "tls": optional({
        "protocol": str,
        "cipher": str,
        "proof": words("pin", "record", "name", "partialName", "chain", "none"),
        "level": words("none", "may", "encrypt", "dane", "verify", "name", "pin"),
        "source": str,
        "names": str,
        "trouble": optional(str),
    }),
    "authentication": optional({"user": optional(str), "source": optional(str), "mechanism": optional(str)}),
    "candidates": [CANDIDATE],
    "bytes": optional(int),
    "round_trips": int,
    "times": {
        "total": seconds,
        "plan": optional(seconds),
        "connect": optional(seconds),
        "greeting": optional(seconds),
        "hello": optional(seconds),
        "tls": optional(seconds),
        "envelope": optional(seconds),
        "message": optional(seconds),
    },
}


def check(kind, value, where):
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Wrong("%s is no list" % where)
        for index, item in enumerate(value):
            check(kind[0], item, "%s[%d]" % (where, index))
    elif isinstance(kind, dict):
        if not isinstance(value, dict):
            raise Wrong("%s is no object" % where)
        for name in value:
            of = name[:-4] if name.endswith("_hex") and name[:-4] in kind else None
            if of and value[of] != bytes.fromhex(value[name]).decode("utf-8", "replace"):
                raise Wrong("%s.%s is other bytes" % (where, name))
            if not of and name not in kind:
                raise Wrong("%s has the member %s" % (where, name))
        for name in kind:
            if name not in value:
                raise Wrong("%s has no member %s" % (where, name))
            check(kind[name], value[name], "%s.%s" % (where, name))
    elif isinstance(kind, type):
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Wrong("%s is %r" % (where, value))
    else:
        kind(value, where)


def check_sense(record):
    """What the members have to do with each other."""
    if {"success": "K", "deferral": "Z", "failure": "D"}[record["result"]] != record["letter"]:
        raise Wrong("the result is not that of the letter")
    used = [candidate for candidate in record["candidates"] if candidate["result"] == "used"]
    if len(used) > 1 or (record["bytes"] is not None and not used):
        raise Wrong("%d candidates were used" % len(used))
    spans = [value for name, value in record["times"].items() if name != "total" and value is not None]
    # Each is cut to a microsecond.
    if sum(spans) > record["times"]["total"] + 1e-5:
        raise Wrong("the parts take longer than the whole")


def names(kind):
    if isinstance(kind, list):
        return names(kind[0])
    if isinstance(kind, dict):
        return set(kind) | set().union(*(names(of) for of in kind.values()))
    closure = getattr(kind, "__closure__", None) or ()
    return set().union(*(names(cell.cell_contents) for cell in closure if isinstance(cell.cell_contents, (dict, list))))


def unique(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Wrong("a member stands there twice")
    return dict(pairs)


def main():
    if sys.argv[1:] == ["--names"]:
        print("\n".join(sorted(names(RECORD))))
        return
    count = 0
    for line in sys.stdin.buffer:
        if not line.endswith(b"\n"):
            raise Wrong("a line without end")
        record = json.loads(line.decode("utf-8", "strict"), object_pairs_hook=unique)
        check(RECORD, record, "record")
        check_sense(record)
        count += 1
    print(count)


try:
    main()
except (Wrong, ValueError) as fault:
    sys.exit("%s: %s" % (type(fault).__name__, fault))
