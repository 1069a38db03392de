#!/usr/bin/env python3
"""Play to and record from a PulseAudio of our own; what comes out must be what went in.

usage: tests/audio/pulse.py --build=DIR [-k WORD] [--keep]

How samples are compared and what is printed: rig.py.
"""

import pathlib
import re
import sys
import time

sys.dont_write_bytecode = True
import pulse_change
import pulse_control
import pulse_cycles
import pulse_record
import rig
import server_cases
from pulse_host import Host


def exact(name, build, host, *, period, buffer=None, seconds=10):
    host.start()
    with rig.playing(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
        heard = host.kill()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    rig.check_exact(name, guest, heard)


def pause(name, build, host, pause_ms):
    """STOP and START, while the server still plays what it has, or after that."""
    host.start()
    with rig.playing(build, host, 3, 480, None, "--pause-at=48000",
                     f"--pause-ms={pause_ms}") as guest:
        guest.finish(pause_ms=pause_ms)
        heard = host.kill()
    rig.check_exact(name, guest, heard)


def small(name, build, host):
    """
    What libpulse maps (64 MiB) while the daemon locks its memory is not locked, which may make
    all of it resident.  Properties that are none are told of.
    """
    host.start_server()
    sockets = [host.folder / f"{number}.sock" for number in range(12)]
    daemons = [host.run(str(build / "vhost-user-snd"), "--audio=pulse", f"--socket-path={path}",
                        "--streams=4,4", "--properties=nonsense")
               for path in sockets]
    host.wait_for("a daemon", lambda: all(path.exists() for path in sockets))
    time.sleep(0.3)
    for word, limit in (("VmRSS", 32768), ("VmLck", 65536)):
        sizes = [int(re.search(f"{word}:\\s*(\\d+)", status)[1]) for status in
                 (pathlib.Path(f"/proc/{daemon.pid}/status").read_text() for daemon in daemons)]
        rig.tell(name, f"{word} in KiB: {sizes}")
        if max(sizes) > limit:
            raise rig.Fault(f"{word} is too large")
    if host.told("bad properties: nonsense") != len(daemons):
        raise rig.Fault("bad properties were not told of, once by each")


def cases(quick):
    for period in () if quick else (48, 120, 240, 480, 960):    # and longer: minute.py
        yield (f"pulse: 10 s, periods of {period / 48:g} ms",
               lambda n, b, h, p=period: exact(n, b, h, period=p, buffer=p * max(4, 768 // p)))
    yield "pulse: a RELEASE that does not wait", server_cases.release
    yield ("pulse: the server has just stopped, and nobody waits",
           lambda n, b, h: server_cases.neighbours(n, b, h, late_ms=1400))
    yield "pulse: the server is killed and comes back", server_cases.restart
    yield "pulse: no server at the start", server_cases.absent
    yield "pulse: the server is stopped for 2 s", server_cases.stopped
    yield "pulse: memory of a daemon that has just begun", small
    for module in (pulse_record, pulse_control, pulse_change, pulse_cycles):
        yield from module.cases(quick)
    if not quick:
        for ms in (15, 1500):
            yield (f"pulse: STOP, and START after {ms} ms",
                   lambda n, b, h, ms=ms: pause(n, b, h, ms))


if __name__ == "__main__":
    sys.exit(rig.main(Host, cases))
