#!/usr/bin/env python3
"""Each scenario that doc/defects.md names exists, and each row of it names one or says why not.

usage: tests/conform/defects.py --build=DIR
"""

import argparse
import pathlib
import re
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "doc" / "defects.md"
SCENARIO = re.compile(r"\b(?:SND|SPL|VU|VIO|PRG|PEER)-[A-Za-z0-9-]*[A-Za-z0-9]")


def known(build):
    """The scenarios that can be run."""
    listed = subprocess.run([build / "vsnd-probe", "conform", "--list"], capture_output=True,
                            text=True, check=True).stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line.strip()}


def rows():
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"[A-Z]+[0-9]+", cells[0]):
            yield cells


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    scenarios = known(parser.parse_args().build)
    missing, count = [], 0
    for name, _mistake, shown in rows():
        count += 1
        named = SCENARIO.findall(shown)
        missing += [f"{name} names {one}" for one in named if one not in scenarios]
        if not named and len(shown) < 20:
            missing.append(f"{name} names nothing and gives no reason")
    if missing or count < 90:
        print(f"not ok mistakes of other devices: {count} rows; {'; '.join(missing)}")
        return 1
    print(f"ok mistakes of other devices: {count} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
