#!/usr/bin/env python3
"""Play to vhost-user-snd with vsnd-probe in many ways; what comes out must be what went in.

usage: tests/probe/run.py --build=DIR [--quick] [-k WORD] [--jobs=4] [--keep=FOLDER]

Prints `ok NAME` or `not ok NAME: reason` for each case of cases.py.  The daemon
plays into WAV files, which are compared with the source frame by frame.  Silence
between frames is no fault (a loaded machine makes the driver late) but is told.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import cases
import formats
import wav


class Fault(Exception):
    """Why a case failed."""


def session_members(leader):
    """The processes of a session: vsnd-probe gives its daemon a group of its own."""
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(int(path.name)) == leader:
                yield int(path.name)


def kill_session(leader):
    for pid in session_members(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Processes:
    """Sessions that run, so that they can be ended whatever happens."""

    def __init__(self):
        self.lock = threading.Lock()
        self.live = set()
        self.closed = False

    def start(self, command, log):
        with self.lock:
            if self.closed:
                raise Fault("the run was stopped")
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            self.live.add(process)
        return process

    def end(self, process):
        """End what is left of the process and of all that it started."""
        kill_session(process.pid)
        process.wait()
        with self.lock:
            self.live.discard(process)

    def end_all(self):
        with self.lock:
            self.closed = True
            left = list(self.live)
        for process in left:
            kill_session(process.pid)


processes = Processes()


class Run:
    """One case in a folder of its own."""

    def __init__(self, case, build, folder):
        self.case, self.build, self.folder = case, build, folder
        self.log = folder / "log"
        self.source = folder / "source.wav"
        self.sent = None

    def daemon_command(self, socket):
        pattern = self.folder / "out-%s.wav"
        source = [f"--file-in={self.source}"] if self.case.check.startswith("record") else []
        return [str(self.build / "vhost-user-snd"), f"--socket-path={socket}", "--audio=file",
                f"--file-out={pattern}", f"--file-pace={self.case.pace}", *source,
                *self.case.daemon]

    def probe_command(self, how, verb):
        return [str(self.build / "vsnd-probe"), *how, *self.case.options, verb]

    def make_source(self):
        case = self.case
        self.sent = wav.noise(case.sample, case.rate, case.channels, case.frames)
        self.sent.write(self.source)

    def wait(self, process, what):
        try:
            return process.wait(self.case.limit_s)
        except subprocess.TimeoutExpired:
            raise Fault(f"{what}: no end within {self.case.limit_s:g} s") from None

    def probe(self, how, verb, *arguments):
        """Run the probe to its end; its exit status must be 0."""
        with open(self.log, "a") as log:
            process = processes.start([*self.probe_command(how, verb), *arguments], log)
        try:
            status = self.wait(process, "vsnd-probe")
        finally:
            processes.end(process)
        if status:
            raise Fault(f"vsnd-probe: exit status {status}: {self.last_line()}")

    def spawned(self, verb, *arguments):
        command = " ".join(shlex.quote(word) for word in self.daemon_command("{socket}"))
        self.probe([f"--spawn={command}"], verb, *arguments)

    def last_line(self):
        """What the probe complained of, or else whatever was said last."""
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines()]
        lines = [line for line in lines if line]
        complaints = [line for line in lines if line.startswith("vsnd-probe: ")]
        return (complaints or lines or ["no output"])[-1].removeprefix("vsnd-probe: ")

    def outputs(self):
        """The Sound in each file that the daemon wrote, oldest first."""
        files = sorted(self.folder.glob("out-*.wav"), key=lambda path: path.stat().st_mtime_ns)
        found = []
        for path in files:
            try:
                got = wav.read(path)
            except ValueError as error:
                raise Fault(f"{path.name}: {error}") from None
            self.check_format(path.name, got)
            got.silent = self.sent.silent
            found.append(wav.Sound(got))
        return found

    def check_format(self, name, got):
        want = self.sent
        if (got.sample, got.rate, got.channels) != (want.sample, want.rate, want.channels):
            raise Fault(f"{name}: {got.sample}, {got.rate} Hz, {got.channels} channels")
        if got.mask != want.mask:
            raise Fault(f"{name}: channel mask {got.mask:#x} instead of {want.mask:#x}")

    def sent_frames(self):
        return wav.Sound(self.sent).frames


def tell_gaps(sounds):
    gaps = [gap for sound in sounds for gap in sound.gaps]
    return f" # {len(gaps)} gaps, {sum(gaps)} frames of silence" if gaps else ""


def same(want, got):
    text = wav.difference(want, got)
    if text:
        raise Fault(text)


def judge_all(run):
    """Each stream's file holds every frame, once and in order."""
    run.make_source()
    run.spawned("play", str(run.source))
    sounds = run.outputs()
    if len(sounds) != run.case.streams:
        raise Fault(f"{len(sounds)} files for {run.case.streams} streams")
    for sound in sounds:
        same(run.sent_frames(), sound.frames)
    return tell_gaps(sounds)


