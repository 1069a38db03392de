"""WAV files of any plain format, and the comparison of what went in with what came out.

Python's wave module knows no floating point samples, hence a reader of our own.
"""

import functools
import pathlib
import random
import struct

import formats

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
SAMPLE_BYTES = {"S16": 2, "S32": 4, "FLOAT": 4}     # what noise() makes
SAMPLES = {(PCM, 8): "U8", (PCM, 16): "S16", (PCM, 24): "S24_3", (PCM, 32): "S32",
           (FLOAT, 32): "FLOAT", (FLOAT, 64): "FLOAT64", (A_LAW, 8): "A_LAW", (MU_LAW, 8): "MU_LAW"}


class Wav:
    """Format and samples; data is the bytes of whole frames.  Not to be changed."""

    def __init__(self, sample, rate, channels, data, mask=0, silent=None):
        self.sample, self.rate, self.channels, self.data = sample, rate, channels, data
        self.mask = mask        # of the channels' positions
        self.silent = silent or formats.silence(sample) * channels      # a silent frame

    @property
    def frame_bytes(self):
        return len(self.silent)

    @property
    def frames(self):
        return len(self.data) // self.frame_bytes

    def write(self, path):
        tag = FLOAT if self.sample == "FLOAT" else PCM
        form = struct.pack("<HHIIHH", tag, self.channels, self.rate, self.rate * self.frame_bytes,
                           self.frame_bytes, 8 * SAMPLE_BYTES[self.sample])
        body = b"WAVE" + chunk(b"fmt ", form) + chunk(b"data", self.data)
        pathlib.Path(path).write_bytes(chunk(b"RIFF", body))


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def chunks(data):
    """(name, announced size, bytes that are there) of each chunk."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, size, data[at + 8:at + 8 + size]
        at += 8 + size + size % 2


def read(path):
    """The Wav in a file.  ValueError where the header does not fit the bytes."""
    data = pathlib.Path(path).read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("no WAV file")
    if struct.unpack_from("<I", data, 4)[0] != len(data) - 8:
        raise ValueError("the header's length is not the file's")
    found = {name: (size, body) for name, size, body in chunks(data)}
    if b"fmt " not in found or b"data" not in found:
        raise ValueError("no fmt or no data chunk")
    size, body = found[b"data"]
    if size != len(body):
        raise ValueError(f"the header says {size} bytes, {len(body)} are there")
    return parsed(found[b"fmt "][1], body)


def parsed(form, body):
    tag, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", form)
    mask = 0
    if tag == EXTENSIBLE:
        mask, tag = struct.unpack_from("<IH", form, 20)
    sample = SAMPLES.get((tag, bits))
    if sample is None or len(body) % frame_bytes:
        raise ValueError(f"format {tag} of {bits} bits, {len(body)} bytes")
    return Wav(sample, rate, channels, body, mask)


@functools.cache
def noise(sample, rate, channels, frames, seed=1):
    """A Wav in which no two stretches are alike and no frame is silent."""
    rng = random.Random(seed)
    count = frames * channels
    if sample == "S16":
        values = [rng.randrange(1, 32768) for _ in range(count)]
        data = struct.pack(f"<{count}h", *values)
    elif sample == "S32":
        values = [rng.randrange(1, 1 << 31) for _ in range(count)]
        data = struct.pack(f"<{count}i", *values)
    else:
        values = [rng.randrange(1, 1 << 23) / (1 << 23) for _ in range(count)]
        data = struct.pack(f"<{count}f", *values)
    return Wav(sample, rate, channels, data)


class Sound:
    """The frames of a Wav without its silence, and where that was."""

    def __init__(self, wav):
        size, data = wav.frame_bytes, wav.data
        silent = wav.silent
        kept = []
        self.gaps = []          # lengths, in frames, between first and last sound
        run = 0
        for at in range(0, len(data), size):
            frame = data[at:at + size]
            if frame == silent:
                run += 1
                continue
            if run and kept:
                self.gaps.append(run)
            run = 0
            kept.append(frame)
        self.frames = kept


def difference(want, got):
    """Compare two lists of frames: None, or a sentence on the first difference."""
    for at, (a, b) in enumerate(zip(want, got)):
        if a != b:
            where = want.index(b) if b in want else None
            came = "which was never sent" if where is None else f"which is frame {where}"
            return f"frame {at} is wrong: {b.hex()}, {came}"
    if len(want) != len(got):
        return f"{len(want)} frames were sent, {len(got)} came out"
    return None
