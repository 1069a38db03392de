"""What was sent against what arrived, by content, frame by frame.

The two are walked side by side.  Where they part, silence that has nothing to
answer it is a gap; otherwise the place is found again through an index of the
sent content.  What was matched gives lost, doubled and altered.
"""

import sys
from dataclasses import dataclass, field

import wavs

WINDOW = 32  # frames that tell a place
STEP = 64  # an entry of the index every so many frames
CHUNK = 1 << 16


@dataclass
class Result:
    sent: int = 0
    received: int = 0  # without inserted silence
    lost: int = 0
    lost_tail: int = 0  # of lost: after the last frame that arrived
    doubled: int = 0
    altered: int = 0
    gaps: list = field(default_factory=list)  # frames of each run of inserted silence

    @property
    def exact(self):
        return self.lost == self.doubled == self.altered == 0

    @property
    def exact_prefix(self):
        return self.lost == self.lost_tail and self.doubled == self.altered == 0

    def __str__(self):
        text = (f"sent {self.sent} received {self.received} lost {self.lost} "
                f"doubled {self.doubled} altered {self.altered}")
        return text + (f" gaps {len(self.gaps)} ({sum(self.gaps)} frames)" if self.gaps else "")


class _Walk:
    def __init__(self, sent, received, frame, silence):
        self.sent, self.received, self.frame = sent, received, frame
        self.silence = silence or bytes(frame)
        self.index = None
        self.heard = False
        self.matched = []  # (first sent frame, frames)
        self.result = Result(sent=len(sent) // frame)

    def common(self, s, r):
        """How many frames are alike from here on."""
        n, limit = 0, min(len(self.sent) - s * self.frame, len(self.received) - r * self.frame)
        s, r = s * self.frame, r * self.frame
        while n < limit and self.sent[s + n:s + n + CHUNK] == self.received[r + n:r + n + CHUNK]:
            n += CHUNK
        if n < limit:
            n += _prefix(self.sent[s + n:s + n + CHUNK], self.received[r + n:r + n + CHUNK])
        return min(n, limit) // self.frame

    def silent(self, r):
        """How many frames of silence have arrived from here on."""
        n, total = 0, len(self.received) // self.frame
        while r + n < total and self.received[(r + n) * self.frame:(r + n + 1) * self.frame] == self.silence:
            n += 1
        return n

    def find(self, r):
        """The next (s, r) where both are alike again; None at the end."""
        if self.index is None:
            self.index = _index(self.sent, self.frame)
        size, first = WINDOW * self.frame, r
        for r in range(first, len(self.received) // self.frame - WINDOW + 1):
            s = self.index.get(self.received[r * self.frame:r * self.frame + size])
            if s is not None:
                return self.back(s, r, first)
        return None

    def back(self, s, r, first):
        while s > 0 and r > first and self.at(self.sent, s - 1) == self.at(self.received, r - 1):
            s, r = s - 1, r - 1
        return s, r

    def at(self, data, n):
        return data[n * self.frame:(n + 1) * self.frame]

    def stray(self, r, end):
        """Frames that answer to nothing: silence is a gap, the rest is altered.  Returns how many are altered."""
        altered = 0
        while r < end:
            n = min(self.silent(r), end - r)
            if n:
                self.result.gaps.append(n)
            else:
                altered += 1
            r += n or 1
        self.result.altered += altered
        return altered

    def run(self):
        s = r = 0
        total = len(self.received) // self.frame
        while r < total:
            n = self.common(s, r)
            if n:
                self.matched.append((s, n))
            s, r = s + n, r + n
            if r < total:
                s, r = self.rejoin(s, r, total)
        self.count()
        return self.result

    def heard_before(self, r):
        self.heard = self.heard or any(self.received[:r * self.frame])
        return self.heard

    def rejoin(self, s, r, total):
        """Past what does not fit."""
        n = self.silent(r)
        if n:
            # Silence before the first sound and after the last is no gap.
            if self.heard_before(r) and r + n < total:
                self.result.gaps.append(n)
            return s, r + n
        place = self.find(r)
        s2, r2 = place or (s, total)
        altered = self.stray(r, r2)
        self.matched.append((s, min(altered, max(s2 - s, 0))))  # altered, so not lost too
        return s2, r2

    def count(self):
        end = 0
        for s, n in sorted(self.matched):
            self.result.lost += max(s - end, 0)
            self.result.doubled += max(min(end, s + n) - s, 0)
            end = max(end, s + n)
        self.result.lost_tail = self.result.sent - end
        self.result.lost += self.result.lost_tail
        self.count_moved()
        self.result.received = (self.result.sent - self.result.lost + self.result.doubled)

    def count_moved(self):
        """Frames that came after later ones, and not for the second time."""
        end, seen = 0, 0
        for s, n in self.matched:
            seen += max(min(end, s + n) - s, 0)
            end = max(end, s + n)
        self.result.altered += max(seen - self.result.doubled, 0)


def _prefix(a, b):
    """The length of what two byte strings begin with alike."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _index(data, frame):
    """{window: place}, without windows too plain to tell a place."""
    index = {}
    for s in range(0, len(data) // frame - WINDOW + 1, STEP):
        window = data[s * frame:(s + WINDOW) * frame]
        if len(set(window)) > 4:
            index.setdefault(window, s)
    return index


def compare(sent, received, frame, silence=None):
    """Both as bytes, frame: bytes of a frame, silence: a silent one, if that is not zeroes."""
    return _Walk(sent, received, frame, silence).run()


def compare_files(sent, received):
    sent_format, sent_data = wavs.read(sent)
    received_format, received_data = wavs.read(received)
    if sent_format != received_format:
        raise ValueError(f"{received} is {received_format}, {sent} is {sent_format}")
    return compare(sent_data, received_data, sent_format.frame)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: compare.py SENT.wav RECEIVED.wav")
    result = compare_files(sys.argv[1], sys.argv[2])
    print(result)
    sys.exit(0 if result.exact else 1)


if __name__ == "__main__":
    main()
