"""The guest's mixer: control elements and jacks, changed in the guest and on the host.

Elements have a guest of their own, since QEMU has to be told of them.
"""

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


def live_mute(rig):
    """A switch during the sound: it fades, so no two frames are far apart, and nothing comes after."""
    rig.out.mark()
    rig.put("flat.wav", STEREO, flat(3 * STEREO.rate))
    ticket = rig.guest.start(rig.aplay("flat.wav", STEREO), SLACK_S)
    time.sleep(1)
    rig.guest.check("amixer -c 0 -q cset name='Master Playback Switch' off")
    rig.guest.finish(ticket)
    ((_, data),) = rig.out.fresh().values()
    left = [v for v in struct.unpack(f"<{len(data) // 2}h", data)[::2]]
    end = max(i for i, v in enumerate(left) if v)
    fade = left[end - 100:end + 1]
    if not all(0 <= a - b <= 100 for a, b in zip(fade, fade[1:])) or fade[0] > LEVEL // 2:
        raise Failed(f"the mute does not fade: {fade[::10]}")


def told_of_changes(rig):
    """Linux leaves it to the device to tell its mixers of a change, so this is an event from the eventq."""
    ticket = rig.guest.start("timeout 8 amixer -c 0 events >/dev/hvc0", SLACK_S)
    rig.guest.wait_terminal(b"Ready to listen")
    rig.guest.check("amixer -c 0 -q cset name='PCM Playback Switch',index=1 off")
    rig.guest.wait_terminal(b"event value")
    rig.guest.wait_terminal(b"PCM Playback Switch")
    rig.guest.finish(ticket)


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
        live_mute(mixer)
        expect_levels(mixer, {}, 0, 0)
        return f"{listed.count('numid')} elements"
    finally:
        if mixer.close() != 0:
            raise Failed("the daemon does not end well")
