"""WAV files with known content, and reading what came back.

Known content has no zero byte, so silence is never part of it, and is random
otherwise, so that a few frames tell their place, in each channel.
"""

import random
import struct
from dataclasses import dataclass

FORMAT_PCM = 1
FORMAT_FLOAT = 3
FORMAT_EXTENSIBLE = 0xFFFE
HEAD_MAX = 4096
NO_ZERO = bytes([0x5A, *range(1, 256)])


@dataclass(frozen=True)
class Format:
    width: int  # bytes of a sample
    channels: int
    rate: int
    tag: int = FORMAT_PCM

    @property
    def frame(self):
        return self.width * self.channels

    def __str__(self):
        return f"S{8 * self.width}-{self.channels}ch-{self.rate}"


def content(seed, fmt, frames):
    return random.Random(seed).randbytes(frames * fmt.frame).translate(NO_ZERO)


def write(path, fmt, data):
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16,
                       fmt.tag, fmt.channels, fmt.rate, fmt.rate * fmt.frame, fmt.frame,
                       8 * fmt.width, b"data", len(data))
    with open(path, "wb") as f:
        f.write(head + data)


def parse_format(chunk):
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if tag == FORMAT_EXTENSIBLE:
        (tag,) = struct.unpack_from("<H", chunk, 24)
    return Format(bits // 8, channels, rate, tag)


def read_head(f):
    """(format, offset of the samples) of an open WAV file."""
    head = f.read(HEAD_MAX)
    if head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
        raise ValueError(f"{f.name}: not a WAV file")
    at, fmt = 12, None
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt ":
            fmt = parse_format(head[at + 8:at + 8 + size])
        if name == b"data" and fmt:
            return fmt, at + 8
        at += 8 + size + size % 2
    raise ValueError(f"{f.name}: no samples in it")


def read(path, skip=0):
    """(format, samples as bytes, without the first skip).

    The data chunk ends where the file ends: the header of a file that is
    still being written is behind.
    """
    with open(path, "rb") as f:
        fmt, start = read_head(f)
        f.seek(start + skip)
        data = f.read()
    return fmt, data[:len(data) - len(data) % fmt.frame]
