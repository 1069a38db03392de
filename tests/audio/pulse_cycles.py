"""Cycles of the server that are far longer than the guest's buffer, or far shorter.

A null sink has the cycles that its streams ask for, so it takes a card, whose are given.
"""

import pulse_host
import recorder
import rig

# A guest's period and buffer: 20 ms in all.
PERIOD, BUFFER = 480, 960


def played(name, build, host, cycle):
    host.start_card(cycle)
    with rig.playing(build, host, 3, PERIOD, BUFFER) as guest:
        report = guest.finish()
        heard = host.played(len(guest.sent.data))
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    rig.check_exact(name, guest, heard, whole=cycle > BUFFER)


def recorded(name, build, host, cycle):
    host.start_card(cycle)
    host.options = ("--audio=pulse", f"--target-in={pulse_host.SOURCE}", "--capture=on")
    with rig.playing(build, host, 4, PERIOD, BUFFER, make=recorder.Recorder) as guest:
        report = guest.finish()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    recorder.check_one(name, guest, 2.5)


def cases(quick):
    for cycle in (8192,) if quick else (8192, 32):
        yield (f"pulse: cycles of {cycle} frames, a buffer of 2 x 480",
               lambda n, b, h, c=cycle: played(n, b, h, c))
    if not quick:
        yield ("pulse: recorded, cycles of 8192 frames, a buffer of 2 x 480",
               lambda n, b, h: recorded(n, b, h, 8192))