def judge_raw(run):
    """Bare frames of any format: in the file is what they become, without loss."""
    case = run.case
    frames = formats.noise(case.sample, case.channels, case.frames)
    run.source.write_bytes(b"".join(b"".join(frame) for frame in frames))
    order = case.order or range(case.channels)
    data = b"".join(formats.converted(case.sample, frame[i]) for frame in frames for i in order)
    silent = formats.converted(case.sample, formats.silence(case.sample)) * case.channels
    run.sent = wav.Wav(formats.in_file(case.sample), case.rate, case.channels, data, case.mask, silent)
    run.spawned("--raw", f"--format={case.sample}", f"--rate={case.rate}",
                f"--channels={case.channels}", "play", str(run.source))
    (sound,) = run.outputs()
    same(run.sent_frames(), sound.frames)
    return tell_gaps([sound])


def judge_prefix(run):
    """The driver went away early: what came out is the beginning of what was sent."""
    run.make_source()
    run.spawned("play", str(run.source))
    (sound,) = run.outputs()
    if not sound.frames:
        raise Fault("no frame came out")
    same(run.sent_frames()[:len(sound.frames)], sound.frames)
    return tell_gaps([sound])


def judge_repeat(run):
    """Played three times over, from SET_PARAMS to RELEASE."""
    run.make_source()
    run.spawned("play", str(run.source))
    sounds = run.outputs()
    same(run.sent_frames() * 3, [frame for sound in sounds for frame in sound.frames])
    return tell_gaps(sounds)


def judge_after_reset(run):
    """The device was reset in the middle: a beginning came out, and then everything."""
    run.make_source()
    run.spawned("play", str(run.source))
    sounds = run.outputs()
    frames = [frame for sound in sounds for frame in sound.frames]
    want = run.sent_frames()
    before = len(frames) - len(want)
    if before <= 0:
        raise Fault(f"{len(frames)} frames came out, no more than {len(want)}")
    same(want[:before], frames[:before])
    same(want, frames[before:])
    return tell_gaps(sounds)


def record(run, *options):
    """Record with the probe; the frames, and the Sound that they are without silence."""
    case, target = run.case, run.folder / "recorded.wav"
    run.make_source()
    shape = [f"--format={case.sample}", f"--rate={case.rate}", f"--channels={case.channels}"]
    if not any(option.startswith("--frames=") for option in case.options):
        shape.append(f"--frames={case.frames}")
    run.spawned("record", str(target), *shape, *options)
    got = wav.read(target)
    run.check_format(target.name, got)
    size = got.frame_bytes
    return [got.data[at:at + size] for at in range(0, len(got.data), size)], wav.Sound(got)


def judge_record(run):
    """What is recorded is the file, from its first frame on."""
    frames, sound = record(run)
    if frames and frames[0] != run.sent_frames()[0]:
        raise Fault("the recording does not begin with the file")
    same(run.sent_frames()[:len(sound.frames)], sound.frames)
    if len(frames) != run.case.frames:
        raise Fault(f"{len(frames)} frames recorded")
    return tell_gaps([sound])


