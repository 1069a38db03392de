"""Who may record, and how loud, while it happens: vsndctl and PulseAudio's own mixer."""

import json

import pipewire_control
import pulse_record
import recorder
import rig
from pipewire_control import SWITCH, VOLUME, wait_until


class Mixer(pipewire_control.Mixer):
    """The guest's elements, and the host's knob of the same stream."""

    def stream(self):
        found = json.loads(self.host.tool("pactl", "-f", "json", "list", "sink-inputs") or "[]")
        if not found:
            raise rig.Fault("the stream is not there")
        return found[0]

    def knob(self):
        stream = self.stream()
        return [v["db"] for v in stream["volume"].values()], stream["mute"]

    def turn(self, mute, *volumes):
        index = str(self.stream()["index"])
        self.host.tool("pactl", "set-sink-input-volume", index, *volumes)
        self.host.tool("pactl", "set-sink-input-mute", index, mute)


def volume(name, build, host):
    """The guest's volume is the host's, and the other way round."""
    host.start()
    host.options = (*host.options, "--controls")
    with rig.playing(build, host, 7, 480) as guest:
        mixer = Mixer(guest)
        guest.until(1)
        mixer.expect_knob(["0.00 dB", "0.00 dB"], False)
        mixer.element(VOLUME, "-6dB")
        mixer.expect_knob(["-6.00 dB", "-6.00 dB"], False)
        mixer.turn("1", "0.3", "0.1")    # a sign would make it relative
        mixer.expect_element(VOLUME, [99, 80])
        mixer.expect_element(SWITCH, [0])
        mixer.expect_knob(["-10.46 dB", "-20.00 dB"], True)
        mixer.element(SWITCH, "on")
        mixer.expect_knob(["-10.46 dB", "-20.00 dB"], False)
        guest.finish()


def records(host):
    return "Capture" in host.tool("pactl", "list", "source-outputs")


def microphone(name, build, host):
    """Denied, allowed and denied again while the guest records."""
    host.start()
    pulse_record.speak(host)
    with pulse_record.recording(build, host, 6, 480, options=()) as guest:
        guest.until(1.5)
        if records(host):
            raise rig.Fault("a denied input has a stream")
        if host.told("stream 1 records silence") != 1:
            raise rig.Fault("it was not told once that it is denied")
        guest.control("allow", "input")
        wait_until("an allowed input has no stream", lambda: records(host))
        guest.until(4)
        guest.control("deny", "input")
        wait_until("a denied input still has a stream", lambda: not records(host))
        guest.finish()
    heard = guest.recorded()
    frames = [at for at in range(0, len(heard), rig.FRAME) if heard[at:at + 4] != b"\0\0\0\0"]
    first, last = (at // rig.FRAME / rig.RATE for at in (frames[0], frames[-1]))
    rig.tell(name, f"heard from {first:.2f} to {last:.2f} s")
    # Between the fades it is what was said.
    found, gaps = recorder.segments(heard[frames[0] + rig.RATE * rig.FRAME // 4:
                                          frames[-1] - rig.RATE * rig.FRAME // 4])
    if first < 1.4 or last > 4.8 or last - first < 1.5 or len(found) != 1 or gaps:
        raise rig.Fault(f"not heard as long as it was allowed, or not exactly: {found} {gaps}")


def cases(quick):
    if not quick:
        yield "pulse: a microphone that is allowed and denied while it is recorded", microphone
    yield "pulse: the guest's mixer is the host's", volume
