#!/usr/bin/env python3
"""Play through ALSA's plugin for PulseAudio to a PulseAudio of our own.

usage: tests/audio/alsa_pulse.py --build=DIR [-k WORD] [--quick] [--full] [--keep]

A pcm with a server behind it, which may be away, go and come back, or not answer: then
calls of ALSA block.  How samples are compared and what is printed: rig.py.
"""

import sys

sys.dont_write_bytecode = True
import pulse_host
import rig
import server_cases


class Host(pulse_host.Host):
    """The server of pulse_host.py, and a configuration of ALSA that names its sink."""

    strip = ("PULSE_", "ALSA_")
    options = ("--audio=alsa", "--target=pulse")

    def __init__(self, folder):
        super().__init__(folder)
        config = self.folder / "asound.conf"
        config.write_text(f'pcm.pulse {{ type pulse device "{pulse_host.SINK}" }}\n')
        self.env["ALSA_CONFIG_PATH"] = str(config)


def exact(name, build, host, *, period):
    host.start()
    with rig.playing(build, host, 60 if host.full else 5, period) as guest:
        report = guest.finish()
        heard = host.kill()
    rig.tell(name, f"gap ms {report['gap_ms']}, latency bytes {report['latency_bytes']}")
    rig.check_exact(name, guest, heard)


# An xrun of the plugin's costs what the server had, so a busy machine fails these now and then.
def cases(quick):
    for period in (480,) if quick else (240, 480, 960):
        yield (f"alsa and pulse: periods of {period / 48:g} ms",
               lambda n, b, h, p=period: exact(n, b, h, period=p))
    yield "alsa and pulse: no server at the start", server_cases.absent
    if quick:
        return
    yield "alsa and pulse: the server is killed and comes back", server_cases.restart
    yield "alsa and pulse: the server is stopped for 2 s", server_cases.stopped


if __name__ == "__main__":
    sys.exit(rig.main(Host, cases))
