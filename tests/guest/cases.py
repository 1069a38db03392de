"""The guest tests.  Each takes the rig and the length of a stream in seconds, and returns what is worth a note."""

import contextlib
import os
import re
import sys
import time
from fnmatch import fnmatch

import compare
import wavs
from procs import Child
from rig import KILLED, Failed

S16, S32 = 2, 4
STEREO = wavs.Format(S16, 2, 48000)
SLACK_S = 15  # what a stream may take beyond its length before it counts as stalled

# A blocking aplay gives up by itself: since Linux 6.6 a write fails when the
# guest's clock has run on for 100 ms without an interrupt, as it has after a
# SIGSTOP of QEMU, or when a loaded host starved the guest.  That says nothing
# of the device, so the stall tests wait by polling, and a stall is a stream
# that does not end.
POLLING = "-N"

# period/buffer in frames at which devices have been seen to stall
STALL_SIZES = [(480, 960), (240, 480), (96, 384), (96, 192), (48, 768), (480, 1920)]
SIZES = [(48, 96), (64, 256), (1024, 4096), (441, 1323)]

tests = {}
_seed = 0


def test(name):
    """Enter a test in the list."""
    def enter(function):
        tests[name] = function
        return function
    return enter


def select(patterns):
    return {name: f for name, f in tests.items()
            if not patterns or any(fnmatch(name, f"*{p}*") for p in patterns)}


def fresh_content(fmt, frames):
    """Different in every test, so that a frame of an earlier one is never taken for right."""
    global _seed
    _seed += 1
    return wavs.content(_seed, fmt, frames)


# -- playing and judging

class Stream:
    """One playback: its content, in the guest under a name of its own."""

    def __init__(self, rig, fmt, frames, options="", device=0):
        self.rig, self.fmt, self.frames = rig, fmt, frames
        self.name = f"{id(self):x}.wav"
        self.data = fresh_content(fmt, frames)
        self.command = rig.aplay(self.name, fmt, options, device)
        rig.put(self.name, fmt, self.data)

    @property
    def limit_s(self):
        return int(3 * self.frames / self.fmt.rate) + SLACK_S

    def start(self, command=None):
        self.ticket = self.rig.guest.start(command or self.command, self.limit_s)

    def finish(self):
        """aplay's output, which must have ended well."""
        done = self.rig.guest.finish(self.ticket, self.limit_s + 30)
        self.rig.forget(self.name)
        if done.status == KILLED:
            raise Failed(f"stalled: no end after {self.limit_s} s; {self.arrived()}")
        if done.status != 0:
            raise Failed(f"aplay: status {done.status}: {summary(done.text)}; {self.arrived()}")
        return done

    def arrived(self):
        return self.rig.judge(self.fmt, self.data)

    def exact(self):
        result = self.arrived()
        if not result.exact:
            raise Failed(str(result))
        return note(result)

    def exact_prefix(self):
        result = self.arrived()
        if not result.exact_prefix:
            raise Failed(f"not a prefix of what was sent: {result}, {result.lost_tail} of it the tail")
        return f"{result.received} of {result.sent} frames"


def actual_sizes(text):
    """(period, buffer) in frames, as aplay -v tells them; of the hardware, which comes last."""
    found = [re.findall(rf"^ *{name}_size *: *(\d+)", text, re.MULTILINE) for name in ("period", "buffer")]
    return tuple(int(numbers[-1]) for numbers in found)


