"""What a guest hears of PipeWire's microphone: a sink's monitor, into which noise is played."""

import pipewire_host
import recorder
import rig
from recorder import NOISE_S, Recorder, check_one

CYCLE = 256             # frames; other cycles are multiples of it
LISTEN = ("--audio=pipewire", f"--target-in={pipewire_host.MIC}",
          "--properties={ stream.capture.sink = true }")


def speak(host):
    """Somebody on the host's side says the noise.  The process that does."""
    path = host.folder / "noise.wav"
    if not path.exists():
        rig.source(NOISE_S).write(path)
    return host.run("pw-cat", "--playback", "--target", pipewire_host.MIC, str(path),
                    preexec_fn=rig.real_time)


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
    check_one(name, guest, seconds - 1.5, CYCLE)


def through(case):
    return lambda name, build, host: case(name, build, host, speak, recording)


def cases(quick):
    yield ("pipewire: recording with a cycle of 8192 frames, a buffer of 2 x 480",
           lambda n, b, h: exact(n, b, h, period=480, buffer=960, quantum=8192))
    if not quick:
        yield ("pipewire: recording 4 s, periods of 10 ms",
               lambda n, b, h: exact(n, b, h, period=480))
        yield "pipewire: the server is killed and comes back while recording", through(recorder.restart)
        yield "pipewire: the server is stopped for 1 s while recording", through(recorder.stopped)
