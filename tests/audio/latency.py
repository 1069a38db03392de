#!/usr/bin/env python3
"""The latency that a guest is told, against when a frame really comes out.

A message that came back at T with latency L says that its last frame is heard at T + L.
When a frame is heard:

* PipeWire and JACK: a FIFO gets a cycle of frames at once, at the cycle's begin; a device
  plays them one by one from then on, and is asked for no delay of its own here.  So
  the frame at place n of a cycle that came at C is heard at C + n.
* PulseAudio: a null sink makes a block of frames when the first of them is due, by a
  clock that does not stop; the monitor's pieces come later than that or just then.
* ALSA: the card of the tests tells when its clock started.

usage: tests/audio/latency.py --build=DIR [-k WORD] [--jobs=3] [--keep]
"""

import bisect
import os
import select
import statistics
import sys
import time

sys.dont_write_bytecode = True
import alsa_host
import jack_host
import pipewire_host
import pulse_host
import rig

NS = 1e9


class TimedFifo(rig.Fifo):
    """Knows when what it read came: `came` is (frames so far, when) of each piece."""

    def run(self):
        rig.real_time()
        self.came = []
        while not self.ending:
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            now = time.monotonic()
            self.came.append((len(self.data) // rig.FRAME, now))
            self.data += os.read(self.fd, 1 << 16)

    def heard_at(self, frame):
        first, when = self.came[bisect.bisect(self.came, (frame, float("inf"))) - 1]
        return when + (frame - first) / rig.RATE


class SteadyFifo(TimedFifo):
    """The same of a clock that does not stop: what came soonest tells when it began."""

    def heard_at(self, frame):
        return min(when - first / rig.RATE for first, when in self.came) + frame / rig.RATE


def measure(name, build, host, heard, period=480, buffer=None):
    """@heard: ends the host, and returns what it heard and a function, when a frame of that was."""
    times = host.folder / "times"
    with rig.playing(build, host, 3, period, buffer, f"--times={times}") as guest:
        guest.finish()
    data, heard_at = heard(host)
    sent, off, told = guest.sent.data, [], []
    for line in times.read_text().splitlines():
        frames, when_ns, latency_bytes = map(int, line.split())
        at = data.find(sent[(frames - 8) * rig.FRAME:frames * rig.FRAME])
        if frames < rig.RATE or at < 0 or at % rig.FRAME:
            continue
        told.append(latency_bytes / rig.FRAME / rig.RATE)
        off.append(when_ns / NS + told[-1] - heard_at(at // rig.FRAME + 8))
    if len(off) < 100:
        raise rig.Fault(f"only {len(off)} messages can be compared")
    ms = [round(1000 * v, 2) for v in
          (statistics.median(told), statistics.median(off), min(off), max(off))]
    rig.tell(name, "latency told %g ms; told less measured %g ms (%g to %g)" % tuple(ms))
    if abs(statistics.median(off)) > period / rig.RATE:
        raise rig.Fault(f"off by {ms[1]} ms")


def of_fifo(host):
    return host.kill(), host.fifo.heard_at


def of_card(host):
    """Without an xrun it has started once, with the first frame that it played."""
    starts = [rest for event, rest in host.events() if event == "clock"]
    if len(starts) != 1:
        raise rig.Fault(f"the card was started {len(starts)} times")
    return host.played(), lambda frame: int(starts[0]) / NS + frame / rig.RATE


def pipewire(name, build, host, quantum):
    host.make_fifo = TimedFifo
    host.start()
    host.quantum(quantum)
    measure(name, build, host, of_fifo, buffer=960 if quantum > 4096 else None)


def jack(name, build, host, quantum):
    host.make_fifo = TimedFifo
    host.cycle = quantum
    host.start()
    measure(name, build, host, of_fifo, buffer=960 if quantum > 4096 else None)


def pulse(name, build, host, block_ms):
    """Who listens says how long the blocks may be."""
    host.make_fifo = SteadyFifo
    host.listen_ms = block_ms
    host.start()
    measure(name, build, host, of_fifo)


def alsa(name, build, host, period):
    host.start()
    measure(name, build, host, of_card, period)


# What each is measured with: three sizes of what a host takes at once.
SERVERS = (("pipewire", pipewire, pipewire_host, "cycles of {} frames", (256, 1024, 8192)),
           ("pulse", pulse, pulse_host, "blocks of {} ms", (5, 20, 50)),
           ("jack", jack, jack_host, "cycles of {} frames", (256, 1024, 8192)),
           ("alsa", alsa, alsa_host, "periods of {} frames", (120, 480, 960)))


def cases(_quick):
    for name, measured, host, about, sizes in SERVERS:
        for size in sizes:
            yield (f"{name}: the latency told is the one measured, {about.format(size)}",
                   lambda n, b, h, m=measured, s=size: m(n, b, h, s), host.Host)


if __name__ == "__main__":
    sys.exit(rig.main(rig.Host, cases))
