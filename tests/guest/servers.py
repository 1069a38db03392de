"""The guest plays to and records from real sound servers, which run here without a sound card.

The servers are those of tests/audio; what is played must come out of their sinks as
it went in.  A rig of its own for each server, whose daemon outlives what is done to it.
"""

import atexit
import importlib
import math
import os
import shlex
import struct
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import compare
from cases import SLACK_S, STEREO, Stream, play, play_exactly, summary, test
from procs import wait_until
from rig import Failed, Rig

AUDIO = Path(__file__).resolve().parents[1] / "audio"
FULL_FROM_S = 30        # a run with such streams takes its time
QUANTUM = 1024          # frames of PipeWire's cycle, which a loaded machine rarely misses
QUIET_S = 0.5           # a sink that has played no sound for so long has played all
QUIET_LIMIT_S = 10
TONES_HZ = (997, 1499)
TONE_LEVEL = 16000
BAT_RUNS = 3
SIZES = "--period-size=480 --buffer-size=1920"


def of_audio(*names):
    """Modules of tests/audio, which have a rig of their own by the same name as ours."""
    ours = sys.modules.pop("rig")
    sys.path.insert(0, str(AUDIO))
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(AUDIO))
        sys.modules["rig"] = ours


host_rig, recorder, pipewire_host, pipewire_record, pulse_host, jack_host, alsa_host = of_audio(
    "rig", "recorder", "pipewire_host", "pipewire_record", "pulse_host", "jack_host", "alsa_host")


class Heard:
    """What the server's sink has played since the mark."""

    def __init__(self, host):
        self.host, self.begin = host, 0

    def mark(self):
        self.settle()
        self.begin = len(self.host.fifo.data) // STEREO.frame * STEREO.frame

    def settle(self):
        """Until a while has brought silence at most."""
        def quiet():
            seen = len(self.host.fifo.data)
            time.sleep(QUIET_S)
            return not self.host.fifo.data[seen:].strip(b"\0")

        wait_until(quiet, QUIET_LIMIT_S, 0)

    def sound(self):
        """From its first frame to its last: what tests play has no zero byte."""
        self.settle()
        return bytes(self.host.fifo.data[self.begin:]).strip(b"\0")

    def wait(self, seconds):
        """Until so much sound has come."""
        def there():
            return len(self.host.fifo.data[self.begin:].strip(b"\0")) > seconds * STEREO.rate * STEREO.frame
        if not wait_until(there, SLACK_S + seconds, 0.1):
            raise Failed(f"not {seconds} s of sound within {SLACK_S + seconds} s")


def environment(host):
    """The words that give a daemon the host's."""
    changed = [f"{key}={value}" for key, value in host.env.items() if os.environ.get(key) != value]
    return ["env", *(f"--unset={key}" for key in os.environ if key not in host.env), *changed]


class HostedRig(Rig):
    """A guest whose daemon plays to a server."""

    def __init__(self, build, work, make_host, options):
        folder = work / "host"
        folder.mkdir()
        self.host = make_host(folder)
        self.host.build = Path(build).resolve()
        atexit.register(self.host.end_processes)
        try:
            self.start_server()
            words = [*environment(self.host), f"{build}/vhost-user-snd", "--log-level=info",
                     *options(self.host)]
            daemon = shlex.join(words).replace("{", "{{").replace("}", "}}")
            super().__init__(build, work, f"{daemon} --socket-path={{socket}} --control-path={{control}}")
        except BaseException:
            self.host.close()
            raise
        self.out = Heard(self.host)

    def start_server(self):
        self.host.start()
        if hasattr(self.host, "quantum"):
            self.host.quantum(QUANTUM)

    def judge(self, fmt, data):
        return compare.compare(data, self.out.sound(), fmt.frame)

    def close(self):
        try:
            return super().close()
        finally:
            self.host.close()


# Device 0 is heard at the sink's FIFO; device 1 plays to a sink whose monitor it records.
PIPEWIRE = f"""[stream speaker]
direction = output
target = {pipewire_host.SINK}
[stream loop]
device = 1
direction = output
target = {pipewire_host.MIC}
[stream monitor]
device = 1
direction = input
target = {pipewire_host.MIC}
capture = on
properties = stream.capture.sink=true
"""


def pipewire_options(host):
    path = host.folder / "daemon.conf"
    path.write_text(PIPEWIRE)
    return "--audio=pipewire", f"--config={path}"


def pipewire(build, work):
    return HostedRig(build, work, pipewire_host.Host, pipewire_options)


def pulse(build, work):
    return HostedRig(build, work, pulse_host.Host, lambda host: host.options)


def jack(build, work):
    return HostedRig(build, work, jack_host.Host, lambda host: host.options)


class Card(alsa_host.Host):
    """A sound card without hardware, behind ALSA's `file`, which a speaker is heard by from the start."""

    def start(self):
        super().start()
        self.use("kept", "card")
        self.fifo = self
        (self.card / "source").write_bytes(host_rig.source(recorder.NOISE_S).data)

    @property
    def data(self):
        return self.played()


def alsa(build, work):
    return HostedRig(build, work, Card, lambda host: host.options)


def server_test(name, make, tools, least_s=0):
    """Enter a test that runs on such a rig, if the tools are there; a full run's seconds are a minute."""
    def enter(function):
        def run(rig, seconds):
            try:
                return function(rig, 60 if seconds >= FULL_FROM_S else max(seconds, least_s))
            except host_rig.Fault as fault:
                raise Failed(str(fault)) from fault
        run.make_rig = make
        run.tools = tools
        return test(name)(run)
    return enter


