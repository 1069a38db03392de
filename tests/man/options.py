#!/usr/bin/env python3
"""Each option that a program's --help names is in its man page, and the other way round.

usage: tests/man/options.py PAGES PROGRAM...

PAGES has NAME.1.scd for each program.  The commands of --help are looked at, too, where
a program has some: lines that begin with two blanks and a word.
"""

import pathlib
import re
import subprocess
import sys

HELP_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")
HELP_COMMAND = re.compile(r"^  ([a-z]+) ", re.M)
PAGE_OPTION = re.compile(r"\*(--?[a-z][a-z-]*)\*")
PAGE_COMMAND = re.compile(r"^\*([a-z]+)\*", re.M)
SHORT = re.compile(r"-[a-z]$")


def options(found):
    """Long options, and short ones; not what only looks like one, such as -dB."""
    return {name for name in found if name.startswith("--") or SHORT.match(name)}


def section(page, name):
    """The text below a heading."""
    for part in re.split(r"^# ", page, flags=re.M):
        if part.startswith(f"{name}\n"):
            return part
    return ""


def of_help(text):
    return options(HELP_OPTION.findall(text)), set(HELP_COMMAND.findall(text))


def of_page(page):
    commands = section(page, "COMMANDS") or section(page, "SUB-COMMANDS")
    described = re.findall(r"^\*-.*$", section(page, "OPTIONS"), re.M)
    return options(PAGE_OPTION.findall("\n".join(described))), set(PAGE_COMMAND.findall(commands))


def fault_of(program, pages):
    text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=10,
                          check=True).stdout
    page = (pages / f"{pathlib.Path(program).name}.1.scd").read_text()
    for what, said, described in zip(("options", "commands"), of_help(text), of_page(page)):
        if said - described:
            return f"{what} without a place in the man page: {', '.join(sorted(said - described))}"
        if described - said:
            return f"{what} that --help does not have: {', '.join(sorted(described - said))}"
        if what == "options" and not said:
            return "no options in --help"
    return None


def main():
    pages, *programs = sys.argv[1:]
    failed = False
    for program in programs:
        name = pathlib.Path(program).name
        fault = fault_of(program, pathlib.Path(pages))
        failed |= fault is not None
        print(f"not ok man page of {name}: {fault}" if fault else f"ok man page of {name}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
