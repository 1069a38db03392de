#!/usr/bin/env python3
"""A minute, in both directions, at every period: not a frame is lost or doubled.

usage: tests/audio/minute.py --build=DIR [-k WORD] [--jobs=4] [--keep]

At each server, five guests with periods of 1, 2.5, 5, 10 and 20 ms play and record at
the same time, each through a daemon and to a sink of its own.  With PipeWire and
PulseAudio a guest records the monitor of its sink, so it hears itself; with JACK it
records a client that counts; with ALSA a card that knows what it records.  The servers
are beside each other when there are jobs for them.  How samples are compared: rig.py.
"""

import array
import contextlib
import sys

sys.dont_write_bytecode = True
import alsa_host
import jack_host
import pipewire_host
import pulse_host
import rig

import wav

PERIODS = (48, 120, 240, 480, 960)
SECONDS = 60
LEAD_S, TAIL_S = 1, 1   # of silence: the server has connected both directions by then
BUFFER = 4096           # frames, about: what a busy machine may be late by
QUANTUM = 1024          # frames of PipeWire's cycle, which a busy machine rarely misses
SINKS = tuple(f"vsnd-test-{period}" for period in PERIODS)
COUNT_END = 1 << 22     # of jack_tap


class Lane(rig.Guest):
    """A guest that plays the minute and records all the while."""

    patience_ms = 6000      # JACK waits for all of its clients in each cycle, and is late in the end

    def order(self, host):
        self.sent = rig.source(SECONDS)
        self.path = host.folder / "recorded.wav"
        source = host.folder.parent / "source.wav"
        return (*host.recorded_as, "--queue-size=128", f"--play={source}", f"--seconds={self.seconds}", "record",
                str(self.path))


class Seat:
    """A server as one of its guests sees it: with a folder and options of its own."""

    recorded_as = ()

    def __init__(self, host, name, *options):
        self.host, self.folder = host, host.folder / f"guest-{name}"
        self.folder.mkdir()
        self.options = options

    def __getattr__(self, name):
        return getattr(self.host, name)


class PipeWire(pipewire_host.Host):
    """Sinks of its own for all guests, whose monitors are recorded."""

    sinks = SINKS
    size = rig.FRAME        # of a frame that is recorded
    about = f"cycles of {QUANTUM} frames"

    def start(self):
        super().start()
        self.quantum(QUANTUM)

    def seats(self):
        for name in SINKS:
            config = self.folder / f"{name}.ini"
            config.write_text(
                f"[stream out]\ndirection = output\ntarget = {name}\n"
                f"[stream in]\ndirection = input\ntarget = {name}\ncapture = on\n"
                "properties = stream.capture.sink=true\n")
            yield Seat(self, name, "--audio=pipewire", f"--config={config}")

    def heard(self):
        return self.kill_all()

    def spoken(self):
        return rig.source(SECONDS).data


class Pulse(pulse_host.Host):
    """The same."""

    size = rig.FRAME
    about = "null sinks"

    def start(self):
        self.start_server()
        for name in SINKS:
            self.add_sink(name)
        self.fifos = [self.listen(name) for name in SINKS]
        self.wait_for("parec", lambda: self.tool(
            "pactl", "list", "short", "source-outputs").count("\n") == len(SINKS))

    def seats(self):
        for name in SINKS:
            yield Seat(self, name, "--audio=pulse", f"--target={name}",
                       f"--target-in={name}.monitor", "--capture=on")

    def heard(self):
        self.end_processes()
        return [fifo.close() for fifo in self.fifos]

    def spoken(self):
        return rig.source(SECONDS).data


class JackSeat(Seat):
    recorded_as = ("--format=S32",)


