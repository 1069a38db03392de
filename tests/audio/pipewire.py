#!/usr/bin/env python3
"""Play to vhost-user-snd through a PipeWire of our own; what comes out must be what went in.

usage: tests/audio/pipewire.py --build=DIR [-k WORD] [--keep]

A server that is killed or stopped may lose what was played meanwhile, and nothing else.
How samples are compared and what is printed: rig.py.
"""

import sys

sys.dont_write_bytecode = True
import pipewire_change
import pipewire_control
import pipewire_cycle
import pipewire_jacks
import pipewire_record
import pipewire_rt
import rig
import server_cases
from pipewire_host import Host


def exact(name, build, host, *, period, buffer=None, quantum=0, seconds=10):
    host.start()
    if quantum:
        host.quantum(quantum)
    with rig.playing(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
        heard = host.kill()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    rig.check_exact(name, guest, heard)


def small_quantum(name, build, host):
    """Cycles of 0.7 ms: a loaded machine misses some, which costs whole cycles of the host."""
    host.start()
    host.quantum(32)
    with rig.playing(build, host, 4, 480, 960) as guest:
        guest.finish()
        heard = host.kill()
    kept, gaps = rig.without_silence(heard)
    faults = list(rig.differences(guest.sent.data, kept))
    lost = sum(n for _, n in faults)
    rig.tell(name, f"{len(gaps)} gaps, {sum(gaps)} frames of silence; {lost} frames in "
             f"cycles that the host missed")
    if any(n < 0 or n % 32 for _, n in faults) or lost > rig.RATE // 5:
        raise rig.Fault("lost or doubled (at frame, how many): " + str(faults[:6])[1:-1])


def pause(name, build, host):
    """STOP, until the host's stream has been paused, and START, while it is read ahead."""
    host.start()
    host.quantum(8192)
    with rig.playing(build, host, 3, 480, 960, "--pause-at=48000", "--pause-ms=1500") as guest:
        guest.finish(pause_ms=1500)
        heard = host.kill()
    rig.check_exact(name, guest, heard)


# The exact cases have a cycle of 5.3 ms, which a loaded machine rarely misses; what PipeWire
# would choose for the shortest periods is 1.3 ms.  A longer one, for longer: minute.py.
def cases(quick):
    for period in () if quick else (48, 120, 240, 480, 960):
        yield (f"pipewire: 10 s, periods of {period / 48:g} ms",
               lambda n, b, h, p=period: exact(n, b, h, period=p, quantum=256,
                                               buffer=p * max(4, 768 // p)))
    yield ("pipewire: a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, quantum=8192, seconds=4))
    yield "pipewire: a RELEASE that does not wait", server_cases.release
    yield "pipewire: no server at the start", server_cases.absent
    yield "pipewire: the server is killed and comes back", server_cases.restart
    for module in (pipewire_record, pipewire_control, pipewire_cycle, pipewire_change, pipewire_jacks,
                   pipewire_rt):
        yield from module.cases(quick)
    if not quick:
        yield "pipewire: STOP and START with a cycle of 8192 frames", pause
        yield "pipewire: a cycle of 32 frames", small_quantum
        yield "pipewire: the server is stopped for 2 s", server_cases.stopped


if __name__ == "__main__":
    sys.exit(rig.main(Host, cases))
