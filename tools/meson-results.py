#!/usr/bin/env python3
"""Say what `meson test` found, one line a test.

usage: tools/meson-results.py BUILD_DIR

Reads BUILD_DIR/meson-logs/testlog.json.  A cmocka program counts once for each
test in it.
"""

import json
import pathlib
import re
import sys
import textwrap

CMOCKA = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (\w+)\s*$", re.M)
WORD = {"OK": "ok", "FAILED": "not ok", "SKIPPED": "skip"}


def inner_tests(output):
    """What cmocka printed: name -> OK, FAILED or SKIPPED."""
    return {name: word for word, name in CMOCKA.findall(output)}


def report_program(entry):
    """The lines for one entry of the log."""
    name = entry["name"].split(":", 1)[-1].strip()
    output = (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or "")
    inner = inner_tests(output)
    lines = [report(WORD[word], f"{name}: {test}", inner_reason(output, test, word))
             for test, word in inner.items()]
    result = entry["result"]
    if result in ("OK", "EXPECTEDFAIL"):
        return lines or [f"ok {name}"]
    if result == "SKIP":
        return [report("skip", name, last_line(output))]
    print(textwrap.indent(output, "   | "))
    if "FAILED" not in inner.values():
        lines.append(report("not ok", name, f"{result}, {last_line(output)}"))
    return lines


def inner_reason(output, test, word):
    """A test that skips may print a line that says why, right before."""
    if word == "FAILED":
        return "see the log"
    before = re.split(rf"^\[\s*SKIPPED\s*\] {test}\s*$", output, maxsplit=1, flags=re.M)[0]
    line = last_line(before)
    return "it skips itself in this build" if line.startswith("[") else line


def report(word, name, reason):
    return f"{word} {name}" if word == "ok" else f"{word} {name}: {reason}"


def last_line(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def main():
    log = pathlib.Path(sys.argv[1]) / "meson-logs" / "testlog.json"
    if not log.exists():
        print(f"not ok {sys.argv[1]}: meson ran no test")
        return 1
    lines = []
    for line in log.read_text(errors="replace").splitlines():
        lines += report_program(json.loads(line))
    print("\n".join(lines))
    return int(any(line.startswith("not ok") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
