#!/usr/bin/env python3
"""An hour of sound through PipeWire: does the guest's clock drift, does the daemon grow?

usage: tests/audio/soak.py --build=DIR [--minutes=60]

Not a part of ./check.  A guest plays and another stream of it is left alone; every ten
seconds what the daemon has played and what memory it holds are read.  The sink is a
null sink that runs by the system's own clock, so frames per second are known.  Silence
is played: that frames arrive unchanged is what pipewire.py says.
"""

import argparse
import pathlib
import struct
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import pipewire_host
import rig

PERIOD, BUFFER = 480, 1920
EVERY_S = 10
SETTLED_S = 30          # after this the memory is what it will be
GROWTH_KB = 256


class Listener(rig.Guest):
    """A guest that plays nothing for a long time, from a file that is a hole."""

    def order(self, host):
        path = host.folder / "long.wav"
        size = self.seconds * rig.RATE * rig.FRAME
        with open(path, "wb") as file:
            file.write(b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
                       + struct.pack("<IHHIIHH", 16, 1, 2, rig.RATE, rig.RATE * rig.FRAME,
                                     rig.FRAME, 16) + b"data" + struct.pack("<I", size))
            file.truncate(44 + size)
        return "play", str(path)

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def played(self):
        before = time.monotonic()
        status = self.control("status")["streams"][0]
        return (before + time.monotonic()) / 2, status


def samples(guest, seconds):
    at = 5
    while at < seconds - 2:
        guest.until(at)
        when, status = guest.played()
        yield when - guest.started, status, guest.resident_kb()
        at += EVERY_S


def check(found):
    """What is wrong with [(when, status, memory)], as text."""
    first_s, first, _ = found[0]
    base_kb = next((kb for when, _, kb in found if when >= SETTLED_S), found[-1][2])
    worst = max((abs(s["frames"] - first["frames"] - (when - first_s) * rig.RATE)
                 for when, s, _ in found), default=0)
    last_s, last, last_kb = found[-1]
    drift = last["frames"] - first["frames"] - (last_s - first_s) * rig.RATE
    print(f"# {last_s - first_s:.0f} s: {drift:.0f} frames from the clock at the end, "
          f"{worst:.0f} at worst; memory {base_kb} kB, then {last_kb} kB; "
          f"{last['xruns']} xruns, {last['silence']} frames of silence, "
          f"{last['discarded']} discarded")
    # A sample is taken between two cycles of the host.
    if worst > BUFFER + 2048:
        yield f"{worst:.0f} frames away from the clock"
    if last_kb - base_kb > GROWTH_KB:
        yield f"the daemon has grown by {last_kb - base_kb} kB"
    if last["discarded"]:
        yield f"{last['discarded']} frames were discarded"


def soak(build, host, seconds):
    host.options = ("--audio=pipewire", f"--target={pipewire_host.MIC}", "--controls")
    host.start()
    with rig.playing(build, host, seconds, PERIOD, BUFFER, make=Listener) as guest:
        found = list(samples(guest, seconds))
        guest.finish()
    return list(check(found))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=int, default=60)
    args = parser.parse_args()
    name = f"pipewire: {args.minutes} minutes"
    with tempfile.TemporaryDirectory(prefix="vsnd-soak-") as folder:
        host = pipewire_host.Host(folder)
        try:
            wrong = soak(args.build.resolve(), host, args.minutes * 60)
        except rig.Fault as fault:
            wrong = [str(fault)]
        finally:
            host.close()
    print(f"not ok {name}: {'; '.join(wrong)}" if wrong else f"ok {name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
