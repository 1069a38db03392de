"""The judge must not be wrong: each kind of damage, done on purpose, is counted exactly."""

import random
import unittest

import compare
import wavs

FORMATS = [wavs.Format(2, 1, 48000), wavs.Format(2, 2, 48000), wavs.Format(4, 1, 44100), wavs.Format(4, 2, 44100)]
FRAMES = 20000


def noise(fmt, frames):
    return random.Random(99).randbytes(frames * fmt.frame).translate(wavs.NO_ZERO)


class Case:
    """Shorthand for one format: pieces of the sent content, silence, garbage."""

    def __init__(self, fmt):
        self.fmt = fmt
        self.sent = wavs.content(5, fmt, FRAMES)

    def part(self, first, end=FRAMES):
        return self.sent[first * self.fmt.frame:end * self.fmt.frame]

    def silence(self, frames):
        return bytes(frames * self.fmt.frame)

    def judge(self, *parts):
        r = compare.compare(self.sent, b"".join(parts), self.fmt.frame)
        return r.lost, r.doubled, r.altered, sum(r.gaps)


class Compare(unittest.TestCase):
    def each(self, expected, parts_of):
        for fmt in FORMATS:
            with self.subTest(str(fmt)):
                case = Case(fmt)
                self.assertEqual(case.judge(*parts_of(case)), expected)

    def test_exact_between_silences(self):
        self.each((0, 0, 0, 0), lambda c: [c.silence(100), c.sent, c.silence(500)])

    def test_gap(self):
        self.each((0, 0, 0, 77), lambda c: [c.part(0, 1000), c.silence(77), c.part(1000)])

    def test_lost_one(self):
        self.each((1, 0, 0, 0), lambda c: [c.part(0, 1000), c.part(1001)])

    def test_lost_period(self):
        self.each((480, 0, 0, 0), lambda c: [c.part(0, 960), c.part(1440)])

    def test_lost_head(self):
        self.each((10, 0, 0, 0), lambda c: [c.part(10)])

    def test_lost_tail(self):
        self.each((300, 0, 0, 0), lambda c: [c.part(0, FRAMES - 300), c.silence(50)])

    def test_lost_all(self):
        self.each((FRAMES, 0, 0, 0), lambda c: [])

    def test_replaced_by_silence(self):
        self.each((7, 0, 0, 7), lambda c: [c.part(0, 1000), c.silence(7), c.part(1007)])

    def test_doubled(self):
        self.each((0, 100, 0, 0), lambda c: [c.part(0, 1000), c.part(900)])

    def test_doubled_after_silence(self):
        self.each((0, 100, 0, 9), lambda c: [c.part(0, 1000), c.silence(9), c.part(900)])

    def test_old_data_instead_of_new(self):
        self.each((200, 200, 0, 0), lambda c: [c.part(0, 1000), c.part(0, 200), c.part(1200)])

    def test_altered_one(self):
        self.each((0, 0, 1, 0), lambda c: [c.part(0, 1000), noise(c.fmt, 1), c.part(1001)])

    def test_invented(self):
        self.each((0, 0, 7, 0), lambda c: [c.part(0, 1000), noise(c.fmt, 7), c.part(1000)])

    def test_out_of_order(self):
        self.each((0, 0, 100, 0), lambda c: [c.part(0, 1000), c.part(1100, 1200), c.part(1000, 1100), c.part(1200)])

    def test_something_else(self):
        self.each((FRAMES, 0, 500, 0), lambda c: [noise(c.fmt, 500)])


class Silence(unittest.TestCase):
    """Speech has real silence in it, which is not to be taken for a gap, nor a gap for it."""

    def setUp(self):
        self.fmt = wavs.Format(2, 1, 48000)
        words = [noise(self.fmt, 3000), wavs.content(7, self.fmt, 3000)]
        self.pieces = [bytes(2000), words[0], bytes(4000), words[1], bytes(600)]
        self.sent = b"".join(self.pieces)

    def judge(self, received):
        r = compare.compare(self.sent, received, self.fmt.frame)
        return r.lost, r.doubled, r.altered, sum(r.gaps)

    def test_exact(self):
        self.assertEqual(self.judge(bytes(50) + self.sent + bytes(20)), (0, 0, 0, 0))

    def test_gap_in_silence(self):
        head, tail = b"".join(self.pieces[:3]), b"".join(self.pieces[3:])
        self.assertEqual(self.judge(head + bytes(200) + tail), (0, 0, 0, 100))

    def test_silence_lost(self):
        self.assertEqual(self.judge(b"".join([self.pieces[0], self.pieces[1], *self.pieces[3:]])), (2000, 0, 0, 0))

    def test_trailing_silence_lost(self):
        self.assertEqual(self.judge(self.sent[:-100]), (50, 0, 0, 0))


if __name__ == "__main__":
    unittest.main()
