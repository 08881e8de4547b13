"""What the measurements are to come to: each target a value of one run, its limit, and whether it holds."""


class Target:
    def __init__(self, what, value, limit, unit="", least=False):
        self.what = what
        # From results[case][program] and our name; KeyError where the case was not measured.
        self.value = value
        self.limit = limit
        self.unit = unit
        # The limit is a lower one.
        self.least = least

    def holds(self, value):
        return value >= self.limit if self.least else value <= self.limit


def ratio(case, key, to):
    return lambda results, ours: results[case][ours][key] / results[case][to][key]


def own(case, key):
    return lambda results, ours: results[case][ours][key]


def above(case, other, key):
    return lambda results, ours: results[case][ours][key] - results[other][ours][key]


TARGETS = [
    Target("1 KB: wall", ratio("small", "wall_ms", "floor"), 3, "x floor"),
    Target("1 KB: CPU", ratio("small", "cpu_ms", "floor"), 3.5, "x floor"),
    Target("1 KB: CPU", ratio("small", "cpu_ms", "msmtp"), 0.5, "x msmtp"),
    Target("1 KB: peak memory", ratio("small", "memory_kib", "msmtp"), 1, "x msmtp"),
    Target("1 KB: system calls", own("small", "system_calls"), 150),
    Target("100 MB: wall", ratio("large", "wall_ms", "floor"), 1.5, "x floor"),
    Target("100 MB: peak memory", own("large", "memory_kib"), 10240, "KiB"),
    Target("100 MB: memory above that of 1 MB", own("large", "growth_kib"), 256, "KiB"),
    Target("1 recipient: round trips", own("link_one", "round_trips"), 5),
    Target("10 recipients: round trips", own("link_ten", "round_trips"), 5),
    Target("100 recipients: round trips", own("link_many", "round_trips"), 5),
    Target("1 recipient, CHUNKING: round trips", own("link_chunking", "round_trips"), 4),
    Target("STARTTLS: round trips", own("link_tls", "round_trips"), 7),
    Target("STARTTLS and AUTH: round trips", own("link_auth", "round_trips"), 8),
    Target("QMTP: round trips", own("link_qmtp", "round_trips"), 2),
    Target("QMTPS: round trips", own("link_qmtps", "round_trips"), 3),
    Target("STARTTLS: CPU", ratio("tls", "cpu_ms", "floor with OpenSSL"), 1.25, "x floor with OpenSSL"),
    Target("8 at a time: deliveries a second", ratio("storm", "a_second", "floor"), 0.45, "x floor", least=True),
    Target("a million routes: wall above one route", above("routes_million", "routes_none", "wall_ms"), 20, "ms"),
    Target("a million routes, compiled: wall above one route", above("routes_compiled", "routes_none", "wall_ms"), 1, "ms"),
]


def print_targets(results, ours):
    """Prints one row per target; returns them for the JSON file. A case that wasn't measured has no value and doesn't hold."""
    rows = []
    print("\nTargets\n\n| what | measured | target | holds |\n| --- | ---: | ---: | --- |")
    for target in TARGETS:
        try:
            value = round(target.value(results, ours), 2)
        except KeyError:
            value = None
        holds = value is not None and target.holds(value)
        sign = "at least" if target.least else "at most"
        limit = ("%s %g %s" % (sign, target.limit, target.unit)).strip()
        shown = "not measured" if value is None else "%g" % value
        print("| %s | %s | %s | %s |" % (target.what, shown, limit, "yes" if holds else "NO"))
        rows.append({"what": target.what, "value": value, "limit": target.limit, "unit": target.unit, "holds": holds})
    return rows
