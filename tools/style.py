#!/usr/bin/env python3
"""The limits that the sources keep; one `ok` or `not ok` line for each.

usage: tools/style.py [ROOT]
"""

import pathlib
import re
import sys

FUNCTION_LINES = 70
FILE_LINES = 900

SOURCES = {".c", ".h", ".py", ".sh", ".build"}
# What git does not keep.
MADE = re.compile(r"\.git$|build($|-)|demo-out$|__pycache__$")
# Written in pieces, so that this file does not hold what it looks for.
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
OUTSIDE = re.compile(r"(?<![\w.])/(home|root|wo" r"rk|Users)/")


def project_files(root):
    return (path for path in root.rglob("*")
            if not any(MADE.match(part) for part in path.relative_to(root).parts))


def texts(root):
    """(name, text) of each text file that people write."""
    for path in sorted(project_files(root)):
        name = path.relative_to(root)
        if "corpus" in name.parts or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield name, data.decode(errors="replace")


def long_functions(name, text):
    if name.suffix != ".c":
        return
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start > FUNCTION_LINES:
                yield f"{name}:{start}: {number - start} lines"
            start = None


def long_files(name, text):
    lines = text.count("\n")
    if name.suffix in SOURCES and lines > FILE_LINES:
        yield f"{name}: {lines} lines"


def matching_lines(name, text, matches):
    for number, line in enumerate(text.split("\n"), 1):
        if matches(line):
            yield f"{name}:{number}"


def trailing_blanks(name, text):
    return matching_lines(name, text, lambda line: line != line.rstrip())


def no_final_newline(name, text):
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield f"{name}"


def leftovers(name, text):
    return matching_lines(name, text, LEFTOVER.search)


def outside_paths(name, text):
    return matching_lines(name, text, OUTSIDE.search)


RULES = {
    f"no function over {FUNCTION_LINES} lines": long_functions,
    f"no file over {FILE_LINES} lines": long_files,
    "no trailing blanks": trailing_blanks,
    "one newline at the end of each file": no_final_newline,
    "no marks of unfinished work": leftovers,
    "no paths of one machine": outside_paths,
}


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = list(texts(root))
    failed = False
    for title, rule in RULES.items():
        faults = [fault for name, text in files for fault in rule(name, text)]
        failed |= bool(faults)
        print(f"not ok style: {title}: {', '.join(faults)}" if faults else f"ok style: {title}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