class Jack(jack_host.Host):
    """A client for each guest that hears it, and one that all record, which counts."""

    size = 8
    about = "cycles of 256 frames"

    def start(self):
        self.start_server()
        self.tap = self.spawn_tap("count")
        self.ears = []
        for name in SINKS:
            self.ears.append(self.listen(name))

    def seats(self):
        for name in SINKS:
            yield JackSeat(self, name, "--audio=jack", f"--name=guest-{name}", f"--target={name}",
                           "--target-in=tap", "--capture=on")

    def heard(self):
        missed = self.end_tap() + sum(self.missed(tap) for _, tap in self.ears)
        self.end_processes()
        heard = [fifo.close() for fifo, _ in self.ears]
        self.ears = []
        if missed:
            raise rig.Fault(f"the machine was too busy: clients of the test missed {missed} cycles")
        return heard

    def spoken(self, made=[]):
        if not made:
            frames = array.array("i", bytes(COUNT_END * self.size))
            frames[0::2] = array.array("i", range(0, COUNT_END << 8, 1 << 8))
            frames[1::2] = array.array("i", range(0, -COUNT_END << 8, -1 << 8))
            made.append(frames.tobytes())
        return made[0]

    def close(self):
        for _, tap in getattr(self, "ears", ()):
            rig.end(tap)
        super().close()


class Card(alsa_host.Host):
    """A card of a guest's own."""

    recorded_as = ()


class Alsa(rig.Host):
    """Cards: what is played goes through ALSA's `file` to each, and is the same at both ends."""

    size = rig.FRAME
    about = "cards of our own"
    cards = ()

    def start(self):
        self.cards = []
        for name in SINKS:
            (self.folder / name).mkdir()
            self.cards.append(Card(self.folder / name))

    def seats(self):
        for card in self.cards:
            card.build = self.build
            card.use("kept", "card")
            card.start()
            (card.card / "source").write_bytes(self.spoken())
            yield card

    def heard(self):
        for card in self.cards:
            if (card.folder / "kept").read_bytes().strip(b"\0") != card.played().strip(b"\0"):
                raise rig.Fault("`file` and the card behind it differ")
        return [card.played() for card in self.cards]

    def spoken(self):
        return rig.source(SECONDS + LEAD_S + TAIL_S + 3).data

    def close(self):
        for card in self.cards:
            card.close()
        super().close()


def played(lane, heard):
    found, gaps = rig.stretches(lane.sent.data, heard)
    if found != [(0, lane.sent.frames)]:
        raise rig.Fault(f"heard of {lane.sent.frames} frames (from, how many): {found[:6]}")
    return gaps


def recorded(lane, host):
    """All that was spoken in its minute, in one stretch."""
    found, gaps = rig.stretches(host.spoken(), wav.read(lane.path).data, host.size)
    if len(found) != 1 or found[0][1] < lane.sent.frames:
        raise rig.Fault(f"recorded (from, how many): {found[:6]}")
    return gaps


def verdict(name, host, lane, period, report, heard):
    """None, or why not."""
    try:
        gaps, gaps_in = played(lane, heard), recorded(lane, host)
    except rig.Fault as fault:
        return f"{period / 48:g} ms: {fault}"
    late = "; ".join(f"{len(g)} gaps, {sum(g)} frames of silence {what}" for g, what in
                     ((gaps, "played"), (gaps_in, "recorded")) if g)
    rig.tell(name, f"{period / 48:g} ms: {SECONDS * rig.RATE} frames both ways; longest gap between "
             f"completions {report['gap_ms']['max']:.1f} ms{late and ', ' + late}")
    return None


def write_source(host):
    lead = bytes(LEAD_S * rig.RATE * rig.FRAME)
    wav.Wav("S16", rig.RATE, 2, lead + rig.source(SECONDS).data).write(host.folder / "source.wav")


def minute(name, build, host):
    write_source(host)
    host.start()
    with contextlib.ExitStack() as stack:
        lanes = [stack.enter_context(rig.playing(
            build, seat, LEAD_S + SECONDS + TAIL_S, period, BUFFER // period * period, make=Lane))
            for seat, period in zip(host.seats(), PERIODS)]
        reports = [lane.ended() for lane in lanes]
        heard = host.heard()
    faults = [verdict(name, host, *each) for each in zip(lanes, PERIODS, reports, heard)]
    if any(faults):
        raise rig.Fault("; ".join(filter(None, faults)))


def cases(_quick):
    for server, host in (("pipewire", PipeWire), ("pulse", Pulse), ("jack", Jack), ("alsa", Alsa)):
        yield f"{server}: {SECONDS} s both ways, at 1 to 20 ms, {host.about}", minute, host


if __name__ == "__main__":
    sys.exit(rig.main(rig.Host, cases))