def summary(text):
    """aplay's complaints in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    others = [line for line in lines if "underrun" not in line]
    return "; ".join(others[-1:] + [f"{len(lines) - len(others)} underruns"])


def note(result):
    return f"{len(result.gaps)} gaps, {sum(result.gaps)} frames" if result.gaps else ""


def play(rig, fmt, frames, options="", disturb=None):
    """Play to the end, with something done meanwhile; every frame must arrive.  (remarks, aplay's words)."""
    rig.out.mark()
    stream = Stream(rig, fmt, frames, options)
    stream.start()
    if disturb:
        disturb(rig)
    said = stream.finish().text
    return stream.exact(), said


def play_sizes(rig, seconds, period, buffer, options="", disturb=None):
    """With sizes that the driver must really have taken."""
    frames = max(int(seconds * STEREO.rate), buffer + period // 2)
    options += f" --period-size={period} --buffer-size={buffer}"
    noted, said = play(rig, STEREO, frames, options, disturb)
    return actual_sizes(said), noted


def play_exactly(rig, seconds, period, buffer, options="", disturb=None):
    sizes, noted = play_sizes(rig, seconds, period, buffer, options, disturb)
    if sizes != (period, buffer):
        raise Failed(f"asked for {period}/{buffer} frames, the driver took {sizes[0]}/{sizes[1]}")
    return noted


def interrupted(rig, seconds, interrupt):
    """Start a stream and break it off; what had arrived must be a prefix."""
    rig.out.mark()
    stream = Stream(rig, STEREO, int((seconds + 5) * STEREO.rate))
    stream.start()
    time.sleep(seconds / 2)
    interrupt(rig, stream)
    return stream.exact_prefix()


def then_play(rig, seconds):
    return play(rig, STEREO, int(seconds * STEREO.rate))[0]


# -- formats

def format_test(fmt):
    def run(rig, seconds):
        return play(rig, fmt, int(seconds * fmt.rate) + 17)[0]
    test(f"format-{fmt}")(run)


for _width in (S16, S32):
    for _channels in (1, 2):
        for _rate in (44100, 48000):
            format_test(wavs.Format(_width, _channels, _rate))


# -- sizes

def size_test(period, buffer):
    def run(rig, seconds):
        return play_exactly(rig, seconds, period, buffer)
    test(f"size-{period}-{buffer}")(run)


for _size in SIZES:
    size_test(*_size)


@test("size-smallest")
def size_smallest(rig, seconds):
    period = rig.limits["PERIOD_SIZE"][0]
    sizes, noted = play_sizes(rig, seconds, period, 2 * period)
    return f"{sizes[0]}/{sizes[1]} frames; {noted}"


@test("size-largest")
def size_largest(rig, seconds):
    buffer = rig.limits["BUFFER_SIZE"][1]
    sizes, noted = play_sizes(rig, seconds, min(rig.limits["PERIOD_SIZE"][1], buffer // 2), buffer)
    return f"{sizes[0]}/{sizes[1]} frames; {noted}"


# -- a stream's end, its neighbour, its owner

@test("drain")
def drain(rig, _seconds):
    """To the very last frame, wherever that lies in its period."""
    for frames in (1, 31, 479, 480, 481, 4801, 23999, 24000):
        play(rig, STEREO, frames, "--period-size=480 --buffer-size=1920")


@test("two-at-once")
def two_at_once(rig, seconds):
    if len(rig.devices) < 2:
        raise Failed(f"the guest sees {len(rig.devices)} playback stream(s)")
    rig.out.mark()
    streams = [Stream(rig, STEREO, int(seconds * STEREO.rate), device=n) for n in (0, 1)]
    for stream in streams:
        stream.start()
    for stream in streams:
        stream.finish()
    return "; ".join(filter(None, [stream.exact() for stream in streams]))


@test("pause-resume")
def pause_resume(rig, seconds):
    """aplay pauses on a key, from a terminal only."""
    rig.out.mark()
    stream = Stream(rig, STEREO, int((seconds + 2) * STEREO.rate), "-i")
    stream.start(f"{stream.command} </dev/hvc0")
    for _ in range(2):
        time.sleep(1)
        rig.guest.press(" ")
        time.sleep(0.7)
        rig.guest.press(" ")
    done = stream.finish()
    if done.text.count("PAUSE") < 2:
        raise Failed(f"aplay did not pause: {done.text.strip()!r}")
    return stream.exact()


@test("killed")
def killed(rig, seconds):
    def kill(rig, stream):
        rig.guest.check("killall -9 aplay")
        rig.guest.finish(stream.ticket)
    return f"{interrupted(rig, seconds, kill)}; then {then_play(rig, seconds) or 'complete'}"


# -- the driver goes

def reload_module(rig, stream):
    if rig.guest.run("rmmod virtio_snd").status == 0:
        raise Failed("rmmod went through although the device is in use")
    rig.guest.check("killall -9 aplay")
    rig.guest.finish(stream.ticket)
    rig.guest.check("rmmod virtio_snd")
    rig.probe()


def unbind(rig, stream):
    rig.guest.check("cd /sys/bus/virtio/drivers/virtio_snd && d=$(echo virtio*) && "
                    "echo $d >unbind && echo $d >bind")
    rig.guest.finish(stream.ticket)
    rig.guest.check("rmmod virtio_snd")
    rig.probe()


def guest_reboot(rig, _stream):
    rig.guest.reboot()
    rig.probe()


def reset(rig, _stream):
    rig.guest.reset()
    rig.probe()


for _name, _interrupt in (("module-reload", reload_module), ("driver-unbind", unbind),
                          ("guest-reboot", guest_reboot), ("system-reset", reset)):
    def _run(rig, seconds, interrupt=_interrupt):
        before = interrupted(rig, seconds, interrupt)
        return f"{before}; then {then_play(rig, seconds) or 'complete'}"
    test(_name)(_run)


# -- the whole machine stands still

def stop_cont(rig, pause_s=0.5):
    time.sleep(0.7)
    rig.guest.pause()
    time.sleep(pause_s)
    rig.guest.resume()


def sigstop(rig, pause_s=2):
    time.sleep(0.7)
    rig.guest.freeze()
    time.sleep(pause_s)
    rig.guest.thaw()


@test("stop-cont")
def stop_cont_test(rig, seconds):
    def disturb(rig):
        stop_cont(rig, 1.5)
        stop_cont(rig, 0.01)
    return play(rig, STEREO, int(seconds * STEREO.rate), disturb=disturb)[0]


# -- no stall

@contextlib.contextmanager
def busy_host(rig):
    loops = [Child([sys.executable, "-c", "while True: pass"], rig.work / "load.log")
             for _ in range(os.cpu_count() or 2)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()


def under_load(rig, *args):
    with busy_host(rig):
        return play_exactly(rig, *args, POLLING)


def disturbed_by(disturb):
    def run(rig, *args):
        return play_exactly(rig, *args, POLLING, disturb)
    return run


def short_sigstop(rig, *args):
    """Longer than any of the buffers and shorter than a blocking write's patience."""
    return play_exactly(rig, *args, disturb=lambda rig: sigstop(rig, 0.06))


CONDITIONS = {"idle": play_exactly, "loaded": under_load,
              "stop-cont": disturbed_by(stop_cont), "sigstop": disturbed_by(sigstop),
              "short-sigstop": short_sigstop}


def stall_test(period, buffer, condition):
    def run(rig, seconds):
        return CONDITIONS[condition](rig, seconds, period, buffer)
    test(f"stall-{period}-{buffer}-{condition}")(run)


for _size in STALL_SIZES:
    for _condition in CONDITIONS:
        stall_test(*_size, _condition)


# -- recording

class Recording:
    """One arecord of a sound that the host speaks from its first frame on."""

    def __init__(self, rig, fmt, frames, options=""):
        self.rig, self.fmt, self.frames = rig, fmt, frames
        self.name = f"{id(self):x}-in.wav"
        self.data = fresh_content(fmt, frames + fmt.rate)
        self.limit_s = int(3 * frames / fmt.rate) + SLACK_S
        rig.speak(fmt, self.data)
        self.ticket = rig.guest.start(rig.arecord(self.name, fmt, frames, options), self.limit_s)

    def exact(self):
        """All of it arrived, once and in order, from the first frame on."""
        done = self.rig.guest.finish(self.ticket, self.limit_s + 30)
        if done.status == KILLED:
            raise Failed(f"stalled: no end after {self.limit_s} s")
        if done.status != 0 or "overrun" in done.text:
            raise Failed(f"arecord: status {done.status}: {summary(done.text)}")
        fmt, got = self.rig.fetch(self.name)
        if fmt != self.fmt or len(got) != self.frames * fmt.frame:
            raise Failed(f"{len(got) // fmt.frame} frames of {fmt} recorded")
        result = compare.compare(self.data[:len(got)], got, fmt.frame)
        if result.gaps:     # silence takes the place of frames that come later
            result = compare.compare(self.data[:len(got) - sum(result.gaps) * fmt.frame], got, fmt.frame)
        if not result.exact:
            raise Failed(str(result))
        return note(result)


def record(rig, fmt, frames, options="", disturb=None):
    recording = Recording(rig, fmt, frames, options)
    if disturb:
        disturb(rig)
    return recording.exact()


def record_test(fmt):
    def run(rig, seconds):
        return record(rig, fmt, int(seconds * fmt.rate) + 17)
    test(f"record-{fmt}")(run)


for _width in (S16, S32):
    for _channels in (1, 2):
        record_test(wavs.Format(_width, _channels, 48000))
record_test(wavs.Format(S16, 2, 44100))


@test("record-sizes")
def record_sizes(rig, seconds):
    for period, buffer in ((480, 1920), (441, 1323), (1024, 4096), (96, 1920)):
        record(rig, STEREO, int(seconds * STEREO.rate), f"--period-size={period} --buffer-size={buffer}")


@test("record-and-play")
def record_and_play(rig, seconds):
    rig.out.mark()
    frames = int(seconds * STEREO.rate)
    stream, recording = Stream(rig, STEREO, frames), Recording(rig, STEREO, frames)
    stream.start()
    stream.finish()
    return "; ".join(filter(None, (stream.exact(), recording.exact())))


@test("record-stop-cont")
def record_stop_cont(rig, seconds):
    def disturb(rig):
        stop_cont(rig, 1.5)
        stop_cont(rig, 0.01)
    return record(rig, STEREO, int((seconds + 1) * STEREO.rate), disturb=disturb)


@test("record-killed")
def record_killed(rig, seconds):
    recording = Recording(rig, STEREO, int((seconds + 5) * STEREO.rate))
    time.sleep(1)
    rig.guest.check("killall -9 arecord")
    rig.guest.finish(recording.ticket)
    return record(rig, STEREO, int(seconds * STEREO.rate))


def endures(rig, seconds, period, buffer):
    """The machine stood still for longer than the buffer: frames are lost, but the recording goes on to its end."""
    frames = int((seconds + 1) * STEREO.rate)
    recording = Recording(rig, STEREO, frames, f"{POLLING} --period-size={period} --buffer-size={buffer}")
    sigstop(rig)
    done = rig.guest.finish(recording.ticket, recording.limit_s + 30)
    if done.status == KILLED:
        raise Failed(f"stalled: no end after {recording.limit_s} s")
    if done.status != 0:
        raise Failed(f"arecord: status {done.status}: {summary(done.text)}")
    fmt, got = rig.fetch(recording.name)
    if len(got) != frames * fmt.frame:
        raise Failed(f"{len(got) // fmt.frame} of {frames} frames")
    return f"{done.text.count('overrun')} overruns"


for _size in STALL_SIZES:
    def _run(rig, seconds, size=_size):
        return endures(rig, seconds, *size)
    test(f"record-stall-{_size[0]}-{_size[1]}-sigstop")(_run)
