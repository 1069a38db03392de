"""A guest that records noise, and what of it has come through.

What is recorded must be a stretch of the noise, without a frame lost, doubled or
invented; silence before it, and where a server is away, is none of its own.  A sound
server is put through its cases with speak(host), which says the noise, and
recording(build, host, ...), a guest that listens.
"""

import signal
import time

import rig
import wav
from server_cases import tell_return

NOISE_S = 20


class Recorder(rig.Guest):
    """A daemon, and a driver that records through it."""

    def order(self, host):
        self.path = host.folder / "recorded.wav"
        return "record", f"--seconds={self.seconds}", str(self.path)

    def recorded(self):
        return wav.read(self.path).data


def segments(heard):
    """(frame of the noise, frames) of each stretch of it, and the silences between them."""
    return rig.stretches(rig.source(NOISE_S).data, heard)


def check_gaps(gaps, cycle):
    """
    Who speaks may miss whole cycles of the host's on a loaded machine, after which the
    noise goes on where it was.  0: nobody may.
    """
    if any(gap % cycle if cycle else gap for gap in gaps):
        raise rig.Fault(f"silence that is no whole cycles of the host's: {gaps}")


def check_one(name, guest, least_s, cycle=0):
    found, gaps = segments(guest.recorded())
    rig.tell(name, f"stretches (from, frames) {found}, silences within {gaps}")
    check_gaps(gaps, cycle)
    if len(found) != 1:
        raise rig.Fault("not one stretch of the noise")
    if found[0][1] < least_s * rig.RATE:
        raise rig.Fault(f"only {found[0][1]} frames of it")


def heard_at(guest, first, since_s):
    """When frame @first of the noise was recorded, @since_s after the begin at the earliest."""
    noise = rig.source(NOISE_S).data[first * rig.FRAME:][:8 * rig.FRAME]
    at = guest.recorded().find(noise, int(since_s * rig.RATE) * rig.FRAME)
    # From the end: the guest's clock lags by what it took to notice that the server had gone.
    return guest.ended - (len(guest.recorded()) - at) / rig.FRAME / rig.RATE


def restart(name, build, host, speak, recording):
    """Killed and started again while the guest records."""
    host.start()
    speak(host)
    with recording(build, host, 7, 480) as guest:
        guest.until(2)
        host.kill()
        guest.until(3)
        host.start()
        speak(host)
        guest.finish()
    found, gaps = segments(guest.recorded())
    rig.tell(name, f"stretches (from, frames) {found}, silences within {gaps}")
    if len(found) != 2 or not gaps or min(n for _, n in found) < rig.RATE:
        raise rig.Fault("not one stretch before and one after")
    tell_return(name, heard_at(guest, found[1][0], 2) - host.started, "the server's last start")


def stopped(name, build, host, speak, recording):
    """What was said while the server stood still is lost, and the guest's clock goes on."""
    host.start()
    speak(host)
    with recording(build, host, 6, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(3)
        went_on = time.monotonic()
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
    found, gaps = segments(guest.recorded())
    rig.tell(name, f"stretches (from, frames) {found}, silences within {gaps}, longest gap "
             f"between completions {report['gap_ms']['max']:.0f} ms")
    if report["gap_ms"]["max"] > 500 or not 0.5 * rig.RATE < sum(gaps) < 1.5 * rig.RATE:
        raise rig.Fault("not silence for as long as the server was stopped")
    tell_return(name, heard_at(guest, found[-1][0], 2) - went_on, "the server went on")