def pipewire_test(name, least_s=0):
    return server_test(name, pipewire, pipewire_host.Host.tools, least_s)


@pipewire_test("pipewire-play", 5)
def pipewire_play(rig, seconds):
    """With sizes that are small, and with those that aplay takes by itself."""
    remarks = play_exactly(rig, seconds, 480, 1920)
    return "; ".join(filter(None, (remarks, play(rig, STEREO, seconds * STEREO.rate)[0])))


@pipewire_test("pipewire-record")
def pipewire_record_test(rig, seconds):
    """What is recorded while somebody speaks is one stretch of it, not a frame more or less."""
    seconds = min(seconds, recorder.NOISE_S - 5)
    speaker = pipewire_record.speak(rig.host)
    try:
        return record_stretch(rig, seconds, seconds - 1.5, pipewire_record.CYCLE)
    finally:
        rig.host.processes.remove(speaker)
        host_rig.end(speaker)


def record_stretch(rig, seconds, least_s, cycle):
    """One stretch of what was said, with no other silence within than whole cycles."""
    command = rig.arecord("in.wav", STEREO, seconds * STEREO.rate)
    done = rig.guest.run(command, 3 * seconds + SLACK_S)
    if done.status != 0 or "overrun" in done.text:
        raise Failed(f"arecord: status {done.status}: {summary(done.text)}")
    fmt, data = rig.fetch("in.wav")
    if fmt != STEREO or len(data) != seconds * STEREO.rate * STEREO.frame:
        raise Failed(f"{len(data) // fmt.frame} frames of {fmt} recorded")
    found, gaps = recorder.segments(data)
    recorder.check_gaps(gaps, cycle)
    if len(found) != 1 or found[0][1] < least_s * STEREO.rate:
        raise Failed(f"not one stretch of what was said: {found}, silences {gaps}")
    return f"frames {found[0][0]} to {sum(found[0])}; {len(gaps)} gaps"


def tones(seconds):
    """A tone for each channel of a stereo sound."""
    samples = [round(TONE_LEVEL * math.sin(2 * math.pi * hz * n / STEREO.rate))
               for n in range(seconds * STEREO.rate) for hz in TONES_HZ]
    return struct.pack(f"<{len(samples)}h", *samples)


@pipewire_test("pipewire-alsabat")
def pipewire_alsabat(rig, _seconds):
    """
    The guest records what it plays, from the sink's monitor, and looks for its tones there.
    It plays a file: alsabat 1.2.8 fails on a stale errno when it makes the tones itself.
    A guest that was late breaks a tone, which then is none, so it may try again.
    """
    rig.put("tones.wav", STEREO, tones(3))
    for run in range(1, BAT_RUNS + 1):
        done = rig.guest.run("alsabat -D hw:0,1 -c 2 -r 48000 -f S16_LE --file=/tmp/tones.wav "
                             f"-F {TONES_HZ[0]}:{TONES_HZ[1]}", 3 * SLACK_S)
        if done.status == 0 and done.text.count("PASS: Peak detected") == len(TONES_HZ):
            rig.forget("tones.wav")
            return f"run {run}" if run > 1 else ""
    raise Failed(f"alsabat: status {done.status}: {done.text.strip()}")


@pipewire_test("pipewire-restart")
def pipewire_restart(rig, seconds):
    """The server dies while the guest plays, which sees nothing of that, and comes back."""
    rig.out.mark()
    stream = Stream(rig, STEREO, (seconds + 2) * STEREO.rate, SIZES)
    stream.start()
    rig.out.wait(1)
    before = rig.host.kill()[rig.out.begin:]
    time.sleep(1)
    rig.start_server()
    rig.out.begin = 0       # the sink is a new one
    stream.finish()
    kept, gaps = host_rig.without_silence(before)
    if not stream.data.startswith(kept):
        raise Failed("what was heard before the server was killed is not what was sent")
    after = rig.out.sound()
    sent = SimpleNamespace(data=stream.data)
    at = host_rig.check_tail(SimpleNamespace(sent=sent), after, stream.frames - STEREO.rate)
    return f"heard until frame {len(kept) // STEREO.frame} and from frame {at} on; {len(gaps)} gaps before"


@server_test("pulse-play", pulse, pulse_host.Host.tools)
def pulse_play(rig, seconds):
    return play_exactly(rig, seconds, 480, 1920)


@server_test("jack-play", jack, jack_host.Host.tools)
def jack_play(rig, seconds):
    return play_exactly(rig, seconds, 480, 1920)


@server_test("alsa-play", alsa, Card.tools)
def alsa_play(rig, seconds):
    """What the card played is what came through ALSA's `file` before it, and what the guest sent."""
    remarks = play_exactly(rig, seconds, 480, 1920)
    if (rig.host.folder / "kept").read_bytes().strip(b"\0") != rig.out.sound():
        raise Failed("`file` and the card behind it differ")
    return remarks


@server_test("alsa-record", alsa, Card.tools)
def alsa_record(rig, seconds):
    """What the card recorded, from its first frame on."""
    seconds = min(seconds, recorder.NOISE_S - 5)
    return record_stretch(rig, seconds, 0.9 * seconds, 0)
