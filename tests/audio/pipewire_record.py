"""What a guest hears of PipeWire's microphone: a sink's monitor, into which noise is played.

What is recorded must be a stretch of the noise, without a frame lost, doubled or
invented; silence before it, and where a server is away, is none of its own.  Who speaks
the noise may miss whole cycles on a loaded machine, after which it goes on where it was.
"""

import signal

import pipewire_host
import rig
import wav

NOISE_S = 20
CYCLE = 256             # frames; other cycles are multiples of it


LISTEN = ("--audio=pipewire", f"--target-in={pipewire_host.MIC}",
          "--properties={ stream.capture.sink = true }")


def speak(host):
    """Somebody on the host's side says the noise."""
    path = host.folder / "noise.wav"
    if not path.exists():
        rig.source(NOISE_S).write(path)
    host.run("pw-cat", "--playback", "--target", pipewire_host.MIC, str(path),
             preexec_fn=rig.real_time)


class Recorder(rig.Guest):
    """A daemon, and a driver that records through it."""

    def order(self, host):
        self.path = host.folder / "recorded.wav"
        return "record", f"--seconds={self.seconds}", str(self.path)

    def recorded(self):
        return wav.read(self.path).data


def segments(heard):
    """(frame of the noise, frames) of each stretch of it, in the order they were heard."""
    kept, gaps = rig.without_silence(heard)
    sent = rig.source(NOISE_S).data
    at, found = 0, []
    while at < len(kept):
        first = sent.find(kept[at:at + 4 * rig.FRAME])
        if first < 0 or first % rig.FRAME:
            raise rig.Fault(f"frame {at // rig.FRAME} of what was heard was never said")
        n = rig.common(sent, first, kept, at)
        found.append((first // rig.FRAME, n // rig.FRAME))
        at += n
    return found, gaps


def check_gaps(gaps):
    """Silences that the speaker made."""
    if any(gap % CYCLE for gap in gaps):
        raise rig.Fault(f"silence that is no whole cycles of the host's: {gaps}")


def check_one(name, guest, least_s):
    found, gaps = segments(guest.recorded())
    rig.tell(name, f"stretches (from, frames) {found}, silences within {gaps}")
    check_gaps(gaps)
    if len(found) != 1:
        raise rig.Fault("not one stretch of the noise")
    if found[0][1] < least_s * rig.RATE:
        raise rig.Fault(f"only {found[0][1]} frames of it")


def recording(build, host, *args, options=("--capture=on",)):
    host.options = (*LISTEN, *options)
    return rig.playing(build, host, *args, make=Recorder)


def exact(name, build, host, *, period, buffer=None, quantum=CYCLE, seconds=4):
    host.start()
    host.quantum(quantum)
    speak(host)
    with recording(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    check_one(name, guest, seconds - 1.5)


def restart(name, build, host):
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


def stopped(name, build, host):
    """What was said while the server stood still is lost, and the guest's clock goes on."""
    host.start()
    speak(host)
    with recording(build, host, 6, 480) as guest:
        guest.until(2)
        host.server.send_signal(signal.SIGSTOP)
        guest.until(3)
        host.server.send_signal(signal.SIGCONT)
        report = guest.finish()
    found, gaps = segments(guest.recorded())
    rig.tell(name, f"stretches (from, frames) {found}, silences within {gaps}, longest gap "
             f"between completions {report['gap_ms']['max']:.0f} ms")
    if report["gap_ms"]["max"] > 500 or not 0.5 * rig.RATE < sum(gaps) < 1.5 * rig.RATE:
        raise rig.Fault("not silence for as long as the server was stopped")


def cases(quick):
    yield ("pipewire: recording 4 s, periods of 10 ms",
           lambda n, b, h: exact(n, b, h, period=480))
    yield ("pipewire: recording with a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, quantum=8192))
    if not quick:
        yield "pipewire: the server is killed and comes back while recording", restart
        yield "pipewire: the server is stopped for 1 s while recording", stopped
