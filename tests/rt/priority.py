#!/usr/bin/env python3
"""The audio thread's priority, and the program's memory, as far as the system allows.

usage: tests/rt/priority.py --build=DIR [-k WORD]

Each back-end with threads of ours plays with privileges, as a user without any, and as
one who has limits for rtprio and memlock.  Prints `ok NAME`, `not ok NAME: reason` or
`skip NAME: reason`.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "daemon"), str(HERE.parent / "probe")]
from rig import START_S, Daemon, Fault, expect
import wav

PRIORITY = 20
NOBODY = 65534
NOTE = "no real-time priority"
# Threads that move the guest's samples, and those that do not.
BACKENDS = {
    "null": (("vsnd-audio",), ()),
    "file": (("vsnd-audio",), ("vsnd-file",)),
    "alsa": (("vsnd-audio", "vsnd-alsa-0"), ()),
}


def threads(pid):
    """{name: (real-time, priority)}"""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        tid = int(task.name)
        policy = os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK
        found[(task / "comm").read_text().strip()] = (policy == os.SCHED_FIFO,
                                                      os.sched_getparam(tid).sched_priority)
    return found


def locked_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmLck:")[1].split()[0])


class Wrapped(Daemon):
    """The program is what the command becomes."""

    program = "env"


@contextlib.contextmanager
def playing(build, folder, audio, before):
    """A daemon that was started by the command @before, and plays; it, and what it says at the end."""
    program = shutil.copy(build / "vhost-user-snd", folder)
    sock = folder / "s"
    options = {"file": [f"--file-out={folder}/%s.wav"]}.get(audio, [])
    (folder / "asound.conf").write_text("pcm.default { type null }\n")
    wav.noise("S16", 48000, 2, 48000).write(folder / "in.wav")
    shutil.chown(folder, *before.owner)
    said = []
    with Wrapped(*before.command, program, f"--socket-path={sock}", f"--audio={audio}",
                 "--log-level=info", *options,
                 env={**os.environ, "ALSA_CONFIG_PATH": str(folder / "asound.conf")}) as daemon:
        daemon.wait_ready(sock).close()
        probe = subprocess.Popen([build / "vsnd-probe", f"--socket-path={sock}", "--json", "play",
                                  folder / "in.wav"], stdout=subprocess.DEVNULL)
        try:
            yield daemon.process.pid, said
            expect(probe.wait(10) == 0, "the guest saw an error")
        finally:
            probe.kill()
            probe.wait()
        daemon.process.terminate()
        status, _, err = daemon.end()
    expect(status == 0, f"exit status {status}: {err}")
    said += err.splitlines()


def succeeds(*command):
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


class As:
    """Who the daemon is run as, with which limits."""

    def __init__(self, plain, **limits):
        self.command = []
        for name, value in limits.items():
            self.command += ["prlimit", f"--{name}={value}:{value}"]
        self.owner = (os.geteuid(), os.getegid())
        if plain and os.geteuid() == 0:
            self.owner = (NOBODY, NOBODY)
            self.command += ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                             "--inh-caps=-all"]

    def can_be(self):
        return not self.command or succeeds(*self.command, "true")


def check(build, folder, audio, case):
    """Threads of @audio have the priority (0: none), and memory is locked or not."""
    _, who, priority, locked = case
    ours, others = BACKENDS[audio]
    wanted = {name: (priority > 0, priority) for name in ours}
    wanted |= {name: (False, 0) for name in (*others, "vhost-user-snd")}
    with playing(build, folder, audio, who) as (pid, said):
        end = time.monotonic() + START_S
        while not wanted.items() <= (found := threads(pid)).items():
            expect(time.monotonic() < end, f"threads are {found}")
            time.sleep(0.02)
        kb = locked_kb(pid)
        expect((kb > 0) == locked, f"{kb} KiB are locked")
    notes = [line for line in said if NOTE in line]
    # With `null` nothing can be heard to stutter.
    expect(len(notes) == (priority == 0 and audio != "null"), f"it says {said}")


CASES = (
    # who, as what, priority of the audio threads, whether memory is locked
    ("with privileges", As(False), PRIORITY, True),
    ("without any", As(True, rtprio=0, memlock=0), 0, False),
    ("a user with rtprio 10", As(True, rtprio=10, memlock=0), 10, False),
    ("a user with rtprio 95 and memlock", As(True, rtprio=95, memlock="unlimited"), PRIORITY, True),
)


def can_be(case):
    name, who, _, _ = case
    if name == "with privileges":
        return os.geteuid() == 0 and succeeds("chrt", "--fifo", str(PRIORITY), "true")
    return who.can_be()


def run(case, audio, build):
    name = f"priority: {audio}, {case[0]}"
    with tempfile.TemporaryDirectory(prefix="vsnd-rt-") as folder:
        try:
            check(build, pathlib.Path(folder), audio, case)
        except (Fault, OSError) as fault:
            print(f"not ok {name}: {' '.join(str(fault).split())}", flush=True)
            return False
    print(f"ok {name}", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("-k", default="", metavar="WORD", help="only cases with this in the name")
    args = parser.parse_args()
    chosen = []
    for case in CASES:
        if can_be(case):
            chosen += [(case, audio) for audio in BACKENDS if args.k in f"{audio}, {case[0]}"]
        else:
            print(f"skip priority: {case[0]}: this machine does not let us be that", flush=True)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda pair: run(*pair, args.build.resolve()), chosen))
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
