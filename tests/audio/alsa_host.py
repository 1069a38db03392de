"""Sound cards without hardware, and ALSA's own pcms without any, for the tests of ALSA.

ALSA gets a configuration of the test's own and nothing else.  Its pcms:

    card      pcm_vsnd_test.c: a card that plays into the file `card/played`, records from
              `card/source`, and has accidents on command
    rw        the same, which cannot be mapped
    cd        the same, which has S16_LE only
    jumps     the same, whose position moves by 4096 frames at a time
    fast      the same, whose clock is fast by 300 ppm
    plugged   a converter before `cd`
    kept      ALSA's: a file on `card`, `kept`
    file      ALSA's: a file on `null`, which has no clock
    fifo      ALSA's: the same into a FIFO
    null      ALSA's
"""

import os
import time

import rig

CONFIG = """
pcm_type.vsnd_test {{ lib "{module}" }}
pcm.card {{ type vsnd_test dir "{card}" }}
pcm.rw {{ type vsnd_test dir "{card}" mmap 0 }}
pcm.cd {{ type vsnd_test dir "{card}" formats "S16_LE" }}
pcm.jumps {{ type vsnd_test dir "{card}" jump 4096 }}
pcm.fast {{ type vsnd_test dir "{card}" ppm 300 }}
pcm.plugged {{ type plug slave.pcm "cd" }}
pcm.kept {{ type file slave.pcm "card" file "{folder}/kept" format raw truncate 1 }}
pcm.null {{ type null }}
pcm.file {{ type file slave.pcm "null" file "{folder}/out" format raw truncate 1 }}
pcm.fifo {{ type file slave.pcm "null" file "{folder}/fifo" format raw truncate 1 }}
pcm.default {{ type vsnd_test dir "{card}" }}
"""


def card(build, folder, cycle):
    """Configuration of nothing but a card of S16 that moves by @cycle frames at a time."""
    module = build / "tests/audio/libasound_module_pcm_vsnd_test.so"
    return (f'pcm_type.vsnd_test {{ lib "{module}" }}\n'
            f'pcm.card {{ type vsnd_test dir "{folder}" formats "S16_LE" jump {cycle} }}\n')


class Host(rig.Host):
    """A configuration of ALSA, and what its card has played."""

    strip = ("ALSA_",)

    def __init__(self, folder):
        super().__init__(folder)
        self.card = self.folder / "card"
        self.card.mkdir()
        self.number = 0
        self.env["ALSA_CONFIG_PATH"] = str(self.folder / "asound.conf")
        self.started = time.monotonic()
        self.use("card")

    def use(self, name, name_in=None):
        """The pcms to play to and record from; None: the default."""
        self.options = ["--audio=alsa"]
        if name:
            self.options.append(f"--target={name}")
        if name_in:
            self.options += [f"--target-in={name_in}", "--capture=on"]

    def start(self):
        module = self.build / "tests/audio/libasound_module_pcm_vsnd_test.so"
        (self.folder / "asound.conf").write_text(
            CONFIG.format(module=module, card=self.card, folder=self.folder))

    def command(self, text):
        """Something happens to the card."""
        self.number += 1
        path = self.card / "control.new"
        path.write_text(f"{self.number} {text}\n")
        os.rename(path, self.card / "control")

    def events(self):
        """(word, rest of the line) of each."""
        path = self.card / "events"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.partition(" ")[::2] for line in lines]

    def count(self, word):
        return sum(1 for event, _ in self.events() if event == word)

    def dropped(self):
        """Frames that the card had in its buffer when that was dropped."""
        return sum(int(rest) for event, rest in self.events() if event == "dropped")

    def played(self):
        path = self.card / "played"
        return path.read_bytes() if path.exists() else b""

    def log_lines(self, word):
        return [line for line in (self.folder / "host.log").read_text().splitlines() if word in line]

    def wait_for_sound(self, since=0, seconds=5):
        """Until the card has played more than @since bytes of sound; how long that took."""
        begin = time.monotonic()
        while not self.played()[since:].strip(b"\0"):
            if time.monotonic() > begin + seconds:
                raise rig.Fault("no sound")
            time.sleep(0.01)
        return time.monotonic() - begin
