#!/usr/bin/env python3
"""Shows that the scenarios of `vsnd-probe conform` can fail.

Each patch in mutants/ takes one duty away from the device; its first line names
the scenarios that have to notice, each of them.  A copy of the tree is built once, and for each
mutant only what the patch touches is built again.

usage: tests/conform/mutants.py --build=DIR [--sample=N] [--keep] [NAME...]
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
        done = run("meson", "setup", self.build, "-Dtests=disabled", "-Ddaemon=enabled",
                   "-Dprobe=disabled", "-Dfile=enabled", "--buildtype=debug", cwd=where)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)

    def make(self):
        return run("ninja", "-C", self.build, "-j2", "vhost-user-snd")

    def patch(self, patch, *options):
        return run("patch", "-p1", "-s", "-F2", *options, "-i", patch, cwd=self.where)

    def daemon(self):
        return self.build / "vhost-user-snd"


def scenarios_with_hooks(probe):
    listed = run(probe, "conform", "--list", "hooks-*").stdout
    return {line.split()[0] for line in listed.splitlines() if line.startswith("  ")}


def outcomes(probe, daemon, hooks, patterns):
    """{scenario: outcome}, and the text of each that is not as it should be."""
    command = f"{daemon} --socket-path={{socket}} --streams=3"
    if hooks:
        command += " --audio=test --control-path={dir}/hooks --controls --formats=all"
        sees = "--hooks={dir}/hooks"
    else:
        command += " --audio=file --file-out={dir}/%s.wav"
        sees = "--played={dir}/%s.wav"
    done = run(probe, f"--spawn={command}", sees, "--timeout=4", "--json", "conform", *patterns)
    if not done.stdout:
        return {}
    return {row["id"]: row for row in json.loads(done.stdout)["scenarios"]}


def judge(tree, probe, patch):
    """None if the mutant was found, else what is wrong."""
    names = patch.read_text().split(":", 1)[0].split()
    hooks = set(names) & scenarios_with_hooks(probe)
    applied = tree.patch(patch)
    if applied.returncode:
        return "the patch does not apply any more: " + applied.stdout.strip()
    try:
        built = tree.make()
        if built.returncode:
            return "it does not compile: " + built.stdout[-800:]
        rows = outcomes(probe, tree.daemon(), hooks, names)
        for name in names:
            if name not in rows:
                return f"there is no scenario {name}"
            if rows[name]["outcome"] not in RED:
                return f"{name} says {rows[name]['outcome']} {rows[name]['text']}"
        return None
    finally:
        tree.patch(patch, "-R")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="only so many, evenly chosen")
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
        for patch in patches:
            wrong = judge(tree, probe, patch)
            failed += wrong is not None
            title = patch.read_text().split("\n", 1)[0]
            print(f"ok {title}" if wrong is None else f"not ok {title}: {wrong}", flush=True)
    finally:
        if not options.keep:
            shutil.rmtree(where, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