def judge_record_loop(run):
    """The file over and over, without a seam."""
    frames, _ = record(run)
    want = run.sent_frames() * (len(frames) // run.case.frames + 1)
    same(want[:len(frames)], frames)
    return ""


def judge_record_end(run):
    """The whole file, and silence behind it."""
    frames, sound = record(run)
    same(run.sent_frames(), sound.frames)
    if len(frames) <= len(sound.frames):
        raise Fault("no silence after the end")
    return tell_gaps([sound])


def judge_record_overrun(run):
    """Frames are lost in one piece, and what comes before and after is whole and in order."""
    frames, _ = record(run)
    want = run.sent_frames()
    first = next((at for at, (a, b) in enumerate(zip(want, frames)) if a != b), len(frames))
    rest = frames[first:]
    if not rest:
        raise Fault("nothing was lost")
    if rest[0] not in want:
        raise Fault(f"frame {first} was never in the file")
    at = want.index(rest[0])
    same(want[at:at + len(rest)], rest)
    if not 4800 < at - first < 24000:
        raise Fault(f"{at - first} frames were lost")
    return f" # {at - first} frames lost at {first}"


def judge_record_and_play(run):
    """Both directions at once, neither disturbed."""
    frames, sound = record(run, f"--play={run.source}")
    same(run.sent_frames()[:len(sound.frames)], sound.frames)
    (played,) = run.outputs()
    same(run.sent_frames(), played.frames)
    return tell_gaps([sound, played])


def judge_hostile(run):
    """The daemon survives; the probe judges that itself."""
    run.spawned("hostile")
    return ""


def judge_controls(run):
    """The elements of two streams, as the probe reads them."""
    run.case.options = ("--json",)
    run.spawned("info")
    text = run.log.read_text()
    controls = json.JSONDecoder().raw_decode(text[text.index("{"):])[0]["controls"]
    names = [(c["name"], c["index"]) for c in controls]
    want = [("Master Playback", 0), ("PCM Playback", 0), ("PCM Playback", 1), ("Capture", 0)]
    if names != [(f"{name} {kind}", index) for name, index in want
                 for kind in ("Volume", "Switch")]:
        raise Fault(f"the elements are {names}")
    if controls[0]["db"] != {"min": -60.0, "max": 0.0, "step": 0.5, "mute": True}:
        raise Fault(f"the master volume's dB are {controls[0]['db']}")
    if [c["values"] for c in controls] != [[120, 120], [1]] * len(want):
        raise Fault("the mixer does not start at 0 dB")
    return ""


def judge_terminated(run):
    """SIGTERM in the middle: the daemon ends well, and so does its file."""
    run.make_source()
    socket = run.folder / "socket"
    with open(run.log, "a") as log:
        daemon = processes.start(run.daemon_command(socket), log)
        try:
            wait_for(socket.exists, "the daemon's socket")
            probe = processes.start(
                [*run.probe_command([f"--socket-path={socket}"], "play"), str(run.source)], log)
            try:
                wait_for(lambda: some_output(run.folder), "sound in the file")
                daemon.send_signal(signal.SIGTERM)
                status = run.wait(daemon, "vhost-user-snd")
            finally:
                processes.end(probe)
        finally:
            processes.end(daemon)
    if status:
        raise Fault(f"vhost-user-snd: exit status {status}")
    (sound,) = run.outputs()
    same(run.sent_frames()[:len(sound.frames)], sound.frames)
    return tell_gaps([sound])


def some_output(folder):
    return any(path.stat().st_size > 1000 for path in folder.glob("out-*.wav"))


def wait_for(condition, what):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise Fault(f"{what} did not come within 10 s")


def play_case(case, args):
    """The line that tells how a case went."""
    with tempfile.TemporaryDirectory(prefix="vsnd-probe-") as name:
        run = Run(case, args.build, pathlib.Path(name))
        try:
            note = globals()[f"judge_{case.check}"](run)
            return f"ok probe {case.name}{note}"
        except Fault as fault:
            keep(run, args)
            return f"not ok probe {case.name}: {fault}" + told(run.log)


def told(log):
    """The end of a failed case's log, indented."""
    if not log.exists():
        return ""
    return "".join(f"\n   | {line}" for line in log.read_text(errors="replace").splitlines()[-15:])


def keep(run, args):
    if args.keep:
        target = args.keep / run.case.name.replace(" ", "_").replace(",", "")
        target.mkdir(parents=True, exist_ok=True)
        for path in run.folder.iterdir():
            if path.is_file():
                (target / path.name).write_bytes(path.read_bytes())


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--quick", action="store_true", help="fewer cases, for slow builds")
    parser.add_argument("-k", metavar="WORD", default="", help="cases with this in their name")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--keep", type=pathlib.Path, help="where failed cases leave their files")
    args = parser.parse_args()
    args.build = args.build.resolve()
    return args


def stop(*_):
    processes.end_all()
    os._exit(143)


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, stop)
    chosen = [case for case in cases.all_cases()
              if (case.quick or not args.quick) and args.k in case.name]
    failed = not chosen
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for line in pool.map(lambda case: play_case(case, args), chosen):
            print(line, flush=True)
            failed |= line.startswith("not ok")
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        processes.end_all()
