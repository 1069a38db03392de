"""The latency that a guest is told, against when a frame really comes out.

A message that came back at T with latency L says that its last frame is heard at T + L.
The sink's FIFO gets a cycle of frames at once, at the cycle's begin; a device plays
them one by one from then on, and is asked for no delay of its own here.  So the
frame at place n of a cycle that came at C is heard at C + n.
"""

import bisect
import os
import select
import statistics
import time

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


def latency(name, build, host, *, quantum, period=480, buffer=None):
    host.make_fifo = TimedFifo
    host.start()
    host.quantum(quantum)
    times = host.folder / "times"
    with rig.playing(build, host, 4, period, buffer, f"--times={times}") as guest:
        guest.finish()
        heard = host.kill()
    sent, off, told = guest.sent.data, [], []
    for line in times.read_text().splitlines():
        frames, when_ns, latency_bytes = map(int, line.split())
        last = sent[(frames - 8) * rig.FRAME:frames * rig.FRAME]
        at = heard.find(last)
        if frames < rig.RATE or at < 0 or at % rig.FRAME:
            continue
        told.append(latency_bytes / rig.FRAME / rig.RATE)
        off.append(when_ns / NS + told[-1] - host.fifo.heard_at(at // rig.FRAME + 8))
    if len(off) < 100:
        raise rig.Fault(f"only {len(off)} messages can be compared")
    ms = [round(1000 * v, 2) for v in
          (statistics.median(told), statistics.median(off), min(off), max(off))]
    rig.tell(name, "latency told %g ms; told less measured %g ms (%g to %g)" % tuple(ms))
    if abs(statistics.median(off)) > period / rig.RATE:
        raise rig.Fault(f"off by {ms[1]} ms")


def cases(quick):
    for quantum, buffer in ((1024, None),) if quick else ((256, None), (1024, None), (8192, 960)):
        yield (f"pipewire: the latency told is the one measured, cycles of {quantum}",
               lambda n, b, h, q=quantum, s=buffer: latency(n, b, h, quantum=q, buffer=s))
