#!/usr/bin/env python3
"""Shows that the scenarios of `vsnd-probe conform` can fail.

Each patch in mutants/ takes one duty away from the device.  Its first line is
`ID[, ID...][ only]: what is broken`, and each of those scenarios has to notice.
With --others all scenarios are run, and those that fail beside the named ones
are counted; where the line says `only` there may be none.

The device is the one with everything on its card (card.c).  A copy of the tree
is built once, and for each mutant only what the patch touches is built again.

usage: tests/conform/mutants.py --build=DIR [--sample=N] [--others] [--keep] [NAME...]
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RED = {"FAIL", "CRASH", "HANG", "advice", "not run"}
TARGET = "tests/conform/full-card"


def run(*command, **more):
    return subprocess.run([str(part) for part in command], text=True, capture_output=True,
                          check=False, **more)


def copy_tree(to):
    for top in ("meson.build", "meson_options.txt"):
        shutil.copy2(ROOT / top, to / top)
    for top in ("src", "include", "doc", "tests"):
        shutil.copytree(ROOT / top, to / top)


class Tree:
    """The copy that the mutants are made of, and its daemon."""

    def __init__(self, where):
        self.where = where
        self.build = where / "build"
        copy_tree(where)
        done = run("meson", "setup", self.build, "-Dtests=enabled", "-Ddaemon=enabled",
                   "-Dprobe=disabled", "-Dfile=enabled", "--buildtype=debug", cwd=where)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)

    def make(self):
        return run("ninja", "-C", self.build, "-j2", TARGET)

    def patch(self, patch, *options):
        return run("patch", "-p1", "-s", "-F2", *options, "-i", patch, cwd=self.where)

    def daemon(self):
        return self.build / TARGET


def scenarios_with_hooks(probe):
    listed = run(probe, "conform", "--list", "hooks-*").stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith("  ")}


def outcomes(probe, daemon, hooks, *patterns):
    """{scenario: its part of the JSON output}"""
    command = f"--spawn={daemon} --socket-path={{socket}} --streams=3,1 --controls"
    if hooks:
        command += " --audio=test --control-path={dir}/hooks --formats=all"
        listens = "--hooks={dir}/hooks"
    else:
        command += " --channels=1-6 --audio=file --file-out={dir}/%s.wav"
        listens = "--played={dir}/%s.wav"
    done = run(probe, command, listens, "--timeout=4", "--json", "conform", *patterns)
    if not done.stdout:
        return {}
    return {row["id"]: row for row in json.loads(done.stdout)["scenarios"]}


class Mutant:
    """A patch and what its first line says."""

    def __init__(self, patch):
        self.patch = patch
        self.title = patch.read_text().split("\n", 1)[0]
        names = self.title.split(":", 1)[0]
        self.alone = names.endswith(" only")
        self.names = names.removesuffix(" only").split(", ")


def missed(mutant, rows):
    """Why it was not found by a scenario that it names, or None."""
    for name in mutant.names:
        row = rows.get(name)
        if row is None:
            return f"there is no scenario {name}"
        if row["outcome"] not in RED:
            return f"{name} says {row['outcome']} {row['text']}"
    return None


def judge(tree, probe, mutant, all_scenarios):
    """What is wrong (None: it was found), and which others failed."""
    applied = tree.patch(mutant.patch)
    if applied.returncode:
        return "the patch does not apply any more: " + applied.stdout.strip(), []
    try:
        built = tree.make()
        if built.returncode:
            return "it does not compile: " + built.stdout[-800:], []
        hooks = scenarios_with_hooks(probe) & set(mutant.names)
        rows = outcomes(probe, tree.daemon(), hooks, *([] if all_scenarios else mutant.names))
        others = [name for name, row in rows.items()
                  if row["outcome"] in RED and name not in mutant.names]
        wrong = missed(mutant, rows)
        if not wrong and mutant.alone and others:
            wrong = "others fail, too: " + " ".join(others)
        return wrong, others
    finally:
        tree.patch(mutant.patch, "-R")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="only so many, evenly chosen")
    parser.add_argument("--others", action="store_true", help="run all scenarios")
    parser.add_argument("--keep", action="store_true", help="leave the copy where it is")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    patches = sorted((HERE / "mutants").glob("*.patch"))
    if options.names:
        patches = [p for p in patches if p.stem in {n.lower() for n in options.names}]
    if options.sample:
        patches = patches[::max(1, len(patches) // options.sample)][:options.sample]
    probe = options.build.resolve() / "vsnd-probe"
    where = pathlib.Path(tempfile.mkdtemp(prefix="vsnd-mutants."))
    failed = 0
    try:
        tree = Tree(where)
        if tree.make().returncode:
            sys.exit("not ok mutants: the tree does not compile")
        for mutant in map(Mutant, patches):
            wrong, others = judge(tree, probe, mutant, options.others)
            failed += wrong is not None
            title = mutant.title + (f" ({len(others)} others)" if options.others else "")
            print(f"ok {title}" if wrong is None else f"not ok {title}: {wrong}", flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(where, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
