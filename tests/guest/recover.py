"""Underruns on either side: the guest's stream goes on by itself, and what follows is exact."""

import signal
import time

from cases import POLLING, STEREO, Stream, test
from rig import Failed

SIZES = "--period-size=480 --buffer-size=1920"
STOPPED_S = 0.8


def underruns(said):
    """How many aplay tells of; none is a test that tests nothing."""
    count = said.text.count("underrun")
    if count == 0:
        raise Failed(f"no underrun came about: {said.text.strip()}")
    return f"{count} underruns"


@test("xrun-player-stopped")
def player_stopped(rig, seconds):
    """A player that gets no processor time for longer than its buffer."""
    rig.out.mark()
    stream = Stream(rig, STEREO, int((seconds + 2) * STEREO.rate), SIZES)
    stream.start()
    for _ in range(2):
        time.sleep(1)
        rig.guest.check("killall -STOP aplay")
        time.sleep(STOPPED_S)
        rig.guest.check("killall -CONT aplay")
    said = stream.finish()
    return f"{underruns(said)}; {stream.exact()}"


@test("xrun-player-starved")
def player_starved(rig, seconds):
    """A player whose input stops for a while, and goes on."""
    rig.out.mark()
    stream = Stream(rig, STEREO, int(seconds * STEREO.rate), SIZES)
    # In whole frames, the header apart: aplay shall begin anew at a frame.
    first = 44 + 48000 * STEREO.frame
    path = f"/tmp/{stream.name}"
    command = stream.command.removesuffix(path)
    stream.start(f"{{ head -c {first} {path}; sleep {STOPPED_S}; tail -c +{first + 1} {path}; }} | {command}")
    said = stream.finish()
    return f"{underruns(said)}; {stream.exact()}"


@test("xrun-daemon-stopped")
def daemon_stopped(rig, seconds):
    """The host's side stands still for longer than the guest's buffer, and once for less."""
    rig.out.mark()
    stream = Stream(rig, STEREO, int((seconds + 2) * STEREO.rate), f"{POLLING} {SIZES}")
    stream.start()
    daemon = rig.daemon.child
    try:
        for stopped_s in (STOPPED_S, 0.02, 2):
            time.sleep(0.7)
            daemon.signal(signal.SIGSTOP)
            time.sleep(stopped_s)
            daemon.signal(signal.SIGCONT)
    finally:
        daemon.signal(signal.SIGCONT)
    stream.finish()
    return stream.exact()
