#!/usr/bin/env python3
"""What `vsnd-probe conform` tells programs: TAP, JSON, the list, exit statuses.

usage: tests/conform/output.py --build=DIR
"""

import argparse
import collections
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile

ROWS = ["SND-CFG-1", "SND-CINF-1", "SND-JEVT-*", "VU-HDR-1", "VIO-SUSP-1", "PRG-1", "PRG-2"]
TAP_LINE = re.compile(r"(not )?ok (\d+) - (\S+) [^#]*(?:# (SKIP|TO" r"DO) .+)?$")
OUTCOMES = {"pass", "FAIL", "advice", "skip", "CRASH", "HANG", "not run", "untestable"}
SPAWN = "{}/vhost-user-snd --socket-path={{socket}}"


class Report:
    """Prints the cases and remembers whether one failed."""

    def __init__(self):
        self.failed = False

    def case(self, name, good, why=""):
        self.failed = self.failed or not good
        print(f"ok {name}" if good else f"not ok {name}: {why}", flush=True)


def probe(build, *options, spawn=None, env=None):
    return subprocess.run([build / "vsnd-probe", f"--spawn={spawn or SPAWN.format(build)}",
                           *options], text=True, capture_output=True, check=False,
                          env={**os.environ, **(env or {})})


def check_tap(report, build):
    done = probe(build, "--tap", "--all", "conform", *ROWS)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    plan = int(lines[1].removeprefix("1.."))
    cases = [TAP_LINE.match(line) for line in lines[2:]]
    report.case("tap version", lines[0] == "TAP version 13", lines[0])
    report.case("tap lines", all(cases), done.stdout)
    report.case("tap numbers", [int(c[2]) for c in cases if c] == list(range(1, plan + 1)),
                f"1..{plan}, {len(cases)} cases")
    skipped = {c[3] for c in cases if c and c[4] == "SKIP"}
    report.case("tap skips", {"SND-CINF-1", "VIO-SUSP-1"} <= skipped, str(skipped))


def check_json(report, build):
    done = probe(build, "--json", "--all", "conform", *ROWS)
    top = json.loads(done.stdout)
    rows = top["scenarios"]
    count = collections.Counter(row["outcome"] for row in rows)
    report.case("json outcomes", set(count) <= OUTCOMES, str(count))
    report.case("json counts", top["passed"] == count["pass"] and top["skipped"] == count["skip"]
                and top["failed"] == count["FAIL"] + count["not run"], str(count))
    report.case("json clauses", all(row["clause"] or row["outcome"] == "untestable"
                                    for row in rows), "a scenario says no clause")
    report.case("json sections", all(row["section"] and row["title"] for row in rows))
    traces = [row["trace"] for row in rows if row["outcome"] == "pass"]
    report.case("json traces", traces and all(traces), "a scenario says not what it sent")


def check_list(report, build):
    done = probe(build, "--list", "--all", "conform")
    ids = re.findall(r"^  (\S+)", done.stdout, re.M)
    twice = [name for name, n in collections.Counter(ids).items() if n > 1]
    report.case("list ids once", not twice, " ".join(twice))
    told = len(re.findall(r"^ {27}(?:\[.+\]|not testable from outside: .+)$", done.stdout, re.M))
    report.case("list clauses", told == len(ids), f"{len(ids)} scenarios, {told} clauses")
    report.case("list is long", len(ids) > 400, str(len(ids)))


def check_summary(report, build):
    done = probe(build, "conform", "SND-CFG-*", "VU-HDR-*", "SND-CINF-*")
    total, sections = [0] * 4, []
    for line in done.stdout.split("\n\n")[-1].splitlines():
        found = re.match(r"(.+?) +(\d+) passed +(\d+) failed +(\d+) advice +(\d+) skipped", line)
        sections.append([int(n) for n in found.groups()[1:]] if found else None)
    if None not in sections:
        total = [sum(column) for column in zip(*sections[:-1])]
    report.case("summary adds up", sections and sections[-1] == total, done.stdout)
    report.case("summary sections", len(sections) == 5, done.stdout)


def check_statuses(report, build):
    cases = (("a pass", 0, ["conform", "SND-CFG-1"], None),
             ("no such name", 2, ["conform", "NO-SUCH-*"], None),
             ("no back-end", 1, ["conform", "SND-CFG-1"], "false"),
             ("a skip", 0, ["conform", "SND-CINF-1"], None))
    for name, want, options, spawn in cases:
        done = probe(build, *options, spawn=spawn)
        report.case(f"status of {name}", done.returncode == want,
                    f"{done.returncode}, not {want}: {done.stdout}{done.stderr}")


def describe(where, name, top):
    folder = pathlib.Path(where, "qemu", "vhost-user")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / name).write_text(json.dumps(top))


def outcome(build, where, row):
    done = probe(build, "--json", "conform", row, env={"XDG_CONFIG_HOME": str(where)})
    return json.loads(done.stdout)["scenarios"][0]["outcome"]


def check_description(report, build, where):
    """PRG-1 and PRG-2, which a program that is not installed skips."""
    good = {"description": "sound", "type": "sound", "binary": str(build / "vhost-user-snd")}
    describe(where, "50-sound.json", good)
    report.case("PRG-1 of a description", outcome(build, where, "PRG-1") == "pass")
    report.case("PRG-2 of a name", outcome(build, where, "PRG-2") == "pass")
    describe(where, "sound.json", good)
    report.case("PRG-2 without digits", outcome(build, where, "PRG-2") == "advice")
    describe(where, "50-sound.json", {k: v for k, v in good.items() if k != "type"})
    report.case("PRG-1 without a type", outcome(build, where, "PRG-1") == "FAIL")


def check_conventions(report, build, where):
    """Programs that break the conventions which no patch of the daemon does."""
    daemon = build / "vhost-user-snd"
    breaks = {
        "VU-CON-1": 'case "$*" in *--fd=*) exit 1 ;; esac',
        "PRG-8": 'case "$*" in *--fd=*) exit 1 ;; esac',
        "PRG-11": 'case "$*" in *--print-cap*) echo \'{"type": "sound", "x": 1}\'; exit ;; esac',
        "PRG-5": '[ "$(readlink /proc/$$/fd/1)" = /dev/null ] && exit 1',
    }
    for row, line in breaks.items():
        program = pathlib.Path(where, "program")
        program.write_text(f'#!/bin/sh\n{line}\nexec {daemon} "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        done = probe(build, "--json", "conform", row, spawn=f"{program} --socket-path={{socket}}")
        row_is = json.loads(done.stdout)["scenarios"][0]
        report.case(f"{row} of a program that does not keep to it",
                    row_is["outcome"] in {"FAIL", "CRASH", "advice"},
                    f"{row_is['outcome']} {row_is['text']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    build = parser.parse_args().build.resolve()
    report = Report()
    for check in (check_tap, check_json, check_list, check_summary, check_statuses):
        check(report, build)
    with tempfile.TemporaryDirectory(prefix="vsnd-conform.") as where:
        check_description(report, build, where)
        check_conventions(report, build, where)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
