"""Tests on a card that offers all formats and rates and up to 12 channels; one more boot."""

import sys
from pathlib import Path

import compare
import wavs
from cases import note, summary, test
from rig import Failed

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "probe"))
import formats

CARD = "--formats=all --rates=all --channels=12"
# What ALSA calls them.
ALSA = {name: name for name in ("MU_LAW", "A_LAW", "S8", "U8", "DSD_U8")}
ALSA |= {name: f"{name}LE" if name.endswith("_3") else f"{name}_LE"
         for name in formats.NAMES if name not in ALSA}
TAGS = {"FLOAT": 3, "FLOAT64": 3, "A_LAW": 6, "MU_LAW": 7}
RATES = (5512, 8000, 96000, 192000)     # Linux knows no 384000 here; 44100 and 48000 are in cases.py
LIMIT_S = 30
FRAMES = 24000
# ALSA's order of channels to WAV's, and the positions in WAV's order.
LAYOUTS = {6: ((0, 1, 4, 5, 2, 3), "FL,FR,FC,LFE,RL,RR"),
           8: ((0, 1, 4, 5, 2, 3, 6, 7), "FL,FR,FC,LFE,RL,RR,SL,SR")}


def joined(frames):
    return b"".join(b"".join(frame) for frame in frames)


def play(rig, name, channels, rate, options="", order=None):
    """Bare frames through aplay; what they become, channels in this order, must be in a file."""
    rig.out.mark()
    frames = formats.noise(name, channels, FRAMES)
    (rig.guest.share / "wide.raw").write_bytes(joined(frames))
    done = rig.guest.run(f"aplay -D {rig.devices[0]} -t raw -f {ALSA[name]} -c {channels} -r {rate} "
                         f"{options} /mnt/wide.raw", limit_s=LIMIT_S)
    if done.status:
        raise Failed(f"aplay: status {done.status}: {summary(done.text)}")
    order = order or range(channels)
    want = joined([[formats.converted(name, frame[i]) for i in order] for frame in frames])
    silence = formats.converted(name, formats.silence(name)) * channels
    stored = formats.in_file(name)
    fmt = wavs.Format(len(silence) // channels, channels, rate, TAGS.get(stored, wavs.FORMAT_PCM))
    found = [data for got, data in rig.out.fresh().values() if got == fmt]
    if len(found) != 1:
        raise Failed(f"{len(found)} files of {fmt}: {rig.describe_fresh()}")
    result = compare.compare(want, found[0], fmt.frame, silence)
    if not result.exact:
        raise Failed(str(result))
    return note(result)


def wide_test(label, *args, **kwargs):
    def run(rig, _seconds):
        return play(rig, *args, **kwargs)
    run.card = CARD
    test(label)(run)


for _name in formats.NAMES:
    wide_test(f"wide-{_name}", _name, 2, 48000)
for _rate in RATES:
    wide_test(f"wide-{_rate}", "S16", 2, _rate)
for _channels, (_order, _positions) in LAYOUTS.items():
    # ALSA's order as it comes, and WAV's, which aplay puts into the order that the card tells.
    wide_test(f"wide-{_channels}-channels", "S16", _channels, 48000, order=_order)
    wide_test(f"wide-{_channels}-channels-map", "S16", _channels, 48000, f"-m {_positions}")
