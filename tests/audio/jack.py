#!/usr/bin/env python3
"""Play to and record from vhost-user-snd through a JACK of our own, sample by sample.

usage: tests/audio/jack.py --build=DIR [-k WORD] [--quick] [--keep]

The server's samples are floats, which hold 16 and 24 bits exactly, so what comes out
must be what went in.  A server that is killed or stopped may lose what was played or
recorded meanwhile, and nothing else.  How samples are compared: rig.py.
"""

import array
import cmath
import contextlib
import json
import math
import random
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import rig
import server_cases
from jack_gain import gain
from jack_host import Host
from pipewire_change import check_two

import wav

FULL = 1 << 31


def exact(name, build, host, *, period, frames, buffer=None, seconds=3):
    host.cycle = frames
    host.start()
    with rig.playing(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
        heard = host.kill(strict=True)
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    rig.check_exact(name, guest, heard)


class Recorder(rig.Guest):
    """A daemon, and a driver that records in 32 bits."""

    def order(self, host):
        self.path = host.folder / "recorded.wav"
        return "--format=S32", f"--seconds={self.seconds}", "record", str(self.path)

    def runs(self):
        """(at, first number, how many) of each run of frames that were played in a row."""
        samples = array.array("i", wav.read(self.path).data)
        left, right = samples[0::2], samples[1::2]
        if any(l != -r for l, r in zip(left, right)):
            raise rig.Fault("frames that were never played")
        self.frames = len(left)
        return list(runs([sample // 256 if sample % 256 == 0 else 0 for sample in left]))

    def heard_at(self, frame):
        """When it was recorded.  From the end: the guest's clock lags after an absence."""
        return self.ended - (self.frames - frame) / rig.RATE


def runs(numbers):
    at = 0
    while at < len(numbers):
        end = at + 1
        while end < len(numbers) and numbers[at] and numbers[end] == numbers[end - 1] + 1:
            end += 1
        if numbers[at]:
            yield at, numbers[at], end - at
        at = end


@contextlib.contextmanager
def recording(*args):
    guest = Recorder(*args)
    try:
        yield guest
    finally:
        guest.close()


def record(name, build, host, *, period, frames, buffer=None, seconds=2):
    host.cycle, host.what = frames, "count"
    host.start()
    with recording(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
        host.check_tap()
    found = guest.runs()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}; sound "
             f"from frame {found[0][0] if found else None} on")
    if len(found) != 1 or found[0][0] + found[0][2] != rig.RATE * seconds:
        raise rig.Fault(f"lost or doubled (at, number, how many): {found[:6]}")


def record_restart(name, build, host):
    host.what = "count"
    host.start()
    with recording(build, host, 5, 480) as guest:
        guest.until(1.5)
        host.kill()
        guest.until(2.5)
        host.start()
        guest.finish()
    found = guest.runs()
    if len(found) != 2 or sum(run[2] for run in found) < 2 * rig.RATE:
        raise rig.Fault("more is missing than while the server was away (at, number, how many): "
                        f"{found[:6]}")
    server_cases.tell_return(name, guest.heard_at(found[1][0]) - host.started, "the server's last start", "; silence from frame "
                             f"{found[0][2] + found[0][0]} to {found[1][0]}")


def record_stopped(name, build, host):
    host.what = "count"
    host.start()
    with recording(build, host, 6, 480) as guest:
        guest.until(1.5)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(3)
        went_on = time.monotonic()
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
    found = guest.runs()
    rig.tell(name, f"longest gap between completions {report['gap_ms']['max']:.0f} ms; "
             f"recorded (at, number, how many): {found[:6]}")
    if report["gap_ms"]["max"] > 500:
        raise rig.Fault("the guest's clock stood still")
    # A server that makes up for its lost cycles is not followed in all of them.
    ends = [end for at, number, count in found for end in (number, number + count - 1)]
    if ends != sorted(ends) or sum(count for _, _, count in found) < 3.5 * rig.RATE:
        raise rig.Fault("lost or doubled")
    back = next(at for at, _, _ in found if at > 2 * rig.RATE)
    server_cases.tell_return(name, guest.heard_at(back) - went_on, "the server went on")


def frozen(name, build, host):
    """The server stops and never goes on: no START, no RELEASE and no end of the daemon waits for it."""
    host.start()
    with rig.playing(build, host, 1, 480, None, "--repeat=5") as guest:
        guest.until(0.5)
        host.server.send_signal(signal.SIGSTOP)
        report = guest.finish()
    rig.tell(name, f"longest gap between completions {report['gap_ms']['max']:.0f} ms")
    if report["gap_ms"]["max"] > 500:
        raise rig.Fault("the guest's clock stood still")


def silent_at_start(name, build, host):
    """The server does not answer while the guest starts."""
    host.start()
    host.server.send_signal(signal.SIGSTOP)
    with rig.playing(build, host, 6, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGCONT)
        guest.finish()
        heard = host.kill()
    rig.tell(name, f"heard from frame {rig.check_tail(guest, heard, 5 * rig.RATE)} on")


class Deep(rig.Guest):
    """Plays 24 bits, in samples of 32."""

    def order(self, host):
        rng = random.Random(self.seconds)
        self.samples = array.array("i", (rng.randrange(-1 << 23, 1 << 23) << 8 or 256
                                         for _ in range(2 * rig.RATE * self.seconds)))
        path = host.folder / "source.wav"
        wav.Wav("S32", rig.RATE, 2, self.samples.tobytes()).write(path)
        return "play", str(path)


def deep(name, build, host):
    host.what = "hear-float"
    host.start()
    guest = Deep(build, host, 2, 480)
    with contextlib.closing(guest):
        guest.finish()
        floats = array.array("f", host.kill(strict=True))
    heard = [int(sample * FULL) for sample in floats if sample]
    if heard != list(guest.samples):
        raise rig.Fault("what was heard is not what was sent")


class Tone(rig.Guest):
    """Plays 1000 Hz at a rate that is not the server's."""

    rate = 44100

    def order(self, host):
        samples = array.array("h")
        for n in range(self.rate * self.seconds):
            samples.extend([round(20000 * math.sin(2 * math.pi * 1000 * n / self.rate))] * 2)
        path = host.folder / "source.wav"
        wav.Wav("S16", self.rate, 2, samples.tobytes()).write(path)
        return "play", str(path)


def tone_distance_db(samples, rate):
    """How far what is no tone of 1000 Hz and steady phase is below it."""
    turn = [cmath.exp(-2j * math.pi * 1000 * n / rate) for n in range(rate // 1000)]
    unit = [turn[n % len(turn)] for n in range(len(samples))]
    level = sum(s * u for s, u in zip(samples, unit)) * 2 / len(samples)
    rest = sum((s - (level * u.conjugate()).real) ** 2 for s, u in zip(samples, unit))
    return 10 * math.log10(abs(level) ** 2 / 2 * len(samples) / rest)


def resampled(name, build, host):
    host.what = "hear-float"
    host.start()
    with contextlib.closing(Tone(build, host, 2, 441)) as guest:
        report = guest.finish()
        left = array.array("f", host.kill(strict=True))[0::2]
    sound = [n for n, sample in enumerate(left) if abs(sample) > 1e-3]
    length = sound[-1] - sound[0] + 1
    middle = left[sound[0] + 4800:sound[-1] - 4800]
    distance_db = tone_distance_db(middle[:len(middle) // 48 * 48], rig.RATE)
    rig.tell(name, f"{length} frames heard of {2 * rig.RATE}, all else {distance_db:.1f} dB below "
             f"the tone; latency bytes {report['latency_bytes']}")
    if distance_db < 80 or abs(length - 2 * rig.RATE) > 100:
        raise rig.Fault("not the tone that was sent")


class Slow(Recorder):
    """Records at a rate that is not the server's."""

    rate = 44100

    def order(self, host):
        return f"--rate={self.rate}", *super().order(host)

    def samples(self):
        return array.array("i", wav.read(self.path).data)[0::2]


def recorded_slow(name, build, host):
    """What counts by one a frame counts faster, and as evenly, when it is recorded at a lower rate."""
    host.what = "count"
    host.start()
    with contextlib.closing(Slow(build, host, 2, 441)) as guest:
        report = guest.finish()
        host.check_tap()
    found = [sample / 256 for sample in guest.samples()[4410:-441]]
    step = rig.RATE / guest.rate
    off = max(abs(found[0] + n * step - number) for n, number in enumerate(found))
    rig.tell(name, f"numbers are off by {off:.3f} at most; latency bytes {report['latency_bytes']}")
    # Of 2^23: what the resampler does to a ramp that is far from 0.
    if not found[0] or off > 8:
        raise rig.Fault("not what was played")


def ports(host, client="vhost-user-snd"):
    """Name of each port of the daemon's, and what it is connected to."""
    found = {}
    for line in host.tool("jack_lsp", "-c").splitlines():
        if not line.startswith(" "):
            last = found.setdefault(line, [])
        else:
            last.append(line.strip())
    return {name.partition(":")[2]: peers for name, peers in found.items()
            if name.startswith(f"{client}:")}


def names(name, build, host):
    """Ports are there while they are wanted, by their names, and connected where they should be."""
    long = "vhost-user-snd" + "x" * 80
    host.options = ("--audio=jack", "--target-in=system:capture_2,system:capture_1",
                    "--capture=on", f"--name={long}")
    host.start()
    with rig.playing(build, host, 1, 480) as guest:
        guest.until(0.6)
        playing = ports(host, long[:63])
        guest.finish()
        time.sleep(0.5)
        after = ports(host)
    host.options = host.options[:-1]
    with contextlib.closing(Recorder(build, host, 1, 480)) as guest:
        guest.until(0.6)
        recording = ports(host)
        guest.probe.wait(10)
        time.sleep(0.3)
        rested = ports(host)
    if playing != {"playback_0_FL": ["system:playback_1"], "playback_0_FR": ["system:playback_2"]}:
        raise rig.Fault(f"ports while it plays: {playing}")
    if recording != {"capture_1_FL": ["system:capture_2"], "capture_1_FR": ["system:capture_1"]}:
        raise rig.Fault(f"ports while it records: {recording}")
    if after or rested:
        raise rig.Fault(f"ports that have stayed: {after}, {rested}")


def denied(name, build, host):
    """A recording that is not allowed has no ports, and is silence at its pace."""
    host.options = ("--audio=jack", "--target-in=tap")
    host.what = "count"
    host.start()
    with contextlib.closing(Recorder(build, host, 1, 480)) as guest:
        guest.until(0.6)
        there = ports(host)
        guest.finish()
    if host.told("stream 1 records silence") != 1:
        raise rig.Fault("it was not told once")
    if there or guest.runs():
        raise rig.Fault(f"recorded {guest.runs()[:3]} from ports {there}")


def allowed(name, build, host):
    """Denied, allowed, and denied again while it records: the ports come and go."""
    host.options = ("--audio=jack", "--target-in=tap")
    host.what = "count"
    host.start()
    with contextlib.closing(Recorder(build, host, 3, 480)) as guest:
        seen = []
        for second, command in enumerate(("allow", "deny"), 1):
            guest.until(second)
            guest.control(command, "input")
            guest.until(second + 0.5)
            seen.append(sorted(ports(host)))
        guest.finish()
    found = guest.runs()
    rig.tell(name, f"recorded (at, number, how many): {found}")
    if seen != [["capture_1_FL", "capture_1_FR"], []]:
        raise rig.Fault(f"ports when it was allowed, and denied again: {seen}")
    # The device fades, so the last frames are none that were played.
    if not found or not rig.RATE * 0.8 < found[0][2] < rig.RATE * 1.2:
        raise rig.Fault("not what was played while it was allowed")


def chosen(build, host, log):
    """What --audio=auto takes, and how long it thinks."""
    began = time.monotonic()
    socket = host.folder / "auto.sock"
    daemon = host.spawn(str(build / "vhost-user-snd"), f"--socket-path={socket}", "--audio=auto",
                        "--log-level=info", stdout=subprocess.DEVNULL)
    host.wait_for("the daemon", socket.exists)
    taken = time.monotonic() - began
    daemon.terminate()
    if daemon.wait(3) != 0:
        raise rig.Fault(f"the daemon's exit status is {daemon.returncode}")
    said = [line for line in log.read_text().splitlines() if "--audio=auto" in line]
    return said[-1].split()[-1], taken


def auto(name, build, host):
    """--audio=auto asks JACK, and does not wait for one that does not answer."""
    log = host.folder / "host.log"
    without, _ = chosen(build, host, log)
    host.start()
    there, _ = chosen(build, host, log)
    host.server.send_signal(signal.SIGSTOP)
    stopped, taken = chosen(build, host, log)
    rig.tell(name, f"a server that does not answer is given up after {taken:.2f} s")
    if (without, there, stopped) != ("null", "jack", "null") or taken > 3:
        raise rig.Fault(f"without a server {without}, with one {there}, with a stopped one {stopped}")


def cycles_change(name, build, host):
    host.start()
    with rig.playing(build, host, 4, 480, 4800) as guest:
        for second, frames in enumerate((1024, 64, 4096), 1):
            guest.until(second)
            host.tool("jack_bufsize", str(frames))
        guest.finish()
        heard = host.kill()
    rig.check_exact(name, guest, heard)


def late_target(name, build, host):
    """A target that comes while the guest plays is connected; what is disconnected stays so."""
    host.start_server()
    with rig.playing(build, host, 3, 480) as guest:
        guest.until(1)
        host.start_tap()
        time.sleep(0.5)
        there = ports(host)
        host.tool("jack_disconnect", "vhost-user-snd:playback_0_FL", "tap:in_1")
        time.sleep(0.5)
        without = ports(host)
        guest.finish()
    if host.told("stream 0 is not connected: no port is tap") != 1:
        raise rig.Fault("it was not told once that the target is not there")
    if there != {"playback_0_FL": ["tap:in_1"], "playback_0_FR": ["tap:in_2"]}:
        raise rig.Fault(f"with a target that came late: {there}")
    if without != {"playback_0_FL": [], "playback_0_FR": ["tap:in_2"]}:
        raise rig.Fault(f"after the first was disconnected: {without}")


def target_returns(name, build, host):
    """The target ends, as a device that is unplugged, and is there again."""
    host.start()
    with rig.playing(build, host, 5, 480) as guest:
        guest.until(1.5)
        host.tap.send_signal(signal.SIGHUP)
        host.tap.wait(5)
        before = host.fifo.close()
        guest.until(3)
        back = time.monotonic()
        host.start_tap()
        report = guest.finish()
        heard = host.kill()
    check_two(name, guest, before + heard, report)
    server_cases.tell_return(name, host.fifo.sound_at - back, "the target was started again")


def xruns(name, build, host):
    """Another client holds the server up for 60 ms, again and again."""
    host.start()
    other = host.run("jack_metro", "-b", "120")
    time.sleep(0.3)
    with rig.playing(build, host, 3, 480, 4800) as guest:
        for n in range(5):
            guest.until(0.7 + 0.4 * n)
            other.send_signal(signal.SIGSTOP)
            time.sleep(0.06)
            other.send_signal(signal.SIGCONT)
        report = guest.finish()
        heard = host.kill()
    rig.tell(name, f"longest gap between completions {report['gap_ms']['max']:.0f} ms")
    rig.check_exact(name, guest, heard)


FORBIDDEN = ("alloc", "free", "mutex", "cond", "rwlock", "sem_wait", "log", "read", "write", "socket",
             "poll", "sleep")


def real_time(name, build, host):
    """JACK's thread, while it plays: one notification a period, and nothing else that may wait."""
    host.start()
    counts = host.folder / "rt.json"
    plain = dict(host.env)
    # The driver is counted, too, but ends before the daemon, which writes last.
    host.env |= {"LD_PRELOAD": str(build / "tests/rt/rtcheck.so"), "VSND_RTCHECK_OUT": str(counts),
                 "VSND_RTCHECK_FROM": "2", "VSND_RTCHECK_UNTIL": "4"}
    with rig.playing(build, host, 5, 480) as guest:
        guest.finish()
    host.env = plain
    threads = json.loads(counts.read_text())["threads"]
    audio = max(threads, key=lambda thread: thread["eventfd_write"])
    done = {what: audio[what] for what in FORBIDDEN if audio[what]}
    rig.tell(name, f"{audio['eventfd_write']} notifications in 200 periods")
    if done or not 150 < audio["eventfd_write"] <= 205:
        raise rig.Fault(f"{audio['eventfd_write']} notifications, and {done}")


# Periods in frames, of the guest and of the server.
PLAYED = ((48, 48), (120, 64), (240, 128), (480, 1024), (960, 256))
RECORDED = ((48, 64), (120, 128), (240, 48), (480, 256), (960, 1024))


def cases(quick):
    for period, frames in () if quick else PLAYED:     # and longer: minute.py
        yield (f"jack: played, periods of {period / 48:g} ms, cycles of {frames} frames",
               lambda n, b, h, p=period, f=frames: exact(n, b, h, period=p, frames=f))
    for period, frames in () if quick else RECORDED:
        yield (f"jack: recorded, periods of {period / 48:g} ms, cycles of {frames} frames",
               lambda n, b, h, p=period, f=frames: record(n, b, h, period=p, frames=f))
    yield ("jack: a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, frames=8192))
    yield "jack: the server is killed and comes back", server_cases.restart
    yield "jack: the server is killed and comes back, while recording", record_restart
    yield "jack: the server is stopped for 2 s", server_cases.stopped
    yield "jack: the server is stopped while recording", record_stopped
    yield "jack: the target goes and comes back", target_returns
    yield "jack: a tone of 44100 Hz", resampled
    yield "jack: no server at the start", server_cases.absent
    yield ("jack: the server has just stopped, and nobody waits",
           lambda n, b, h: server_cases.neighbours(n, b, h, late_ms=600))
    yield "jack: names of ports, and what they are connected to", names
    yield "jack: a recording that is not allowed", denied
    yield "jack: vsndctl's volume and mute", gain
    if quick:
        return
    yield "jack: a recording that is allowed while it goes on", allowed
    yield ("jack: recorded, a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: record(n, b, h, period=480, buffer=960, frames=8192, seconds=4))
    yield "jack: --audio=auto", auto
    yield "jack: what the audio thread does", real_time
    yield ("jack: a cycle of 32 frames",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, frames=32))
    yield "jack: cycles of 256, 1024, 64 and 4096 frames", cycles_change
    yield "jack: another client makes xruns", xruns
    yield "jack: a target that comes while the guest plays", late_target
    yield "jack: 24 bits", deep
    yield "jack: recorded at 44100 Hz", recorded_slow
    yield "jack: a RELEASE that does not wait", server_cases.release
    yield "jack: the server is stopped for good", frozen
    yield "jack: the server does not answer at the start", silent_at_start


if __name__ == "__main__":
    sys.exit(rig.main(Host, cases))
