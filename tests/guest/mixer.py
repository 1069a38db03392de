"""The guest's mixer: control elements and jacks, changed in the guest and on the host.

Elements have a guest of their own, since QEMU has to be told of them.
"""

import re
import struct
import time

from cases import SLACK_S, STEREO, test
from rig import DAEMON, Failed, Rig

MIXER = ["Master Playback Volume", "Master Playback Switch",
         "PCM Playback Volume", "PCM Playback Switch",
         "PCM Playback Volume',index=1", "PCM Playback Switch',index=1"]
LEVEL = 20000  # of the samples, before the mixer


def flat(frames):
    return struct.pack("<h", LEVEL) * (STEREO.channels * frames)


def levels(rig):
    """What the mixer makes of a flat sound: the sample values that arrive, the gaps left out."""
    rig.out.mark()
    rig.put("flat.wav", STEREO, flat(STEREO.rate // 2))
    rig.guest.check(rig.aplay("flat.wav", STEREO), limit_s=SLACK_S)
    ((fmt, data),) = rig.out.fresh().values()
    if fmt != STEREO:
        raise Failed(f"arrived as {fmt}")
    return set(struct.unpack(f"<{len(data) // 2}h", data))


def expect_levels(rig, settings, left, right):
    """With these amixer settings, the two channels arrive at these levels."""
    for name, value in settings.items():
        rig.guest.check(f"amixer -c 0 -q cset name='{name}' {value}")
    found = levels(rig) - {0}
    if found != {left, right} - {0}:
        raise Failed(f"{settings}: {sorted(found)[:5]} instead of {left} and {right}")


def live_mute(rig, mute):
    """During the sound: it fades, so no two frames are far apart, and nothing comes after."""
    rig.out.mark()
    rig.put("flat.wav", STEREO, flat(3 * STEREO.rate))
    ticket = rig.guest.start(rig.aplay("flat.wav", STEREO), SLACK_S)
    time.sleep(1)
    mute()
    rig.guest.finish(ticket)
    ((_, data),) = rig.out.fresh().values()
    left = [v for v in struct.unpack(f"<{len(data) // 2}h", data)[::2]]
    end = max(i for i, v in enumerate(left) if v)
    fade = left[end - 100:end + 1]
    if not all(0 <= a - b <= 100 for a, b in zip(fade, fade[1:])) or fade[0] > LEVEL // 2:
        raise Failed(f"the mute does not fade: {fade[::10]}")


class Events:
    """amixer that waits for events, on the guest's terminal: into a pipe it would not write at once."""

    def __init__(self, rig):
        self.guest = rig.guest
        self.ticket = self.guest.start("amixer -c 0 events >/dev/hvc0", SLACK_S)
        self.guest.wait_terminal(b"Ready to listen")

    def __enter__(self):
        return self

    def expect(self, element):
        self.guest.wait_terminal(b"event value")
        self.guest.wait_terminal(f"name='{element}".encode())

    def __exit__(self, *_):
        self.guest.check("killall amixer")
        self.guest.finish(self.ticket)


def elements(rig):
    """{name: value} of all, as the guest's mixer shows them; a name may have ",index=N"."""
    text = rig.guest.check("amixer -c 0 contents")
    return {name.replace("'", ""): value
            for name, value in re.findall(r"name=(.*)\n.*\n +: values=(.*)", text)}


def told_of_changes(rig):
    """Linux leaves it to the device to tell its mixers of a change, so this is an event from the eventq."""
    with Events(rig) as events:
        rig.guest.check("amixer -c 0 -q cset name='PCM Playback Switch',index=1 off")
        events.expect("PCM Playback Switch',index=1")
        rig.host("control", "PCM Playback Volume,1", "-20dB", "-30dB")
        events.expect("PCM Playback Volume',index=1")
        rig.host("control", "Capture Switch", "off")
        events.expect("Capture Switch")
    shown = elements(rig)
    if shown["PCM Playback Volume,index=1"] != "80,60" or shown["Capture Switch"] != "off":
        raise Failed(f"after changes on the host the guest shows {shown}")
    answer = rig.host("control", "PCM Playback Switch,1")
    if answer.split()[-1] != "off":
        raise Failed(f"after a change in the guest the host shows {answer}")


JACKS = {"0": "Line Out Jack", "1": "Line Out Jack,index=1", "mic-0": "Mic Jack"}


@test("jacks")
def jacks(rig, _seconds):
    """Each follows its own plug on the host, and the guest's programs are told."""
    plugged = dict.fromkeys(JACKS, "on")
    with Events(rig) as events:
        for name in (*JACKS, *reversed(JACKS)):
            plugged[name] = "off" if plugged[name] == "on" else "on"
            rig.host("jack", name, "plug" if plugged[name] == "on" else "unplug")
            events.expect(JACKS[name].replace(",", "',"))
            found = elements(rig)
            shown = {name: found[jack] for name, jack in JACKS.items()}
            if shown != plugged:
                raise Failed(f"the host has {plugged}, the guest shows {shown}")


@test("host-mute")
def host_mute(rig, _seconds):
    """The host's own knob in the middle of a sound."""
    live_mute(rig, lambda: rig.host("mute"))
    rig.host("unmute")
    rig.host("volume", "-20dB", "0")
    expect_levels(rig, {}, LEVEL // 10, LEVEL // 10)
    rig.host("volume", "0dB", "0")


@test("controls")
def controls(rig, _seconds):
    work = rig.work / "controls"
    work.mkdir()
    mixer = Rig(rig.build, work, DAEMON + " --controls", device=",controls=on")
    try:
        listed = mixer.guest.check("amixer -c 0 controls")
        missing = [n for n in MIXER if f"name='{n}" not in listed]
        if missing or "Jack" not in listed:
            raise Failed(f"no {missing or 'jack'} in: {listed}")
        shown = mixer.guest.check("amixer -c 0 cget name='Master Playback Volume'")
        if "dBscale-min=-60.00dB,step=0.50dB,mute=1" not in shown:
            raise Failed(f"no dB: {shown}")
        if "[0.00dB] [on]" not in mixer.guest.check("amixer -c 0 sget Master"):
            raise Failed("the mixer does not start at 0 dB")
        expect_levels(mixer, {}, LEVEL, LEVEL)
        expect_levels(mixer, {"Master Playback Volume": "108,80"}, 10024, 2000)  # -6, -20 dB
        expect_levels(mixer, {"PCM Playback Volume": "108"}, 5024, 1002)
        expect_levels(mixer, {"Master Playback Volume": "0,120"}, 0, 10024)
        expect_levels(mixer, {"Master Playback Volume": "120", "PCM Playback Volume": "120"},
                      LEVEL, LEVEL)
        told_of_changes(mixer)
        live_mute(mixer, lambda: mixer.guest.check("amixer -c 0 -q cset name='Master Playback Switch' off"))
        expect_levels(mixer, {}, 0, 0)
        return f"{listed.count('numid')} elements"
    finally:
        if mixer.close() != 0:
            raise Failed("the daemon does not end well")
