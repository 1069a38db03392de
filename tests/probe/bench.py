#!/usr/bin/env python3
"""vsnd-probe bench: every part runs, says what it should, and what noise cannot change is right.

usage: tests/probe/bench.py --build=DIR

Prints `ok NAME` or `not ok NAME: reason`.  What a message costs depends on what else the
machine does and is not judged here (bench/run.sh); how often the daemon wakes up is.
"""

import argparse
import json
import pathlib
import subprocess
import sys

ROWS = {
    "messages": ["16 bytes", "1920 bytes", "65536 bytes"],
    "steady": ["1 ms", "2.5 ms", "10 ms"],
    "latency": ["completions, 10 ms", "control request", "kick to completion"],
    "start": ["idle", "exec to", "playing"],
    "scale": ["64 streams on one core", "64 back-ends"],
}
OPTIONS = {"messages": ["--null-pace=fast"], "scale": ["--streams=64,0"]}
EDGE = 0.03         # the measured second does not begin with a period


def bench(build, part, *options):
    daemon = " ".join([f"{build}/vhost-user-snd", "--socket-path={socket}", *OPTIONS.get(part, [])])
    done = subprocess.run([build / "vsnd-probe", f"--spawn={daemon}", "--rounds=1", "--json", *options, "bench", part],
                          capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    found = json.loads(done.stdout)["parts"][part]
    return {row["row"]: {name: figure["median"] for side in ("subject", "reference")
                         for name, figure in row.get(side, {}).items()} for row in found}


def judge_messages(rows):
    for name, row in rows.items():
        yield f"{name}: times are possible", 0 < row["copy_ns"] < row["cpu_ns"] < 1e6
        yield f"{name}: faster than a sound card", row["times_realtime"] > 1
        yield f"{name}: messages share notifications", row["notifications"] < 0.5


def judge_steady(rows):
    for name, row in rows.items():
        yield f"{name}: wake-ups", 0 < row["wake_ups"] <= 1 + EDGE
        yield f"{name}: system calls", row.get("system_calls", 2) <= 2 + 2 * EDGE
        yield f"{name}: notifications", 0 < row["notifications"] <= 1 + EDGE
        yield f"{name}: no kicks", row["kicks"] == 0


def judge_latency(rows):
    for name, row in rows.items():
        yield f"{name}: in order", 0 <= row["min_us"] <= row["median_us"] <= row["p99_us"] <= row["max_us"]


def judge_start(rows):
    yield "idle: no wake-ups", rows["idle"]["wake_ups_per_s"] == 0
    yield "the first frame comes", 0 < rows["exec to"]["up_ms"] < rows["exec to"]["first_frame_ms"] < 5000


def judge_scale(rows):
    yield "64 streams share a wake-up", rows["64 streams on one core"]["wake_ups_per_s"] < 110
    yield "64 back-ends do not", rows["64 back-ends"]["wake_ups_per_s"] > 3000


JUDGES = {"messages": judge_messages, "steady": judge_steady, "latency": judge_latency, "start": judge_start,
          "scale": judge_scale}


def faults(build, part):
    try:
        rows = bench(build, part, *(["--from=64"] if part == "scale" else []))
    except (ValueError, KeyError, subprocess.TimeoutExpired) as fault:
        return [str(fault)]
    missing = [f"no row '{name}'" for name in ROWS[part] if name not in rows]
    return missing or [f"{what} ({rows})" for what, holds in JUDGES[part](rows) if not holds]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build.resolve()
    failed = 0
    for part in ROWS:
        found = faults(build, part)
        failed += bool(found)
        print(f"not ok bench {part}: {'; '.join(found)}" if found else f"ok bench {part}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
