"""Every sample format of the specification, and what the daemon's WAV files make of it.

Written from the definitions and not from the daemon's source: a sample is a
number between its format's ends, and what is wider keeps the same place between its own.
"""

import random

# name: (bits, bytes of a sample), for numbers
SIGNED = {"S8": (8, 1), "S16": (16, 2), "S18_3": (18, 3), "S20_3": (20, 3), "S24_3": (24, 3),
          "S20": (20, 4), "S24": (24, 4), "S32": (32, 4)}
UNSIGNED = {"U" + name[1:]: sizes for name, sizes in SIGNED.items()}
# name: (bytes, sample of silence, what the file calls it), for what is kept bit by bit
KEPT = {"MU_LAW": (1, b"\x7f", "MU_LAW"), "A_LAW": (1, b"\x55", "A_LAW"),
        "FLOAT": (4, bytes(4), "FLOAT"), "FLOAT64": (8, bytes(8), "FLOAT64"),
        "DSD_U8": (1, b"\x69", "U8"), "DSD_U16": (2, b"\x69\x69", "S16"),
        "DSD_U32": (4, b"\x69" * 4, "S32"), "IEC958_SUBFRAME": (4, bytes(4), "S32")}
NAMES = [*SIGNED, *UNSIGNED, *KEPT]

RATES = [5512, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200,
         96000, 176400, 192000, 384000]

# What a WAV file has for so many bits.
IN_FILE = {8: ("U8", 8), 16: ("S16", 16), 18: ("S24_3", 24), 20: ("S24_3", 24),
           24: ("S24_3", 24), 32: ("S32", 32)}


def width(name):
    if name in KEPT:
        return KEPT[name][0]
    return (SIGNED.get(name) or UNSIGNED[name])[1]


def silence(name):
    """A silent sample."""
    if name in KEPT:
        return KEPT[name][1]
    if name in SIGNED:
        return bytes(width(name))
    bits, size = UNSIGNED[name]
    return (2 ** (bits - 1)).to_bytes(size, "little")


def sample(rng, name):
    if name in KEPT:
        return rng.randbytes(width(name))
    bits, size = SIGNED.get(name) or UNSIGNED[name]
    if name in SIGNED:
        return rng.randrange(-2 ** (bits - 1), 2 ** (bits - 1)).to_bytes(size, "little", signed=True)
    return rng.randrange(2 ** bits).to_bytes(size, "little")


def noise(name, channels, frames, seed=1):
    """A list of frames, each a list of samples, none of which is all silent."""
    rng = random.Random(seed)
    silent = [silence(name)] * channels
    made = []
    while len(made) < frames:
        frame = [sample(rng, name) for _ in range(channels)]
        if frame != silent:
            made.append(frame)
    return made


def in_file(name):
    """The name of the format in the file."""
    if name in KEPT:
        return KEPT[name][2]
    return IN_FILE[(SIGNED.get(name) or UNSIGNED[name])[0]][0]


def converted(name, data):
    """A sample as it is in the file."""
    if name in KEPT:
        return data
    bits = (SIGNED.get(name) or UNSIGNED[name])[0]
    number = int.from_bytes(data, "little", signed=name in SIGNED)
    if name in UNSIGNED:
        number -= 2 ** (bits - 1)
    wide = IN_FILE[bits][1]
    number *= 2 ** (wide - bits)
    if wide == 8:
        number += 128
    return number.to_bytes(wide // 8, "little", signed=wide > 8)
