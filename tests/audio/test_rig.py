#!/usr/bin/env python3
"""The rig must not be wrong, nor end with a case that is: what it says of cases made on purpose."""

import contextlib
import io
import sys
import unittest
from unittest import mock

sys.dont_write_bytecode = True
import rig

SOUND = bytes(range(1, 41))


class Silence(unittest.TestCase):
    def test_around(self):
        self.assertEqual(rig.without_silence(bytes(1 << 16) + SOUND + bytes(12)), (SOUND, []))

    def test_between(self):
        data = SOUND + bytes(8) + SOUND + bytes(4 * 5000) + SOUND
        self.assertEqual(rig.without_silence(data), (3 * SOUND, [2, 5000]))

    def test_zeros_that_are_no_frame(self):
        data = b"\1\2\0\0\0\0\3\4" + b"\1\0\0\0\0\0\0\0" + SOUND
        self.assertEqual(rig.without_silence(data), (data[:12] + SOUND, [1]))

    def test_half_a_frame(self):
        self.assertEqual(rig.without_silence(SOUND + b"\1"), (SOUND, []))

    def test_nothing(self):
        self.assertEqual(rig.without_silence(bytes(100)), (b"", []))


class Closed(rig.Host):
    def close(self):
        super().close()
        raise OSError("it does not end")


def good(_name, _build, _host):
    """Nothing is wrong."""


def wrong(_name, _build, _host):
    raise rig.Fault("silence")


def broken(_name, _build, _host):
    raise KeyError("of two\nlines")


class Cases(unittest.TestCase):
    def run_cases(self, *cases):
        said = io.StringIO()
        with mock.patch.object(sys, "argv", ["test", "--build=."]), \
                contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            status = rig.main(rig.Host, lambda quick: cases)
        return status, [line for line in said.getvalue().splitlines() if not line.startswith("#")]

    def test_all_are_told(self):
        status, lines = self.run_cases(("a", broken), ("b", wrong), ("c", good), ("d", good, Closed))
        self.assertEqual(status, 1)
        self.assertEqual(lines, [r"not ok a: KeyError: 'of two\nlines'", "not ok b: silence",
                                 "ok c", "not ok d: OSError: it does not end"])

    def test_good(self):
        self.assertEqual(self.run_cases(("a", good)), (0, ["ok a"]))


if __name__ == "__main__":
    unittest.main()
