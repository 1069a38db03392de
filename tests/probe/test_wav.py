#!/usr/bin/env python3
"""The comparison finds what it is there to find."""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
import wav


def changed(sound, data):
    return wav.Wav(sound.sample, sound.rate, sound.channels, data)


def verdict(sent, data):
    return wav.difference(wav.Sound(sent).frames, wav.Sound(changed(sent, data)).frames)


def check_comparison():
    sent = wav.noise("S16", 48000, 2, 100)
    d, gap = sent.data, bytes(40)
    assert verdict(sent, d) is None
    assert verdict(sent, gap + d[:80] + gap + d[80:] + gap) is None, "silence is no fault"
    assert wav.Sound(changed(sent, gap + d[:80] + gap + d[80:] + gap)).gaps == [10]
    assert verdict(sent, d[:-4]), "a lost frame"
    assert verdict(sent, d[:80] + d[84:]), "a lost frame in the middle"
    assert "which is frame 19" in verdict(sent, d[:80] + d[76:]), "a doubled frame"
    assert verdict(sent, d[:4] + d[8:12] + d[4:8] + d[12:]), "frames out of order"
    assert "never sent" in verdict(sent, d[:4] + b"abcd" + d[8:]), "an invented frame"
    assert verdict(sent, b""), "nothing at all"


def check_files():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.wav")
        for sample in wav.SAMPLE_BYTES:
            sent = wav.noise(sample, 44100, 1, 50)
            sent.write(path)
            back = wav.read(path)
            assert (back.sample, back.rate, back.channels) == (sample, 44100, 1)
            assert back.data == sent.data
        with open(path, "ab") as f:
            f.write(b"more")
        try:
            wav.read(path)
        except ValueError:
            return
        raise AssertionError("a wrong header was taken for right")


if __name__ == "__main__":
    check_comparison()
    check_files()
