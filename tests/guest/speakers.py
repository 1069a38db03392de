"""speaker-test on 6 and 8 channels: each sound comes out of the speaker that it was for.

It plays a sound of ours on one speaker after the other, in an order of its own, and
names the speaker.  The daemon's file is in the order of WAV.
"""

import re
import struct

import compare
import wavs
from cases import fresh_content, test
from rig import Failed
from wide import CARD

LIMIT_S = 60
MONO = wavs.Format(2, 1, 48000)
FRAMES = 9600
# speaker-test leaves out some frames at a file's end, and Linux sends whole periods only.
PERIOD = 480
TAIL_MOST = PERIOD + 8
# WAV's order, as far as 7.1 goes.
SPEAKERS = ["Front Left", "Front Right", "Center", "LFE", "Rear Left", "Rear Right", "Side Left",
            "Side Right"]
# speaker-test also knows them by these names.
NAMES = {"Front Center": "Center", "Woofer": "LFE"}


def channel(data, channels, n):
    samples = struct.unpack(f"<{len(data) // 2}h", data)[n::channels]
    return struct.pack(f"<{len(samples)}h", *samples)


def turns(text):
    """The speakers in the order in which they had their turn."""
    found = re.findall(r"^ *\d+ - (.+?)\s*$", text, re.MULTILINE)
    return [NAMES.get(name, name) for name in found]


def begin_of_sound(data):
    """In frames; the content has no zero byte."""
    return next((at // 2 for at in range(0, len(data), 2) if data[at]), None)


def speaker_test(rig, channels):
    rig.out.mark()
    sound = fresh_content(MONO, FRAMES)
    rig.put("speaker.wav", MONO, sound)
    said = rig.guest.check(f"speaker-test -D {rig.devices[0]} -c {channels} -r 48000 -F S16_LE -l 1 -t wav "
                           "-w /tmp/speaker.wav -p 10000 -b 40000", LIMIT_S)
    rig.forget("speaker.wav")
    order = turns(said)
    if sorted(order) != sorted(SPEAKERS[:channels]):
        raise Failed(f"speaker-test has played on {order}: {said}")
    want = wavs.Format(2, channels, 48000)
    found = [data for fmt, data in rig.out.fresh().values() if fmt == want]
    if len(found) != 1:
        raise Failed(f"{len(found)} files of {want}: {rig.describe_fresh()}")
    begins = []
    for n in range(channels):
        heard = channel(found[0], channels, n)
        result = compare.compare(sound, heard, 2)
        if not result.exact_prefix or result.lost > TAIL_MOST:
            raise Failed(f"{SPEAKERS[n]}: {result}")
        begins.append((begin_of_sound(heard), SPEAKERS[n]))
    heard_order = [name for _, name in sorted(begins)]
    if heard_order != order:
        raise Failed(f"speaker-test said {order}, heard was {heard_order}")
    return ", ".join(order)


for _channels in (6, 8):
    def _run(rig, _seconds, channels=_channels):
        return speaker_test(rig, channels)
    _run.card = CARD
    test(f"speakers-{_channels}")(_run)
