"""The daemon's own knob (vsndctl) with JACK, which has none: what of a level is heard, frame by frame."""

import array
import contextlib

import rig
import wav

LEVEL = 16384
HALF = 10 ** (-6 / 20)


class Level(rig.Guest):
    """Plays the same sample, so that what is heard is the gain."""

    def order(self, host):
        samples = array.array("h", [LEVEL]) * (2 * rig.RATE * self.seconds)
        path = host.folder / "source.wav"
        wav.Wav("S16", rig.RATE, 2, samples.tobytes()).write(path)
        return "play", str(path)


def plateaus(gains):
    """(gain, frames) of what stays the same for 20 ms and longer."""
    found, at = [], 0
    while at < len(gains):
        end = at
        while end < len(gains) and abs(gains[end] - gains[at]) < 1e-4:
            end += 1
        if end - at >= rig.RATE // 50:
            found.append((round(gains[at], 3), end - at))
        at = end
    return found


def gain(name, build, host):
    """Softer, silent, and as loud as before, without a click between."""
    host.what = "hear-float"
    host.start()
    with contextlib.closing(Level(build, host, 4, 480)) as guest:
        for at, command in ((1, ("volume", "-6dB")), (1.6, ("mute",)), (2.2, ("unmute",)),
                            (2.8, ("volume", "0dB"))):
            guest.until(at)
            guest.control(*command)
        guest.finish()
        heard = array.array("f", host.kill(strict=True))
    if heard[0::2] != heard[1::2]:
        raise rig.Fault("the channels differ")
    left = [sample * 32768 / LEVEL for sample in heard[0::2]]
    first = next(at for at, one in enumerate(left) if one)
    last = max(at for at, one in enumerate(left) if one)
    gains = left[first:last + 1]
    step = max(abs(a - b) for a, b in zip(gains, gains[1:]))
    found = plateaus(gains)
    rig.tell(name, f"(gain, frames): {found}; the largest step between frames is {step:.4f}")
    if [one for one, _ in found] != [1, round(HALF, 3), 0, round(HALF, 3), 1]:
        raise rig.Fault("not the gains that were set")
    if len(gains) != 4 * rig.RATE:
        raise rig.Fault(f"{len(gains)} frames heard")
    if step > 0.02:
        raise rig.Fault("a click")
