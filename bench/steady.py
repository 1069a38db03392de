#!/usr/bin/env python3
"""What a period of sound costs the daemon in the steady state.

usage: bench/steady.py [--build=build] [--periods=1000] [--audio=null,file] [--json | --tap]

For each back-end the daemon runs twice while vsnd-probe plays to it in periods of
10 ms: once under tests/rt/rtcheck.c, which counts by thread what a real-time
thread must not do, and once under strace, which sees every system call (and
slows the daemon, hence apart).  All figures are of a stretch in the middle of
the sound, --periods long.  Exit status 1 if a bound is broken.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "probe"))
import wav

AUDIO_THREAD = "vsnd-audio"
RATE_HZ = 48000
PERIOD_FRAMES = 480
BUFFER_PERIODS = 8
PERIOD_S = PERIOD_FRAMES / RATE_HZ
LEAD_S = 2.0            # from the daemon's start to the measured stretch
TAIL_S = 1.0
LOCKS = ("mutex", "cond", "rwlock", "sem_wait")
# What the audio thread of a back-end with a timer may ask of the kernel.
NOTIFY_AND_WAIT = {"write", "read", "poll", "ppoll", "epoll_wait", "epoll_pwait", "clock_nanosleep",
                   "restart_syscall"}
SYSCALL = re.compile(r"^(\d+)\s+(\d+\.\d+) (\w+)\(")

running = []            # processes to end whatever happens


class Failed(Exception):
    """The measurement itself did not work."""


def start(command, stdout, stderr, env=None):
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=stderr, env=env)
    running.append(process)
    return process


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    running.remove(process)
    return process.returncode


def wait_until(moment):
    time.sleep(max(0.0, moment - time.monotonic()))


def wait_for(path, process):
    for _ in range(500):
        if path.exists():
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise Failed("the daemon did not make its socket")


def threads_of(pid):
    """tid -> (name, voluntary context switches)."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            status = (task / "status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        found[int(task.name)] = (fields["Name"], int(fields["voluntary_ctxt_switches"]))
    return found


class Play:
    """One daemon with one probe that plays to it, in a folder of its own."""

    def __init__(self, args, audio, folder, prefix=(), env=None):
        self.folder = folder
        self.length_s = args.periods * PERIOD_S
        self.log = open(folder / "log", "w")
        socket = folder / "socket"
        sound = folder / "sound.wav"
        make_sound(sound, LEAD_S + self.length_s + TAIL_S)
        options = [f"--socket-path={socket}", f"--audio={audio}"]
        if audio == "file":
            options.append(f"--file-out={folder}/out-%s.wav")
        self.began = time.monotonic()
        self.daemon = start([*prefix, args.build / "vhost-user-snd", *options],
                            self.log, self.log, env={**os.environ, **(env or {})})
        wait_for(socket, self.daemon)
        self.report = open(folder / "probe.json", "w+")
        self.probe = start([args.build / "vsnd-probe", f"--socket-path={socket}", "--json",
                            f"--period={PERIOD_FRAMES}", f"--buffer={PERIOD_FRAMES * BUFFER_PERIODS}",
                            "play", sound], self.report, self.log)

    def stretch(self):
        """Sleep through the measured stretch; the threads before and after it."""
        wait_until(self.began + LEAD_S)
        before, began = threads_of(self.daemon.pid), time.time()
        wait_until(self.began + LEAD_S + self.length_s)
        after, ended = threads_of(self.daemon.pid), time.time()
        return before, after, began, ended

    def finish(self):
        """Let the sound end; both programs must be content.  What the probe says."""
        try:
            self.probe.wait(LEAD_S + TAIL_S + 10)
        except subprocess.TimeoutExpired:
            self.probe.kill()
            self.probe.wait()
        probe, daemon = end(self.probe), end(self.daemon)
        self.log.close()
        if probe or daemon:
            print((self.folder / "log").read_text()[-4000:], file=sys.stderr)
            raise Failed(f"exit status {probe} of the probe, {daemon} of the daemon")
        self.report.seek(0)
        with self.report:
            return json.load(self.report)


def make_sound(path, seconds):
    second = wav.noise("S16", RATE_HZ, 2, RATE_HZ)
    wav.Wav("S16", RATE_HZ, 2, second.data * (int(seconds) + 1)).write(path)


def count_calls(args, audio, folder):
    """rtcheck's counters and wake-ups by thread name, and the probe's report."""
    out = folder / "rtcheck.json"
    play = Play(args, audio, folder, env={
        "LD_PRELOAD": str(args.build / "tests/rt/rtcheck.so"),
        "VSND_RTCHECK_OUT": str(out),
        "VSND_RTCHECK_FROM": str(LEAD_S),
        "VSND_RTCHECK_UNTIL": str(LEAD_S + play_length(args)),
    })
    before, after, _, _ = play.stretch()
    report = play.finish()
    result = json.loads(out.read_text())
    if not result["complete"]:
        raise Failed("rtcheck saw too many threads, or the daemon ended early")
    counts = collections.defaultdict(collections.Counter)
    for thread in result["threads"]:
        name = thread.pop("name")
        thread.pop("tid")
        counts[name].update(thread)
    wakes = collections.Counter()
    for tid, (name, switches) in after.items():
        wakes[name] += switches - before.get(tid, (name, 0))[1]
    return counts, wakes, report


def play_length(args):
    return args.periods * PERIOD_S


