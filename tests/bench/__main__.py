"""What a mint costs, in ratios to what people do by hand: `python tests/bench`.

Every contender runs in a process of its own, against one endpoint in another, and takes its
turn in every round; a ratio is the median of the rounds' ratios. Times of different runs or
machines say nothing about each other.
"""

import argparse
import json
import os
import platform
import ssl
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

from contender import CONTENDERS
from measure import Bench

OURS = "auth0-stt"
OPEN_CONNECTION = "http.client, open connection"
SESSION = "requests.Session"
SESSION_PER_THREAD = "requests.Session per thread"
URLLIB3 = "urllib3 PoolManager"
ALONE = [name for name in CONTENDERS if name != SESSION_PER_THREAD]
THREADED = [OURS, SESSION, SESSION_PER_THREAD]
PACKAGES = [OURS, "requests", "urllib3", "attrs", "google-auth", "auth0-server-python"]
GROWTH_NOISE = 0.25  # MB that 9,500 mints may seem to leave behind: 26 bytes each


def say(text):
    print(text, "...", file=sys.stderr, flush=True)


def measure(bench, quick):
    """Every number of the run, as lists of rounds."""
    few = 10 if quick else 1
    say("CPU per mint")
    near = bench.near(ALONE, 200 // min(few, 2))
    say("40 ms away")
    first, warm = bench.far(ALONE, 10 // min(few, 2))
    say("16 threads")
    threads = bench.near(THREADED, 40 // few, threads=16)
    say("10,000 mints")
    growth = bench.growth(OURS, 500, 10000 // few)
    say("imports and pure functions")
    imports = bench.interpreter("imports", 10)
    pure = bench.interpreter("pure_functions", 3)
    return {
        "near": near,
        "far_first": first,
        "far_warm": warm,
        "threads": threads,
        "growth": growth,
        "imports": imports,
        "pure_functions": [row for rounds in pure for row in rounds],
    }


def middle(costs, field):
    return median(cost[field] for cost in costs)


def ratio(costs, ours, theirs, field):
    pairs = zip(costs[ours], costs[theirs])
    return median(our[field] / their[field] for our, their in pairs)


def contender_rows(numbers):
    """One row for each contender: what its mints cost."""
    near, first, warm = numbers["near"], numbers["far_first"], numbers["far_warm"]
    for name in ALONE:
        yield {
            "contender": name,
            "cpu_ms": middle(near[name], "cpu_ms"),
            "of_session": ratio(near, name, SESSION, "cpu_ms"),
            "warm_40_ms": middle(warm[name], "wall_ms"),
            "first_40_ms": middle(first[name], "wall_ms"),
            "round_trips_first": middle(first[name], "round_trips"),
            "resident_mb": (near[name][-1]["resident"] or 0) / 1e6,
        }


def target_rows(numbers):
    """(What, measured, target, at least or at most): a target of None is for information."""
    near, threads, imports = numbers["near"], numbers["threads"], numbers["imports"]
    mints_per_second = {
        name: [{"rate": 1 / cost["wall_ms"]} for cost in costs]
        for name, costs in threads.items()
    }
    connections = {
        name: sum(cost["connections"] for cost in costs)
        for name, costs in threads.items()
    }
    yield (
        "CPU per mint / requests.Session",
        ratio(near, OURS, SESSION, "cpu_ms"),
        0.5,
        "<=",
    )
    yield "CPU per mint / urllib3", ratio(near, OURS, URLLIB3, "cpu_ms"), 1.0, "<="
    yield (
        "40 ms away, warm / http.client",
        ratio(numbers["far_warm"], OURS, OPEN_CONNECTION, "wall_ms"),
        1.03,
        "<=",
    )
    yield (
        "40 ms away, round trips of the first",
        middle(numbers["far_first"][OURS], "round_trips"),
        3,
        "<=",
    )
    yield "16 threads, connections", connections[OURS], 16, "<="
    yield "  … of a shared Session", connections[SESSION], None, ""
    yield (
        "16 threads, mints/s / shared Session",
        ratio(mints_per_second, OURS, SESSION, "rate"),
        1.7,
        ">=",
    )
    yield (
        "  … / a Session per thread",
        ratio(mints_per_second, OURS, SESSION_PER_THREAD, "rate"),
        None,
        "",
    )
    if numbers["growth"] is not None:
        yield (
            "10,000 mints leave behind, MB",
            numbers["growth"] / 1e6,
            GROWTH_NOISE,
            "<=",
        )
        added = middle(imports, "bytes") / 1e6
        yield "MB added to requests and attrs", added, 1.5, "<="
    import_ratio = median(1 + cost["ours"] / cost["needed"] for cost in imports)
    yield "import / requests and attr", import_ratio, 1.1, "<="
    for function in sorted({name for name, _, _ in numbers["pure_functions"]}):
        cost = median(
            ours / by_hand
            for name, ours, by_hand in numbers["pure_functions"]
            if name == function
        )
        yield function + " / urllib.parse", cost, 5, "<="


def verdict(measured, target, sense):
    if target is None:
        return ""
    return (
        "ok"
        if (measured <= target if sense == "<=" else measured >= target)
        else "missed"
    )


def machine():
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "system": platform.system(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "packages": {name: version(name) for name in PACKAGES},
    }


def print_table(report):
    about = report["about"]
    print("{machine}, {system}, Python {python}, {openssl}".format(**about))
    print(", ".join(map(" ".join, about["packages"].items())))
    print()
    line = "{:30} {:>7} {:>10} {:>10} {:>10} {:>11} {:>7}".format
    print(line("", "CPU", "of bare", "warm,", "first,", "its round", "memory"))
    print(
        line("a mint with", "ms", "Session", "40 ms away", "40 ms away", "trips", "MB")
    )
    line = "{:30} {:7.2f} {:9.2f}x {:10.1f} {:10.1f} {:11.0f} {:7.1f}".format
    for row in report["contenders"]:
        print(line(*row.values()))
    print()
    line = "{:48} {:>9} {:>9}  {}".format
    print(line("auth0-stt", "measured", "target", ""))
    for row in report["targets"]:
        target = "" if row["target"] is None else "{sense} {target:g}".format(**row)
        print(
            line(row["what"], "{:.2f}".format(row["measured"]), target, row["verdict"])
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a short run, noisy")
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 on a missed target"
    )
    parser.add_argument("--json", type=Path, default=Path(".tox/bench.json"))
    options = parser.parse_args()

    rounds = 3 if options.quick else 7
    with tempfile.TemporaryDirectory() as folder, Bench(folder, rounds) as bench:
        numbers = measure(bench, options.quick)
    report = {
        "about": machine(),
        "contenders": list(contender_rows(numbers)),
        "targets": [
            {
                "what": what,
                "measured": measured,
                "sense": sense,
                "target": target,
                "verdict": verdict(measured, target, sense),
            }
            for what, measured, target, sense in target_rows(numbers)
        ],
        "rounds": numbers,
    }
    print_table(report)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1))
    missed = any(row["verdict"] == "missed" for row in report["targets"])
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
