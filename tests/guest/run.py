#!/usr/bin/env python3
"""A real Linux guest plays through the daemon; what the host gets is compared frame by frame."""

import argparse
import shutil
import subprocess
import sys
import time

import apt
import cases
import image
import mixer  # noqa: F401  puts its tests into the list of cases
import procs
import recover  # noqa: F401  and so does this
import rig as rigs
import servers  # noqa: F401
import speakers  # noqa: F401
import wide  # noqa: F401
from guest import GuestError

QUICK_S, FULL_S = 3, 30
STARVED_S = 0.5  # from here on it is worth a word
# A guest whose clock ran on for 100 ms without an interrupt breaks off a blocking write (cases.py).
# A host that took the processor away does that to any device; a device that stalls does it each time.
GAVE_UP = "write error: Input/output error"
ATTEMPTS = 3
SKIPPED = 77  # what meson takes for "could not be tested here"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", nargs="*", help="only tests whose name contains one of these (wildcards allowed)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help=f"streams of {QUICK_S} s (default)")
    length.add_argument("--full", action="store_true", help=f"streams of {FULL_S} s")
    parser.add_argument("--build", default=str(rigs.ROOT / "build"), help="where the daemon was built")
    parser.add_argument("--daemon", default=rigs.DAEMON,
                        help="command of the daemon, with {socket}, {control}, {out}, {source}, {streams}, {build}")
    parser.add_argument("--list", action="store_true", help="name the tests and end")
    parser.add_argument("--keep", action="store_true", help="keep the working directory")
    return parser.parse_args()


class Runner:
    """Runs tests on one rig for as long as that is sound; makes a new one otherwise."""

    def __init__(self, args, work):
        self.args, self.work = args, work
        self.seconds = FULL_S if args.full else QUICK_S
        self.rig = None
        self.kind = None    # of the rig: the card that it offers, and what makes it
        self.rigs_made = 0
        self.counts = {"ok": 0, "not ok": 0}

    def report(self, verdict, name, text):
        self.counts[verdict] += 1
        print(f"{verdict} {name}{' | '.join(text.splitlines())}", flush=True)

    def make_plain(self, build, directory):
        """A rig on files, with the card that the test wants, in the daemon's words."""
        return rigs.Rig(build, directory, f"{self.args.daemon} {self.kind[0]}")

    def ensure_rig(self, function):
        """Of the kind that the test wants."""
        kind = getattr(function, "card", ""), getattr(function, "make_rig", self.make_plain)
        if self.rig and self.kind != kind:
            self.end()
            self.rig = None
        self.kind = kind
        if self.rig is None:
            self.rigs_made += 1
            directory = self.work / str(self.rigs_made)
            directory.mkdir()
            self.rig = kind[1](self.args.build, directory)

    def run(self, name, function):
        """One verdict.  A test in which the guest's kernel lost patience is run again."""
        missing = [tool for tool in getattr(function, "tools", ()) if not shutil.which(tool)]
        if missing:
            print(f"skip {name}: {missing[0]} is not installed", flush=True)
            return
        for attempt in range(ATTEMPTS):
            error = self.attempt(name, function, attempt)
            if error is None:
                return
            self.recover()
            if GAVE_UP not in error:
                break
            print(f"# {name}: {' | '.join(error.splitlines())}", flush=True)
        self.report("not ok", name, f": {error}")

    def attempt(self, name, function, attempt):
        """None when the test is ok, which has then been reported; else why it is not."""
        start = time.monotonic()
        starved = 0
        try:
            self.ensure_rig(function)
            starved = self.starved_s()
            said = function(self.rig, self.seconds)
            self.check_daemon()
        except (rigs.Failed, GuestError, OSError, ValueError) as error:
            waited = self.starved_s() - starved
            hint = f" (QEMU waited {waited:.1f} s for a CPU meanwhile)" if waited > STARVED_S else ""
            return f"{error}{hint}"
        remarks = ([said] if said else []) + ([f"run {attempt + 1}"] if attempt else [])
        self.report("ok", name, f" ({time.monotonic() - start:.1f} s) {'; '.join(remarks)}".rstrip())
        return None

    def starved_s(self):
        return self.rig.guest.qemu.starved_s() if self.rig else 0

    def check_daemon(self):
        if not self.rig.daemon.child.alive():
            raise rigs.Failed("the daemon ended: " + self.rig.daemon.child.log_tail())

    def recover(self):
        """After a failure the next test shall not suffer for it."""
        if self.rig:
            self.rig.guest.thaw()
            self.rig.close()
        self.rig = None

    def end(self):
        """The daemon has outlived everything, and ends when told to."""
        if self.rig is None:
            return
        status = self.rig.close()
        if status == 0:
            self.report("ok", "daemon-ends", "")
        else:
            self.report("not ok", "daemon-ends", f": exit status {status} after SIGTERM")


def prepare():
    """Whatever is fetched or built, before a clock runs."""
    try:
        image.qemu()
        image.image()
    except (apt.AptError, subprocess.SubprocessError, OSError) as error:
        print(f"skip guest: {error}")
        sys.exit(SKIPPED)


def main():
    args = arguments()
    chosen = cases.select(args.patterns)
    if args.list:
        print("\n".join(chosen))
        return
    procs.catch_signals()
    prepare()
    work = rigs.work_directory()
    runner = Runner(args, work)
    try:
        for name, function in chosen.items():
            runner.run(name, function)
        runner.end()
    finally:
        procs.kill_all()
        if args.keep or runner.counts["not ok"]:
            print(f"# logs and recordings: {work}")
        else:
            shutil.rmtree(work)
    print(f"# {runner.counts['ok']} ok, {runner.counts['not ok']} not ok")
    sys.exit(1 if runner.counts["not ok"] else 0)


if __name__ == "__main__":
    main()