def trace_calls(args, audio, folder):
    """System calls by (thread name, call), or None where strace cannot be used."""
    if not shutil.which("strace") or subprocess.run(
            ["strace", "-o", "/dev/null", "true"], capture_output=True, timeout=20).returncode:
        return None
    out = folder / "trace"
    play = Play(args, audio, folder, prefix=["strace", "-D", "-f", "-ttt", "-o", out])
    before, after, began, ended = play.stretch()
    play.finish()
    names = {tid: name for tid, (name, _) in {**before, **after}.items()}
    return count_trace(out, names, began, ended)


def count_trace(path, names, began, ended):
    calls = collections.Counter()
    for line in path.read_text(errors="replace").splitlines():
        match = SYSCALL.match(line)
        if match and began <= float(match[2]) < ended:
            calls[names.get(int(match[1]), "?"), match[3]] += 1
    return calls


def measure(args, audio):
    """All figures of one back-end, as a dict that --json prints."""
    with tempfile.TemporaryDirectory(prefix="vsnd-") as name:
        folder = pathlib.Path(name)
        for sub in ("count", "trace"):
            (folder / sub).mkdir()
        counts, wakes, report = count_calls(args, audio, folder / "count")
        trace = trace_calls(args, audio, folder / "trace")
    if AUDIO_THREAD not in wakes:
        raise Failed(f"the daemon has no thread {AUDIO_THREAD}: {', '.join(wakes)}")
    mine, every = counts[AUDIO_THREAD], sum(counts.values(), collections.Counter())
    figures = {
        "audio": audio,
        "periods": args.periods,
        "audio_thread_allocations": mine["alloc"] + mine["free"],
        "audio_thread_locks": sum(mine[what] for what in LOCKS),
        "audio_thread_log_lines": mine["log"],
        "notifications_per_period": mine["eventfd_write"] / args.periods,
        "kick_wake_ups": every["eventfd_read"],
        "wake_ups_per_period": per_period(wakes, args.periods),
        "kicks_sent_per_period": report["kicks_per_period"],
        "audio_thread_other_calls": None,
        "system_calls_per_period": None,
    }
    if trace is not None:
        figures["audio_thread_other_calls"] = {
            call: n for (thread, call), n in sorted(trace.items())
            if thread == AUDIO_THREAD and call not in NOTIFY_AND_WAIT}
        figures["system_calls_per_period"] = per_period(
            {f"{thread} {call}": n for (thread, call), n in trace.items()}, args.periods)
    return figures


def per_period(counter, periods):
    return {name: n / periods for name, n in sorted(counter.items()) if n}


def bounds(figures):
    """(name, bound holds, measured) of each rule."""
    edge = 2 / figures["periods"]      # the stretch does not begin with a period
    yield "the audio thread allocates nothing", not figures["audio_thread_allocations"], \
        figures["audio_thread_allocations"]
    yield "the audio thread takes no lock", not figures["audio_thread_locks"], \
        figures["audio_thread_locks"]
    yield "the audio thread logs nothing", not figures["audio_thread_log_lines"], \
        figures["audio_thread_log_lines"]
    notifications = figures["notifications_per_period"]
    yield "at most one notification per period", 0 < notifications <= 1 + edge, notifications
    yield "no wake-up by a kick", not figures["kick_wake_ups"], figures["kick_wake_ups"]
    wakes = sum(figures["wake_ups_per_period"].values())
    yield "at most 1.05 wake-ups per period, whole daemon", wakes <= 1.05 + edge, wakes
    calls = figures["system_calls_per_period"]
    if calls is not None:
        yield "at most 2.05 system calls per period, whole daemon", \
            sum(calls.values()) <= 2.05 + edge, sum(calls.values())
    other = figures["audio_thread_other_calls"]
    if other is not None:
        yield "the audio thread only waits and notifies", not other, sum(other.values())


def print_table(figures):
    print(f"\n{figures['audio']}: {figures['periods']} periods of {PERIOD_S * 1000:g} ms")
    for name, holds, value in bounds(figures):
        print(f"  {name:50} {value:10g}   {'' if holds else 'BROKEN'}")
    print(f"  {'kicks that the driver sent per period, in all':50} "
          f"{figures['kicks_sent_per_period']:10.3f}")
    for key in ("wake_ups_per_period", "system_calls_per_period"):
        table = figures[key]
        title = key.replace("_", " ").replace("wake ups", "wake-ups")
        if table is None:
            print(f"  {title:50}     no strace")
            continue
        print(f"  {title + ', whole daemon':50} {sum(table.values()):10.3f}")
        for name, value in table.items():
            print(f"    {name:48} {value:10.3f}")


def print_tap(figures):
    for name, holds, value in bounds(figures):
        label = f"rt-steady {figures['audio']}: {name}"
        print(f"ok {label}" if holds else f"not ok {label}: {value:g}")
    if figures["system_calls_per_period"] is None:
        print(f"skip rt-steady {figures['audio']}: system calls: strace cannot trace here")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--periods", type=int, default=1000)
    parser.add_argument("--audio", default="null,file")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tap", action="store_true")
    args = parser.parse_args()
    args.build = args.build.resolve()
    return args


def run(args):
    everything, failed = [], False
    for audio in args.audio.split(","):
        try:
            figures = measure(args, audio)
        except (Failed, OSError) as error:
            print(f"not ok rt-steady {audio}: {error}")
            failed = True
            continue
        everything.append(figures)
        failed |= not all(holds for _, holds, _ in bounds(figures))
        if args.tap:
            print_tap(figures)
        if not args.json:
            print_table(figures)
    if args.json:
        print(json.dumps(everything, indent=1))
    return int(failed)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return run(arguments())
    finally:
        for process in list(running):
            end(process)


if __name__ == "__main__":
    sys.exit(main())
