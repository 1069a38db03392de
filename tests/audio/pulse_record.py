"""What a guest hears of a PulseAudio source: a sink's monitor, into which noise is played."""

import pulse_host
import recorder
import rig

LISTEN = ("--audio=pulse", f"--target-in={pulse_host.SINK}.monitor")


def speak(host):
    """Somebody on the host's side says the noise."""
    path = host.folder / "noise.wav"
    if not path.exists():
        rig.source(recorder.NOISE_S).write(path)
    host.run("paplay", f"--device={pulse_host.SINK}", str(path))


def recording(build, host, *args, options=("--capture=on",)):
    host.options = (*LISTEN, *options)
    return rig.playing(build, host, *args, make=recorder.Recorder)


def exact(name, build, host, *, period, buffer=None, seconds=4):
    host.start()
    speak(host)
    with recording(build, host, seconds, period, buffer) as guest:
        report = guest.finish()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    recorder.check_one(name, guest, seconds - 1.5)


def through(case):
    return lambda name, build, host: case(name, build, host, speak, recording)


def cases(quick):
    for period in () if quick else (48, 120, 240, 480, 960):
        yield (f"pulse: recording 4 s, periods of {period / 48:g} ms",
               lambda n, b, h, p=period: exact(n, b, h, period=p, buffer=p * max(4, 768 // p)))
    yield "pulse: the server is killed and comes back while recording", through(recorder.restart)
    yield "pulse: the server is stopped for 1 s while recording", through(recorder.stopped)
